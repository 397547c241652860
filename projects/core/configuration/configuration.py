"""The configuration of a run: values in layers, read with their references resolved."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

from projects.core.configuration import document as documents
from projects.core.configuration import presets
from projects.core.configuration.document import Document, KeyPath, plain
from projects.core.configuration.keys import Key, MissingKey, missing, value_at
from projects.core.configuration.layers import (
    Draft,
    Layer,
    OverridesLayer,
    PresetsLayer,
    positional_presets,
    replaced,
)
from projects.core.configuration.provenance import SET, Change, History, Step, step
from projects.core.configuration.references import (
    ReadSecret,
    escape,
    has_references,
    referred,
    resolve,
)
from projects.core.errors import ConfigurationError, Mark
from projects.core.secrets.secret import Secret

__all__ = ["Configuration", "MissingKey", "assemble"]

Paths = set[KeyPath]
Listener = Callable[[str, Any], None]

_DOORS = ("projects.core.configuration.", "projects.core.library.", "contextlib")
_SCALARS = (str, int, float, bool, type(None), bytes, date)


class Configuration:
    """Values with their provenance.

    Reading is safe from any thread, also while another one sets: a set replaces the tree and
    never changes one that somebody may be reading. `listeners` are called with (key, value)
    after each set; `read_keys` collects the keys that were read, referred ones included.
    """

    def __init__(self, source: Document) -> None:
        self.source = source
        self.listeners: list[Listener] = []
        self.read_keys: set[str] = set()
        self.version = 0
        self.presets_applied: list[str] = []
        self._lock = threading.RLock()
        self._history = History(source)
        # The values, and the scalars that were read from them, resolved. Always swapped together.
        self._state: tuple[dict[Any, Any], dict[str, Any]] = (source.mapping("a configuration"), {})

    @classmethod
    def build(
        cls,
        source: Document,
        *,
        layers: Sequence[Layer],
        choose: bool = True,
        stored: Sequence[OverridesLayer] = (),
    ) -> Configuration:
        """Return the values of `source` with `layers`, low to high.

        First come the presets that `source` chooses, unless `choose` is off. Overrides in
        `stored` are not applied but kept, under the key `overrides`.

        Raises
        ------
        ConfigurationError
            A preset or an override does not fit, with its place.

        """
        configuration = cls(source)

        def work(draft: Draft) -> None:
            for layer in stored:
                draft.store(layer)
            if choose:
                draft.apply_layers(layers)
            else:
                draft.lay(layers, [])

        configuration._change(work)
        return configuration

    @property
    def raw(self) -> Mapping[Any, Any]:
        """The values as written, references unresolved. Not to be changed: `set` does that."""
        return self._state[0]

    def get(self, key: str, default: Any = ..., *, read_secret: ReadSecret | None = None) -> Any:
        """Return the first value that `key` matches, its references resolved.

        Containers are copies. `read_secret` is called with the name of a secret's file where a
        `*$@` reference is met.

        Raises
        ------
        MissingKey
            Nothing matches and there is no `default`; it is a KeyError, too.
        SecretError
            A secret is met and `read_secret` is not given.
        ConfigurationError
            A reference leads to nothing or in a circle.

        """
        try:
            return self._state[1][key]
        except KeyError:
            pass
        values, cache = self._state
        parsed = Key.parse(key)
        self.read_keys.add(key)
        paths = parsed.paths(values)
        if paths:
            path = paths[0]
            value = self._resolved(value_at(values, path), path, values, read_secret)
        elif parsed.path is None and (found := parsed.find(values)):  # computed: `len`, sums
            value = found[0]
        elif default is not ...:
            return default
        else:
            raise missing(parsed, values, where=None)
        if read_secret is None and isinstance(value, _SCALARS):
            cache[key] = value
        return value

    def set(self, key: str, value: Any) -> None:
        """Give every place that `key` matches the `value`. References in it stay references.

        Raises
        ------
        ConfigurationError
            Nothing matches (keys are not created), or the value cannot be written as YAML.

        """
        value = plain(value, key)
        self._give(Key.parse(key), Change(value, SET, SET, word=_caller()))
        self._tell(key, value)

    def _give(self, key: Key, change: Change) -> list[tuple[KeyPath, Any]]:
        """Make `change` at every match of `key`; return the places and what they had."""
        with self._lock:
            values = self._state[0]
            before = [(path, value_at(values, path)) for path in key.places(values)]
            if not before:
                raise missing(key, values)
            for path, _ in before:
                values = replaced(values, path, change.value)
                self._history.add(path, change)
            self._state = (values, {})
            self.version += 1
        return before

    @contextmanager
    def temporary(self, key: str, value: Any) -> Iterator[None]:
        """Set `key` to `value`, and at the end give each place back what it had, references too."""
        value = plain(value, key)
        change = Change(value, SET, SET, word=_caller())
        before = self._give(Key.parse(key), change)
        self._tell(key, value)
        try:
            yield
        finally:
            self._give_back(before, change)
            self._tell(key, before[0][1])

    def _give_back(self, before: list[tuple[KeyPath, Any]], change: Change) -> None:
        with self._lock:
            values = self._state[0]
            for path, old in before:
                try:
                    value_at(values, path)
                except (KeyError, IndexError, TypeError):
                    continue  # what held it was replaced meanwhile
                values = replaced(values, path, old)
                if not self._history.take_back(path, change):
                    self._history.add(path, replace(change, value=old))
            self._state = (values, {})
            self.version += 1

    def apply_preset(self, name: str, layer: str = "apply_preset") -> None:
        """Apply a preset now, over everything; all of it or, on an error, nothing."""
        self._change(lambda draft: self._apply_one(draft, name, layer))

    @staticmethod
    def _apply_one(draft: Draft, name: str, layer: str) -> None:
        draft.apply_preset(name, layer)
        names = draft.presets_table().get("names") or []
        draft.record_names([*([names] if isinstance(names, str) else names), name])

    def _change(self, work: Callable[[Draft], None]) -> None:
        with self._lock:
            draft = Draft(self._state[0], self._history.copy())
            work(draft)
            self._history = draft.history
            self._state = (draft.values, {})
            self.version += 1
        for applied in draft.applied:
            said = f"preset[{applied.presets[-1]}] {applied.key} --> {applied.value}"
            self.presets_applied.append(said if "\n" not in said else ascii(said)[1:-1])
        if self.listeners:
            for applied in draft.applied:
                self._tell(applied.key, applied.value)

    def _tell(self, key: str, value: Any) -> None:
        for listener in self.listeners:
            listener(key, value)

    def explain(self, key: str) -> list[Step]:
        """Return why `key` has its value.

        The value in force comes first, with the references it makes; then the values it had
        before (`overridden`), newest first; then, of a container, the changes below it.
        """
        parsed = Key.parse(key)
        with self._lock:
            values = self._state[0]
            paths = parsed.paths(values)
            if not paths:
                raise missing(parsed, values)
            steps: list[Step] = []
            for path in paths:
                first, *others = self._history.steps(path)
                steps += [first, *self._referred(value_at(values, path), values, {path}), *others]
        return steps

    def _referred(self, value: Any, values: Any, seen: Paths) -> Iterator[Step]:
        if not isinstance(value, str) or not has_references(value):
            return
        for text in referred(value):
            for path in Key.parse(text).paths(values)[:1]:
                if path not in seen:
                    seen.add(path)
                    change, below = self._history.latest(path)
                    yield step(path, change, below, via=value)
                    yield from self._referred(value_at(values, path), values, seen)

    def mark(self, path: KeyPath) -> Mark | None:
        """Return where the key at `path`, as it is now, is written; None for a set or a word."""
        with self._lock:
            return self._history.mark(path)

    def _resolved(
        self, value: Any, path: KeyPath, values: Any, read_secret: ReadSecret | None
    ) -> Any:
        if isinstance(value, str) and "@" not in value:
            return value
        return resolve(
            values,
            value,
            read_secret,
            path=path,
            locate=self._history.value_mark,
            reached=self.read_keys,
        )

    def resolved(self, *, mask_secrets: bool = True) -> dict[Any, Any]:
        """Return a copy that can be written, and read again with the same meaning.

        References are resolved and literal @ escaped. What needs a secret (`*$@key`) or cannot
        be resolved stays as it is written; so does `ci_presets`, whose values count only when
        they are applied. Values of the type Secret become ``***`` unless `mask_secrets` is off.
        """
        hide = (lambda _secret: "***") if mask_secrets else escape
        values = _without_secrets(self._state[0], hide)

        def copied(value: Any, path: KeyPath) -> Any:
            if isinstance(value, dict):
                return {key: copied(item, (*path, key)) for key, item in value.items()}
            if isinstance(value, list):
                return [copied(item, (*path, i)) for i, item in enumerate(value)]
            if isinstance(value, str) and has_references(value):
                try:
                    return escape(resolve(values, value, path=path))
                except ConfigurationError:
                    return value
            return value

        return {
            key: value if key == presets.ROOT else copied(value, (key,))
            for key, value in values.items()
        }

    @staticmethod
    def dump(resolved: Mapping[Any, Any]) -> str:
        """Return values as YAML, keys in their order."""
        return documents.dump(resolved)


def assemble(
    source: Document,
    *,
    repository_overrides: Document | None = None,
    artifact_overrides: Document | None = None,
    pr_presets: bool = False,
    selected_presets: Sequence[str] = (),
    cli_presets: Sequence[str] = (),
    cli_overrides: Iterable[tuple[str, Any, str]] = (),
    resolved: bool = False,
    store_only: bool = False,
) -> Configuration:
    """Return the configuration of a run, from all its layers.

    Low to high: `source`, the presets it chooses, its `ci_presets.variable_overrides`, the
    overrides file of the repository, the presets of the pull request, the overrides file of the
    artifact directory, the presets that `configure` has selected, the presets and then the
    overrides of the command line, each a tuple of key, value and the word as it was typed.

    Parameters
    ----------
    pr_presets
        The words in `PR_POSITIONAL_ARG_1`, `_2` … of the overrides files are presets.
    resolved
        `source` was written by a run: only the layers from `configure` on are laid.
    store_only
        As `resolved`, and the overrides files are kept as values, under the key `overrides`.

    Raises
    ------
    ConfigurationError
        A preset or an override does not fit, with its place.

    """
    files = [
        OverridesLayer.of_document(name, document)
        for name, document in (
            ("repository overrides", repository_overrides),
            ("artifact overrides", artifact_overrides),
        )
        if document
    ]
    command_line: list[Layer] = [
        PresetsLayer("configure", selected_presets),
        PresetsLayer("command line", cli_presets),
        OverridesLayer.of_words("command line", cli_overrides),
    ]
    if resolved or store_only:
        return Configuration.build(
            source, layers=command_line, stored=files if store_only else (), choose=False
        )
    layers: list[Layer] = [*files, *command_line]
    if pr_presets:
        words = PresetsLayer("pull request", positional_presets(files))
        layers.insert(1 if repository_overrides else 0, words)
    return Configuration.build(source, layers=layers)


def _without_secrets(value: Any, hide: Callable[[str], str]) -> Any:
    """Return a copy of `value` with what `hide` makes of each Secret in it."""
    if isinstance(value, dict):
        return {key: _without_secrets(item, hide) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_secrets(item, hide) for item in value]
    return hide(str(value)) if isinstance(value, Secret) else value


def _caller() -> str:
    """Return ``file:line`` of the first frame outside of the configuration and its door."""
    frame = sys._getframe(2)  # noqa: SLF001 (inspect takes milliseconds for the same)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_DOORS):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
