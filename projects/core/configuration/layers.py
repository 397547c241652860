"""Layers: presets and overrides laid over the values of a document, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration import presets
from projects.core.configuration.document import describe
from projects.core.configuration.keys import Key, missing, value_at
from projects.core.configuration.provenance import OVERRIDE, PRESET, Change, History
from projects.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projects.core.configuration.document import Document, KeyPath
    from projects.core.errors import Mark


_PRESETS_KEY = re.compile(rf"(\$\.?)?{presets.ROOT}(?![\w-])")
_NEW_KEY = re.compile(r"[\w-]+\Z")


@dataclass(frozen=True, slots=True)
class PresetsLayer:
    """Presets to apply, in order; `name` says who chose them ("command line" …)."""

    name: str
    presets: Sequence[str]


@dataclass(frozen=True, slots=True)
class Override:
    """One value for one key, and where that is written: in a document, or as a word."""

    key: str
    value: Any
    document: Document | None = None
    source: KeyPath = ()
    word: str = ""

    @property
    def where(self) -> Mark | None:
        """The place of the key, when it is in a document."""
        return self.document.origin(self.source).key if self.document else None


@dataclass(frozen=True, slots=True)
class OverridesLayer:
    """Overrides in order; `may_create` lets a key without dots be new."""

    name: str
    overrides: Sequence[Override]
    may_create: bool = False

    @classmethod
    def of_document(cls, name: str, document: Document) -> OverridesLayer:
        """Return the layer of an overrides file: a mapping of keys to values."""
        values = document.mapping("a file of overrides")
        for key in values:
            if not isinstance(key, str):
                said = f"the key of an override has to be a text, not {key!r} (a {describe(key)})"
                raise ConfigurationError(said, where=document.origin((key,)).key)
        found = [Override(key, value, document, (key,)) for key, value in values.items()]
        return cls(name, found, may_create=True)

    @classmethod
    def of_words(cls, name: str, words: Iterable[tuple[str, Any, str]]) -> OverridesLayer:
        """Return the layer of (key, value, word as typed)."""
        return cls(name, [Override(key, value, word=f'"{word}"') for key, value, word in words])


Layer = PresetsLayer | OverridesLayer


class Draft:
    """Values while layers are laid over them. Trees are never changed in place, only replaced."""

    def __init__(self, values: dict[Any, Any], history: History) -> None:
        self.values = values
        self.history = history
        self.applied: list[presets.Assignment] = []

    def put(self, path: KeyPath, change: Change) -> None:
        """Give the place at `path` the value of `change`."""
        self.values = replaced(self.values, path, change.value)
        self.history.add(path, change)

    def presets_table(self) -> Mapping[str, Any]:
        """Return `ci_presets` as it is now."""
        table = self.values.get(presets.ROOT)
        if table is None:
            return {}
        if not isinstance(table, dict):
            said = f"{presets.ROOT} has to be a mapping of presets, not a {describe(table)}"
            raise ConfigurationError(said, where=self.history.mark((presets.ROOT,)))
        return table

    def apply_preset(self, name: str, layer: str, asked: KeyPath | None = None) -> None:
        """Apply the preset `name` and those it extends; `asked` is where its name is written."""
        walk = presets.Walk(self.presets_table, self.history.mark)
        for assignment in walk.through(name, asked):
            document, source, word = self.history.source(assignment.source)
            change = Change(
                assignment.value, PRESET, layer, assignment.presets, document, source, word
            )
            for path in self.paths_of_assignment(assignment):
                self.put(path, change)
            self.applied.append(assignment)

    def paths_of_assignment(self, assignment: presets.Assignment) -> list[KeyPath]:
        """Return the places a preset sets."""
        where = self.history.mark(assignment.source)
        said = f'preset "{assignment.presets[-1]}"'
        return self._existing(assignment.key, where, said)

    def _existing(self, text: str, where: Mark | None, said: str) -> list[KeyPath]:
        """Return the places of a key; `where` and `said` name the culprit if there are none."""
        try:
            key = Key.parse(text)
            paths = key.places(self.values)
            if not paths:
                raise missing(key, self.values)
        except ConfigurationError as error:
            message = f"{said}: {error.message}" if said else error.message
            raise type(error)(message, where=where) from error
        return paths

    def apply_override(self, override: Override, layer: str, *, may_create: bool = False) -> None:
        """Apply one override to all places it matches."""
        change = Change(
            override.value, OVERRIDE, layer, (), override.document, override.source, override.word
        )
        for path in self.paths_of(override, may_create=may_create):
            self.put(path, change)

    def paths_of(self, override: Override, *, may_create: bool) -> list[KeyPath]:
        """Return the places an override sets; a new one only where that is allowed."""
        if may_create and _NEW_KEY.match(override.key) and override.key not in self.values:
            return [(override.key,)]
        return self._existing(override.key, override.where, override.word)

    def apply_layers(self, layers: Sequence[Layer]) -> None:
        """Apply the presets the values choose, their `variable_overrides`, and then `layers`.

        Overrides of `ci_presets` are applied before as well, so that they can choose presets.
        """
        for layer in layers:
            if isinstance(layer, OverridesLayer):
                self._apply_early(layer)
        chosen = presets.chosen(self.presets_table(), self.history.mark)
        for name, asked in chosen:
            self.apply_preset(name, f"{presets.ROOT}.{asked[1]}", asked)
        self._apply_own_overrides()
        self.lay(layers, [name for name, _ in chosen])

    def lay(self, layers: Sequence[Layer], names: list[str]) -> None:
        """Apply `layers`, low to high, and record the applied presets after `names`."""
        for layer in layers:
            if isinstance(layer, PresetsLayer):
                for name in layer.presets:
                    self.apply_preset(name, layer.name)
                    names.append(name)
            else:
                self._apply_overrides(layer)
        self.record_names(names)

    def record_names(self, names: Sequence[str]) -> None:
        """Write the applied presets to `ci_presets.names`, if it exists, as programs read it."""
        path = (presets.ROOT, "names")
        applied = list(dict.fromkeys(names))
        if applied and self.presets_table().get("names", applied) != applied:
            self.put(path, Change(applied, PRESET, "presets that were applied"))

    def store(self, layer: OverridesLayer) -> None:
        """Keep the overrides of a layer as values, under the key `overrides`."""
        kept = self.values.get("overrides")
        value = {**(kept if isinstance(kept, dict) else {})}
        value.update((override.key, override.value) for override in layer.overrides)
        self.put(("overrides",), Change(value, OVERRIDE, layer.name))

    def _apply_early(self, layer: OverridesLayer) -> None:
        for override in layer.overrides:
            if _PRESETS_KEY.match(override.key):
                self.apply_override(override, layer.name)

    def _apply_overrides(self, layer: OverridesLayer) -> None:
        for override in layer.overrides:
            paths = self.paths_of(override, may_create=layer.may_create)
            early = all(path[0] == presets.ROOT for path in paths)
            if early and all(value_at(self.values, path) == override.value for path in paths):
                continue
            self.apply_override(override, layer.name, may_create=layer.may_create)

    def _apply_own_overrides(self) -> None:
        path = (presets.ROOT, presets.OVERRIDES)
        own = self.presets_table().get(presets.OVERRIDES)
        if own is None:
            return
        if not isinstance(own, dict):
            said = f"{'.'.join(path)} has to be a mapping of keys to values, not a {describe(own)}"
            raise ConfigurationError(said, where=self.history.mark(path))
        for key, value in own.items():
            document, source, word = self.history.source((*path, key))
            override = Override(str(key), value, document, source, word)
            self.apply_override(override, ".".join(path))


def positional_presets(layers: Sequence[OverridesLayer]) -> list[str]:
    """Return the presets that `PR_POSITIONAL_ARG_1`, `_2` … name; a later layer's count alone."""
    values = {override.key: override.value for layer in layers for override in layer.overrides}
    return presets.positional(values)


def replaced(container: Any, path: KeyPath, value: Any) -> Any:
    """Return a copy of `container` with `value` at `path`; what is not on the way is shared."""
    copy = container.copy()
    inner = copy
    for part in path[:-1]:
        inner[part] = inner[part].copy()
        inner = inner[part]
    inner[path[-1]] = value
    return copy
