"""A YAML text read into plain values, with the place of every key and value."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from projects.core.configuration.composer import MAX_DEPTH, Composer
from projects.core.errors import ConfigurationError, Mark, unreadable
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from projects.core.configuration.composer import Node

KeyPath = tuple[Any, ...]
"""The keys and list indexes that lead from the root to a value."""

MAX_BYTES = 8 * 1024 * 1024
_KEPT = (str, int, float, bool, type(None), Secret)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value is written: the mark of its key (or list item) and that of the value."""

    key: Mark
    value: Mark

    def __str__(self) -> str:
        return str(self.key)


class Document:
    """A YAML text: `values` are plain dicts, lists and scalars; `origin` tells where each stands.

    Values are typed as PyYAML's safe loader types them (YAML 1.1). Aliases become copies.
    """

    def __init__(self, name: str, values: Any, root: Node | None = None) -> None:
        self.name = name
        self.values = values
        self._root = root

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Document:
        """Read the file at `path`, at most 8 MiB of UTF-8.

        Raises
        ------
        InfrastructureError
            When the file cannot be read.
        ConfigurationError
            When its text is not good YAML, with the place.

        """
        name = os.fspath(path)
        try:
            with open(name, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise unreadable(name, error) from error
        return cls.loads(_decoded(data, name), name)

    @classmethod
    def loads(cls, text: str, name: str = "<text>") -> Document:
        """Read `text`; `name` stands for the file in messages. An empty text has the value None.

        Raises
        ------
        ConfigurationError
            When the text is not good YAML, with the place.

        """
        if len(text) > MAX_BYTES:
            raise ConfigurationError(f"{name}: larger than 8 MiB, the most that is read")
        composer = Composer(text, name)
        root = composer.root()
        values = None if root is None else composer.plain(root)
        return cls(name, values, root)

    def mapping(self, what: str) -> dict[Any, Any]:
        """Return the values, which have to be a mapping; an empty text is an empty one."""
        if self.values is None:
            return {}
        if isinstance(self.values, dict):
            return self.values
        raise ConfigurationError(
            f"{what} has to be a mapping (key: value), not a {describe(self.values)}",
            where=self.origin(()).value,
        )

    def origin(self, path: KeyPath) -> Origin:
        """Return where the value at `path` is written; the nearest parent's place if it is not."""
        node = key = self._root
        for part in path:
            children = node.children if node else None
            if isinstance(children, dict) and part in children:
                key, node = children[part]
            elif isinstance(children, list) and part in range(len(children)):
                key = node = children[part]
            else:
                break
        return Origin(self._mark(key), self._mark(node))

    def _mark(self, node: Node | None) -> Mark:
        return Mark(self.name, node.line + 1, node.column + 1) if node else Mark(self.name, 1, 1)


def describe(value: Any) -> str:
    """Return what users call the kind of `value`: mapping, list, text, number, boolean, null."""
    kinds = {dict: "mapping", list: "list", bool: "boolean", int: "number", float: "number"}
    return "null" if value is None else kinds.get(type(value), "text")


def dump(values: Any) -> str:
    """Return plain values as YAML, keys in their order, without aliases."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    text: str = yaml.dump(
        values, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return text


def _decoded(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{name}: larger than 8 MiB, the most that is read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        where = Mark(name, before.count(b"\n") + 1, column)
        raise ConfigurationError(
            f"byte 0x{data[error.start]:02x} is not UTF-8", where=where
        ) from error


def plain(value: Any, key: str, depth: int = 0) -> Any:
    """Return a copy of `value` made of what YAML can hold: paths become text, tuples lists.

    Raises
    ------
    ConfigurationError
        There is something in it that YAML cannot hold.

    """
    if type(value) in _KEPT:
        return value
    if depth > MAX_DEPTH:
        raise ConfigurationError(f"{key}: the value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {_plain_key(k, key): plain(v, key, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, key, depth + 1) for item in value]
    return _plain_scalar(value, key)


def _plain_key(name: Any, key: str) -> Any:
    if isinstance(name, str | int | float | date | None):
        return _plain_scalar(name, key)
    raise ConfigurationError(f"{key}: {name!r} cannot be the key of a mapping")


def _plain_scalar(value: Any, key: str) -> Any:
    if isinstance(value, enum.Enum):
        return _plain_scalar(value.value, key)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if type(value) in _KEPT or isinstance(value, date | bytes):
        return value
    for base in (str, int, float):
        if isinstance(value, base):
            return base(value)
    kind = type(value).__name__
    raise ConfigurationError(f"{key}: a value of type {kind} cannot be kept in a configuration")
