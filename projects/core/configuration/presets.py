"""Presets: named changes of the configuration, which may extend others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.core.configuration.document import KeyPath, describe
from projects.core.errors import ConfigurationError, Mark, unknown

ROOT = "ci_presets"
CHOICES = ("name", "names", "to_apply")
"""The entries of `ci_presets` that choose presets, in the order they are applied."""

OVERRIDES = "variable_overrides"
RESERVED = frozenset((*CHOICES, OVERRIDES))
MAX_EXPANDED = 10_000
"""How many presets one expansion may walk through: `extends` can double at each level."""

Locate = Callable[[KeyPath], Mark | None]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One change a preset makes.

    `presets` is the way it was reached, the chosen preset first and the one that says it last;
    `source` is where it is written: the path of its entry in the configuration.
    """

    presets: tuple[str, ...]
    key: str
    value: Any
    source: KeyPath


def _nowhere(_path: KeyPath) -> None:
    return None


def expand(
    presets: Mapping[str, Any], names: Sequence[str], locate: Locate = _nowhere
) -> list[Assignment]:
    """Return the changes of the presets `names`, in the order they are made.

    Depth-first; `extends` is expanded at its position in the preset, so what follows it wins.
    `locate` tells where a path of the configuration is written, for messages.

    Raises
    ------
    ConfigurationError
        A preset is unknown, no mapping, or extends itself; the message names the chain.

    """
    walk = Walk(lambda: presets, locate)
    return [assignment for name in names for assignment in walk.through(name)]


class Walk:
    """A way through presets and those they extend.

    `table` is asked again at each preset, because a preset may change the ones after it.
    """

    def __init__(self, table: Callable[[], Mapping[str, Any]], locate: Locate = _nowhere) -> None:
        self.table = table
        self.locate = locate
        self.walked = 0

    def through(
        self, name: str, asked: KeyPath | None = None, chain: tuple[str, ...] = ()
    ) -> Iterator[Assignment]:
        """Yield the changes of the preset `name`; `asked` is where its name is written.

        `chain` are the presets it was reached by.
        """
        self.walked += 1
        where = self.locate(asked) if asked else None
        if self.walked > MAX_EXPANDED:
            raise ConfigurationError(f"presets extend more than {MAX_EXPANDED} others", where=where)
        if name in chain:
            loop = " -> ".join((*chain[chain.index(name) :], name))
            raise ConfigurationError(f"presets extend each other in a circle: {loop}", where=where)
        chain = (*chain, name)
        for key, value in list(_preset(self.table(), name, where, self.locate).items()):
            source = (ROOT, name, key)
            if key == "extends":
                for at, extended in _names(value, source, self.locate):
                    yield from self.through(extended, at, chain)
            else:
                yield Assignment(chain, key, value, source)


def _preset(
    table: Mapping[str, Any], name: str, where: Mark | None, locate: Locate
) -> Mapping[str, Any]:
    if name not in table or name in RESERVED:
        possible = [str(known) for known in table if known not in RESERVED]
        said = unknown("preset", name, possible)
        if "." in name and not where:  # it stands on a command line, and looks like a key
            said += f" A key is set by {name}=VALUE."
        raise ConfigurationError(said, where=where)
    preset = table[name]
    if preset is None:  # `name:` with nothing below it changes nothing
        return {}
    if not isinstance(preset, dict):
        said = f'the preset "{name}" has to be a mapping (key: value), not a {describe(preset)}'
        raise ConfigurationError(said, where=locate((ROOT, name)))
    return preset


def chosen(table: Mapping[str, Any], locate: Locate = _nowhere) -> list[tuple[str, KeyPath]]:
    """Return the presets that `ci_presets.name`, `names` and `to_apply` choose, and where."""
    return [
        (name, at)
        for choice in CHOICES
        for at, name in _names(table.get(choice), (ROOT, choice), locate)
    ]


def _names(value: Any, source: KeyPath, locate: Locate) -> list[tuple[KeyPath, str]]:
    """Return the names in a null, a name or a list of names, each with its path."""
    if value is None:
        return []
    items = [(source, value)]
    if isinstance(value, list):
        items = [((*source, i), name) for i, name in enumerate(value)]
    for at, name in items:
        if not isinstance(name, str):
            said = f"the name of a preset has to be a text, not {name!r} (a {describe(name)})"
            raise ConfigurationError(said, where=locate(at))
    return items


def positional(values: Mapping[Any, Any]) -> list[str]:
    """Return the presets named by `PR_POSITIONAL_ARG_1`, `_2` … of an overrides file.

    Each value may hold several names with spaces between; `_0` is the name of the test.
    """
    numbered = ((re.fullmatch(r"PR_POSITIONAL_ARG_([1-9][0-9]*)", str(key)), key) for key in values)
    found = sorted((int(match[1]), key) for match, key in numbered if match)
    return [word for _, key in found for word in str(values[key]).split()]
