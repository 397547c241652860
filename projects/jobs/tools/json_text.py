"""A JSON text read strictly, with the place of every key and value for messages.

Source: RFC 8259; equal keys, NaN and infinities, which Python's reader takes, are refused.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, decoder
from json import loads as read_json
from typing import TYPE_CHECKING, Any, NoReturn

from projects.core.errors import ConfigurationError, Mark

if TYPE_CHECKING:
    from collections.abc import Callable

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the root to a value."""

MAX_DEPTH = 32

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])', re.DOTALL)
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_string: Callable[[str, int], tuple[str, int]] = decoder.scanstring  # type: ignore[attr-defined]


class Document:
    """A JSON text: `values`, and where each stands."""

    def __init__(self, name: str, text: str, values: Any) -> None:
        self.name = name
        self.values = values
        self._text = text
        self._places: dict[Path, int] | None = None

    def mark(self, path: Path) -> Mark:
        """Return where the key or list item at `path` stands, or its nearest parent."""
        if self._places is None:
            self._places, _ = _places(self._text)
        while path not in self._places:
            path = path[:-1]
        return _mark(self.name, self._text, self._places[path])


def loads(data: bytes, name: str) -> Document:
    """Read JSON; `name` stands for the file in messages.

    Raises
    ------
    ConfigurationError
        It isn't good JSON, is nested deeper than 32 levels, or a key comes twice; with the place.
    """
    text = _decoded(data, name)
    _check_depth(text, name)
    doubled = False

    def read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        values = dict(pairs)
        doubled = doubled or len(values) < len(pairs)
        return values

    try:
        values = read_json(text, object_pairs_hook=read_object, parse_constant=_refuse)
    except JSONDecodeError as error:
        raise ConfigurationError(
            f"this is not JSON: {_said(error)}",
            where=Mark(name, error.lineno, error.colno),
        ) from None
    except ValueError as error:  # a constant, or an integer of thousands of digits
        said = str(error)
        if said.startswith("Exceeds"):
            said = "it holds an integer of thousands of digits"
        raise ConfigurationError(said, where=_mark(name, text, _found(text, error))) from None
    if doubled:
        path, first, again = _places(text)[1][0]
        line = _mark(name, text, first).line
        raise ConfigurationError(
            f'the key "{path[-1]}" is already in line {line}', where=_mark(name, text, again)
        )
    return Document(name, text, values)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _found(text: str, error: ValueError) -> int:
    """Return where the constant of `_refuse` stands, outside of texts; else the beginning."""
    constant = str(error).split(" ", 1)[0]
    blanked = _BRACKETS.sub(lambda found: " " * len(found[0]), text)
    return max(blanked.find(constant), 0)


def _said(error: JSONDecodeError) -> str:
    text, position = error.doc, error.pos
    here, before = text[position : position + 1], text[:position].rstrip()
    if error.msg.startswith("Illegal trailing comma") or (  # Python 3.13, at the comma
        before.endswith(",") and here in ("}", "]", "")
    ):
        return "there is a comma after the last one"
    said = f"{error.msg[:1].lower()}{error.msg[1:]}"
    if here == "'":
        return f"{said}; texts stand between double quotes"
    if here in ("#", "/"):
        return f"{said}; JSON has no comments"
    return said


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        where = Mark(name, before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1)
        said = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise ConfigurationError(said, where=where) from None


def _check_depth(text: str, name: str) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[1]:
            depth += 1
            if depth > MAX_DEPTH:
                where = _mark(name, text, found.start())
                raise ConfigurationError(f"nested deeper than {MAX_DEPTH} levels", where=where)
        elif found[2]:
            depth -= 1


def _mark(name: str, text: str, position: int) -> Mark:
    line = text.count("\n", 0, position) + 1
    return Mark(name, line, position - text.rfind("\n", 0, position))


def _places(text: str) -> tuple[dict[Path, int], list[tuple[Path, int, int]]]:
    """Return where keys and list items stand, and keys that come twice with both places.

    The text has been read before: it is good JSON, of a bounded depth.
    """
    places: dict[Path, int] = {}
    doubled: list[tuple[Path, int, int]] = []

    def skip(at: int) -> int:
        return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # it matches anywhere

    def value(at: int, path: Path) -> int:
        at = skip(at)
        places.setdefault(path, at)
        if text[at] == '"':
            return _string(text, at + 1)[1]
        if text[at] not in "[{":
            return _SCALAR.match(text, at).end()  # type: ignore[union-attr]  # a scalar is there
        is_object, number = text[at] == "{", 0
        at = skip(at + 1)
        while text[at] not in "]}":
            inner: Path = (*path, number)
            if is_object:
                key, end = _string(text, at + 1)
                inner = (*path, key)
                if inner in places:
                    doubled.append((inner, places[inner], at))
                else:
                    places[inner] = at
                at = skip(end) + 1
            at = skip(value(at, inner))
            at = skip(at + 1) if text[at] == "," else at
            number += 1
        return at + 1

    value(0, ())
    return places, doubled
