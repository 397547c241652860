"""Contracts: the keys that a library needs from a configuration, with their types."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from projects.core.configuration.check import Finding
from projects.core.configuration.document import describe
from projects.core.configuration.keys import Key, MissingKey
from projects.core.errors import ConfigurationError
from projects.core.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.core.configuration.configuration import Configuration


class SecretFile:
    """The type of a key whose value is the name of a file in the directory of secrets."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What the library `name` needs: keys and the type of each.

    A type is `str`, `int`, `float`, `bool`, `list`, `dict`, `Any`, `list[T]`, `dict[str, T]`,
    `Literal[...]`, a union, `SecretFile`, or `Secret` for a key that refers to a secret (`*$@`).
    """

    name: str
    keys: Mapping[str, Any]

    def check(self, configuration: Configuration) -> list[Finding]:
        """Return what does not fit, in the order of the contract. No secret is read."""
        findings = []
        for key, expected in self.keys.items():
            try:
                said = _unfit(key, _value(configuration, key), expected)
            except MissingKey as error:
                said = error.message.replace("unknown key", "the key", 1)
            except ConfigurationError as error:
                said = error.message
            if said:
                findings.append(self._finding(configuration, key, said))
        return findings

    def require(self, configuration: Configuration) -> None:
        """Raise one ConfigurationError that names everything that does not fit."""
        findings = self.check(configuration)
        if findings:
            lines = "".join(f"\n  {finding}" for finding in findings)
            raise ConfigurationError(f"the configuration is not what {self.name} needs:{lines}")

    def _finding(self, configuration: Configuration, key: str, said: str) -> Finding:
        parsed = Key.parse(key)
        path = next(iter(parsed.paths(configuration.raw)), parsed.path or ())
        mark = configuration.mark(path) or configuration.source.origin(path).key
        return Finding(mark.file, mark.line, mark.column, f"{self.name} needs {said}")


class _Unread(str):
    """Stands for a secret that is not read."""

    __slots__ = ()


def _value(configuration: Configuration, key: str) -> Any:
    return configuration.get(key, read_secret=_Unread)


def _unfit(key: str, value: Any, expected: Any) -> str:
    """Return what is wrong with `value`, or an empty text."""
    if _fits(value, expected):
        return ""
    if isinstance(value, _Unread):
        return f"{key} as {_named(expected)}, it is a secret"
    shown = "" if isinstance(value, dict | list | type(None)) else f" {value!r}"
    return f"{key} as {_named(expected)}, it is the {describe(value)}{shown}"


def _named(expected: Any) -> str:
    if expected is SecretFile:
        return "the name of a secret file"
    if expected is Secret:
        return "a secret (*$@key)"
    return expected.__name__ if type(expected) is type else str(expected).replace("typing.", "")


def _fits(value: Any, expected: Any) -> bool:  # noqa: PLR0911 (one kind of type each)
    if expected is Any:
        return True
    if expected is Secret or isinstance(value, _Unread):
        return expected is Secret and isinstance(value, _Unread | Secret)
    if expected is SecretFile:
        return isinstance(value, str) and bool(value)
    if expected is None or expected is type(None):
        return value is None
    origin, arguments = get_origin(expected), get_args(expected)
    if origin in (Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is Literal:
        return any(value == allowed and type(value) is type(allowed) for allowed in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, arguments[0]) and _fits(item, arguments[1]) for key, item in value.items()
        )
    if isinstance(value, bool):
        return expected is bool
    return isinstance(value, (int, float) if expected is float else expected)
