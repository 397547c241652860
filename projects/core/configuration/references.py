"""References: `@key`, `{@key}` and `*$@key` inside of values, and how to write a literal @."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from projects.core.configuration.document import MAX_BYTES, KeyPath
from projects.core.configuration.keys import Key, format_path, missing, value_at
from projects.core.errors import ConfigurationError, Mark, SecretError

MAX_CHAIN = 100
"""How many references may follow each other."""

MAX_RESOLVED = 100_000
"""How many values one resolution may produce: references to lists can multiply."""

ReadSecret = Callable[[str], str]
Locate = Callable[[KeyPath], Mark | None]

_START = re.compile(r"(\*\$|\*)?@")
_INSIDE = re.compile(r"\{@(@|[^}]*\})")


def resolve(
    values: Any,
    value: Any,
    read_secret: ReadSecret | None = None,
    *,
    path: KeyPath = (),
    locate: Locate | None = None,
    reached: set[str] | None = None,
) -> Any:
    """Return `value` with the references in it replaced; containers are new ones.

    ``@key`` is replaced by the value at that key of `values`, with its type; ``{@key}`` inside of
    a text by the value as text; ``*$@key`` by what `read_secret` returns for the value at that
    key. A doubled @ in these places stands for a literal one. `path` tells where in `values` the
    value is, and `locate` where a path is written, both for messages. The keys that are referred to
    are added to `reached`.

    Raises
    ------
    SecretError
        A secret is met and `read_secret` is not given.
    ConfigurationError
        A reference leads to nothing or in a circle.

    """
    return _Resolution(values, read_secret, locate, reached).resolved(value, path)


def has_references(text: str) -> bool:
    """Tell whether a text is anything but itself once it is resolved."""
    return "@" in text and bool(_START.match(text) or _INSIDE.search(text))


def escape(value: Any) -> Any:
    """Return what has to be written so that it resolves to `value`, containers included."""
    if isinstance(value, dict):
        return {key: escape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escape(item) for item in value]
    if not isinstance(value, str) or "@" not in value:
        return value
    start = _START.match(value)
    if start:
        return start[0] + "@" + value[start.end() :].replace("{@", "{@@")
    return value.replace("{@", "{@@")


def referred(text: str) -> list[str]:
    """Return the keys that a text refers to, in order, each as it is written."""
    start = _START.match(text)
    rest = text[start.end() :] if start else text
    if start and not rest.startswith("@"):
        return [rest]
    return [found[1][:-1] for found in _INSIDE.finditer(rest) if found[1] != "@"]


class _Resolution:
    """One call of `resolve`: what it has produced and the references it is inside of."""

    def __init__(
        self,
        values: Any,
        read_secret: ReadSecret | None,
        locate: Locate | None,
        reached: set[str] | None,
    ) -> None:
        self.values = values
        self.read_secret = read_secret
        self.locate = locate or (lambda _path: None)
        self.reached = set() if reached is None else reached
        self.open: list[tuple[KeyPath, str]] = []
        self.produced = 0

    def resolved(self, value: Any, path: KeyPath) -> Any:
        self.produced += 1
        if self.produced > MAX_RESOLVED:
            said = f"references expand to more than {MAX_RESOLVED} values"
            raise self.error(said, path)
        if isinstance(value, str):
            return self.text(value, path) if has_references(value) else value
        if isinstance(value, dict):
            return {key: self.resolved(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolved(item, (*path, i)) for i, item in enumerate(value)]
        return value

    def text(self, text: str, path: KeyPath) -> Any:
        start = _START.match(text)
        if not start:
            return self.interpolated(text, path, text)
        rest = text[start.end() :]
        if rest.startswith("@"):
            return start[0] + self.interpolated(rest[1:], path, text)
        if start[1] == "*":
            said = f'"{text}": *@ is not a reference; @key is one, *$@key reads a secret'
            raise self.error(said, path)
        value = self.target(rest, path, text)
        return self.secret(value, path, text) if start[1] else value

    def interpolated(self, text: str, path: KeyPath, whole: str) -> str:
        length = len(text)

        def value(found: re.Match[str]) -> str:
            nonlocal length
            if found[1] == "@":
                return "{@"
            said = str(self.target(found[1][:-1], path, whole))
            length += len(said)
            if length > MAX_BYTES:
                raise self.error("references expand to a text of more than 8 MiB", path)
            return said

        return _INSIDE.sub(value, text)

    def secret(self, name: Any, path: KeyPath, text: str) -> Any:
        if self.read_secret is None:
            said = f'"{text}" reads a secret, which is given only to who asks for it as one'
            raise self.error(said, path, SecretError)
        if not isinstance(name, str) or not name:
            said = f'"{text}" needs the name of a secret file there, not {name!r}'
            raise self.error(said, path, SecretError)
        return self.read_secret(name)

    def target(self, text: str, path: KeyPath, whole: str) -> Any:
        """Return the resolved value at the key `text`, which stands in `whole` at `path`."""
        if path and any(path == opened for opened, _ in self.open):
            raise self.circle(path, whole)
        if len(self.open) >= MAX_CHAIN:
            raise self.error(f"more than {MAX_CHAIN} references follow each other", path)
        try:
            key = Key.parse(text)
            paths = key.paths(self.values)
        except ConfigurationError as error:
            raise self.error(f'"{whole}": {error.message}', path) from error
        if not paths:
            said = missing(key, self.values).message
            raise self.error(f'"{whole}" refers to nothing: {said}', path)
        self.reached.add(text)
        self.open.append((path, whole))
        try:
            return self.resolved(value_at(self.values, paths[0]), paths[0])
        finally:
            self.open.pop()

    def circle(self, path: KeyPath, text: str) -> ConfigurationError:
        first = next(i for i, (opened, _) in enumerate(self.open) if opened == path)
        chain = [*self.open[first:], (path, text)]
        said = " -> ".join(self.named(at, reference) for at, reference in chain)
        return self.error(f"references lead in a circle: {said}", path)

    def named(self, path: KeyPath, text: str) -> str:
        where = self.locate(path)
        return f'{format_path(path)}="{text}"' + (f" ({where})" if where else "")

    def error(
        self, said: str, path: KeyPath, kind: type[ConfigurationError] = ConfigurationError
    ) -> ConfigurationError:
        at = f"{format_path(path)}: " if path else ""
        return kind(at + said, where=self.locate(path) if path else None)
