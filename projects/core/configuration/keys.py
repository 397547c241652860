"""Keys: the dotted names and JSONPath expressions that point into a configuration."""

from __future__ import annotations

import functools
import itertools
import re
import threading
from typing import TYPE_CHECKING, Any, Protocol

from projects.core.errors import ConfigurationError, Mark, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.configuration.document import KeyPath

MAX_CACHED = 4096
"""How many parsed keys are kept."""

MAX_SUGGESTED = 5000
"""How many keys are compared to find the nearest one."""

MAX_SHOWN = 12
"""How many possible keys a message lists."""

_PART = re.compile(
    r"""\.([\w-]+)|\[(-?\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]""", re.DOTALL
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_NAME = re.compile(r"[\w-]+\Z")
_parsing = threading.Lock()


class MissingKey(ConfigurationError, KeyError):
    """A key matches nothing; also a KeyError."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class _Expression(Protocol):
    def find(self, values: Any) -> list[Any]: ...


class Key:
    """A parsed key.

    `path` is set when the key is plain, such as ``tests.users``, ``ci_presets["a.b"]`` or
    ``nodes[0].name``: it names one place. Every other key is a JSONPath expression, which may
    match several places; jsonpath-ng is imported for those only.
    """

    __slots__ = ("_expression", "path", "text")

    def __init__(
        self, text: str, path: KeyPath | None, expression: _Expression | None = None
    ) -> None:
        self.text = text
        self.path = path
        self._expression = expression

    def __repr__(self) -> str:
        return f"Key({self.text!r})"

    @staticmethod
    def parse(text: str) -> Key:
        """Return the key for `text`, from a cache when it was seen before.

        Raises
        ------
        ConfigurationError
            When `text` is neither a plain key nor a JSONPath expression.

        """
        return _parse(text)

    def find(self, values: Any) -> list[Any]:
        """Return the values that match, in the order of the document."""
        if self._expression is not None:
            return [match.value for match in self._matches(values)]
        return [value_at(values, path) for path in self.paths(values)]

    def paths(self, values: Any) -> list[KeyPath]:
        """Return the places that match: the keys and indexes that lead from the root to each."""
        if self._expression is not None:
            found = (_path_of(match) for match in self._matches(values))
            return [path for path in found if path is not None]
        path: list[Any] = []
        for wanted in self.path or ():
            part = _part(values, wanted)
            if part is None:
                return []
            values = values[part[0]]
            path.append(part[0])
        return [tuple(path)]

    def places(self, values: Any) -> list[KeyPath]:
        """Return the paths that can be set: not the root, and none inside of another one."""
        paths = self.paths(values)
        if self.path is not None:
            return paths
        found = set(paths)
        return [p for p in paths if p and not any(p[:n] in found for n in range(len(p)))]

    def set(self, values: Any, value: Any) -> int:
        """Put `value` at every place that can be set, in place; return how many there were."""
        paths = self.places(values)
        for path in paths:
            value_at(values, path[:-1])[path[-1]] = value
        return len(paths)

    def _matches(self, values: Any) -> list[Any]:
        assert self._expression is not None  # noqa: S101 (callers have just looked)
        try:
            return self._expression.find(values)
        except Exception as error:  # filters compare and calculate: whatever Python raises there
            raise ConfigurationError(
                f'the key "{self.text}" cannot be searched: {error}'
            ) from error


@functools.lru_cache(maxsize=MAX_CACHED)
def _parse(text: str) -> Key:
    path = _plain_path(text)
    if path is not None:
        return Key(text, path)
    if not isinstance(text, str):
        raise ConfigurationError(f"a key has to be text, not {text!r}")
    try:
        with _parsing:
            from jsonpath_ng.ext.parser import parse

            return Key(text, None, parse(text))
    except Exception as error:  # jsonpath-ng raises its own errors and whatever its lexer meets
        raise ConfigurationError(f'the key "{text}" is not a JSONPath: {error}') from error


def _plain_path(text: Any) -> KeyPath | None:
    """Return the path of a plain key; None when `text` is something else."""
    if not isinstance(text, str):
        return None
    text = text[1:] if text.startswith("$") else f".{text}"
    path: list[Any] = []
    end = 0
    while end < len(text):
        found = _PART.match(text, end)
        if not found:
            return None
        name, index, double, single = found.groups()
        if name:
            path.append(name)
        elif index:
            path.append(int(index))
        else:
            path.append(_ESCAPED.sub(r"\1", single if double is None else double))
        end = found.end()
    return tuple(path) or None


def _part(container: Any, wanted: str | int) -> tuple[Any] | None:
    """Return, in a tuple, the key or index of `container` that `wanted` means, or None.

    YAML reads some keys as numbers or booleans: ``4:`` is found as ``4`` and ``on:`` as ``True``.
    """
    if isinstance(container, dict):
        if wanted in container:
            return (wanted,)
        for key in container:
            if not isinstance(key, str) and str(key) == wanted:
                return (key,)
    elif isinstance(container, list) and isinstance(wanted, int):
        index = wanted + len(container) if wanted < 0 else wanted
        if 0 <= index < len(container):
            return (index,)
    return None


def _path_of(match: Any) -> KeyPath | None:
    """Return the path of a match of jsonpath-ng; None when it is a computed value."""
    path: list[Any] = []
    while match.context is not None:
        fields = getattr(match.path, "fields", None) or getattr(match.path, "indices", None)
        if fields:
            path.append(fields[0])
        elif type(match.path).__name__ not in ("This", "Root"):
            return None
        match = match.context
    if type(match.path).__name__ not in ("This", "Root"):
        return None
    return tuple(reversed(path))


def value_at(values: Any, path: KeyPath) -> Any:
    """Return the value at `path`."""
    for part in path:
        values = values[part]
    return values


def format_path(path: KeyPath) -> str:
    """Return `path` as a key that a user can type; ``$`` for the root."""
    said = ""
    for part in path:
        if isinstance(part, int) and not isinstance(part, bool):
            said += f"[{part}]" if said else str(part)
        elif _PLAIN_NAME.match(str(part)):
            said += f".{part}" if said else str(part)
        else:
            escaped = str(part).replace("\\", "\\\\").replace('"', '\\"')
            said = f'{said or "$"}["{escaped}"]'
    return said or "$"


def all_paths(values: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Yield the path of every mapping entry and list item, parents first."""
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(values, dict):
        items = iter(values.items())
    elif isinstance(values, list):
        items = iter(enumerate(values))
    for part, value in items:
        yield (*path, part)
        yield from all_paths(value, (*path, part))


def missing(key: Key, values: Any, *, what: str = "key", where: Mark | None = None) -> MissingKey:
    """Return the error for a key that matches nothing, with the nearest key that exists."""
    container: Any = values
    path: KeyPath = ()
    rest = key.path or ()
    while rest and (part := _part(container, rest[0])):
        container, path, rest = container[part[0]], (*path, *part), rest[1:]
    siblings = {str(part): part for part in container} if isinstance(container, dict) else {}
    similar = nearest(str(rest[0]), siblings) if rest else None
    if similar is None:
        close = _nearest_anywhere(key, values)
    else:
        corrected = (*path, siblings[similar])
        whole = Key("", (*corrected, *rest[1:])).paths(values)
        close = format_path(whole[0] if whole else corrected)
    said = f'unknown {what} "{key.text}"' + (f'; did you mean "{close}"?' if close else ".")
    shown = [format_path((*path, part)) for part in siblings.values()]
    return MissingKey(f"{said}{_possible(shown)}", where=where)


def _possible(shown: list[str]) -> str:
    more = f", … ({len(shown)} in all)" if len(shown) > MAX_SHOWN else ""
    return f" Possible: {', '.join(sorted(shown)[:MAX_SHOWN])}{more}." if shown else ""


def _nearest_anywhere(key: Key, values: Any) -> str | None:
    """Return the nearest of all keys; those within presets only when one of them was meant."""
    skipped = None if key.text.startswith("ci_presets") else "ci_presets"
    paths = (path for path in all_paths(values) if path[0] != skipped)
    return nearest(key.text, map(format_path, itertools.islice(paths, MAX_SUGGESTED)))
