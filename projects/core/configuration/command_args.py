"""The arguments of one command: which entry of the rendered template, and what is passed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projects.core.configuration.template import Rendered
    from projects.core.errors import Mark

PLACEHOLDER = "SET_AT_RUNTIME"
"""The value of an argument that the caller gives with `extra`."""


def entry_key(
    group: str, command: str, prefix: str | None = None, suffix: str | None = None
) -> str:
    """Return the key of an entry: `[prefix/]group command[/suffix]`."""
    key = f"{group} {command}"
    if prefix:
        key = f"{prefix}/{key}"
    return f"{key}/{suffix}" if suffix else key


def split_key(key: str) -> tuple[str | None, str, str, str | None]:
    """Return (prefix, group, command, suffix) of an entry's key.

    Raises
    ------
    ValueError
        The key is not of the form `[prefix/]group command[/suffix]`.
    """
    before, space, after = key.partition(" ")
    prefix, slash, group = before.rpartition("/")
    command, has_suffix, suffix = after.partition("/")
    fits = space and group and command and " " not in command
    if not fits or (slash and not prefix) or (has_suffix and not suffix):
        raise ValueError(f'"{key}" is not of the form [prefix/]group command[/suffix]')
    return prefix or None, group, command, suffix or None


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one entry: `shown` is all that the template and `extra` say."""

    key: str
    shown: dict[str, Any]
    place: Callable[[], Mark]

    @property
    def passed(self) -> dict[str, Any]:
        """The arguments to call the command with: without `_`-keys.

        An entry that is empty, or says only `_none: true`, passes none.

        Raises
        ------
        ConfigurationError
            An argument is still `SET_AT_RUNTIME`.
        """
        passed = {name: value for name, value in self.shown.items() if not name.startswith("_")}
        missing = [name for name, value in passed.items() if value == PLACEHOLDER]
        if missing:
            message = f'"{self.key}": the caller must give, with extra: {", ".join(missing)}'
            raise ConfigurationError(message, where=self.place())
        return passed

    def one(self, name: str) -> Any:
        """Return one argument, also one whose name begins with `_`.

        Raises
        ------
        ConfigurationError
            The entry has no such argument; with the nearest one.
        """
        if name not in self.shown:
            message = f'"{self.key}": {unknown("argument", name, self.shown)}'
            raise ConfigurationError(message, where=self.place())
        return self.shown[name]


def arguments_for(  # noqa: PLR0917 - the order of the seed's signature
    rendered: Rendered,
    group: str,
    command: str,
    prefix: str | None = None,
    suffix: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Arguments:
    """Return what the template says for a command, with `extra` merged over it.

    Raises
    ------
    ConfigurationError
        The template has no such entry, the entry is not a mapping, or a reference in it is wrong.
    """
    key = entry_key(group, command, prefix, suffix)
    keys = rendered.entries
    if key not in keys:
        message = unknown(
            "entry", key, [k for k in map(str, keys) if not k.startswith("_")], most=100
        )
        raise ConfigurationError(f"{rendered.name}: {message}")
    entry = rendered.entry(key)
    if not isinstance(entry, dict | None):
        message = f'"{key}" is a {type(entry).__name__}, not a mapping of arguments'
        raise ConfigurationError(message, where=rendered.place(key))
    shown = {str(name): value for name, value in ((entry or {}) | dict(extra or {})).items()}
    return Arguments(key, shown, lambda: rendered.place(key))
