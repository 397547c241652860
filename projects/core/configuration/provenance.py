"""Provenance: which layer gave each value, and where that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.configuration.keys import format_path, value_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.configuration.document import Document, KeyPath, Origin
    from projects.core.errors import Mark

DEFAULT, PRESET, OVERRIDE, SET, REFERENCE = "default", "preset", "override", "set", "reference"
"""The kinds of a step."""

MAX_SETS = 32
"""How many of the changes that a program makes to one key are remembered."""

MAX_SHOWN = 200
"""How many characters of a value a step shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value given to one place, and who gave it.

    It is written in `document` at the path `source`, or `word` says where it comes from.
    """

    value: Any
    kind: str
    layer: str
    presets: tuple[str, ...] = ()
    document: Document | None = None
    source: KeyPath = ()
    word: str = ""

    def origin(self, below: KeyPath = ()) -> Origin | None:
        """Return where the value is written, or a part of it: what is at `below` inside of it."""
        return self.document.origin((*self.source, *below)) if self.document else None

    def place(self, below: KeyPath = ()) -> str:
        """Return where the value comes from, for a person."""
        return self.word or str(self.origin(below) or self.layer)


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the explanation of a key: a value it has or had, and why.

    `kind` is default, preset, override, set or reference; `layer` names the layer; `presets` is
    the chosen preset, those it extends, and last the one that says the value; `origin` is
    ``file:line:column`` or the word of the command line; `overridden` values are out of force.
    Of a reference, `via` is the text that refers to this key.
    """

    key: str
    value: Any
    kind: str
    layer: str
    presets: tuple[str, ...]
    origin: str
    where: Mark | None = None
    overridden: bool = False
    via: str = ""

    def __str__(self) -> str:
        said = f"{self.key}={shown(self.value)}"
        if self.via:
            said += f' <- reference "{self.via}"'
        if self.presets:
            *chain, last = self.presets
            said += f" <- preset {last} ({self.origin})"
            said += "".join(f" <- extended by {name}" for name in reversed(chain))
            said += f" <- {self.layer}"
        elif self.layer in ("default", self.origin):
            said += f" <- {self.origin}"
        else:
            said += f" <- {self.layer} ({self.origin})"
        return said + (" [overridden]" if self.overridden else "")


def shown(value: Any) -> str:
    """Return `value` as one short line of JSON; a Secret is shown as ``***``."""
    import json

    try:
        said = json.dumps(_showable(value), ensure_ascii=False, default=str)
    except (TypeError, ValueError):  # a key or a number that JSON has no word for
        said = str(value)
    return said if len(said) <= MAX_SHOWN else said[: MAX_SHOWN - 1] + "…"


def _showable(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _showable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_showable(item) for item in value]
    return "***" if isinstance(value, str) and type(value) is not str else value


class History:
    """Every change since the document was read, by path; the trees themselves are not kept."""

    def __init__(self, base: Document) -> None:
        self.base = base
        self._changes: dict[KeyPath, list[tuple[int, Change]]] = {}
        self._count = 0

    def copy(self) -> History:
        """Return a history that can go on without touching this one."""
        other = History(self.base)
        other._changes = {path: list(changes) for path, changes in self._changes.items()}
        other._count = self._count
        return other

    def add(self, path: KeyPath, change: Change) -> None:
        """Remember that `change` was made at `path`."""
        self._count += 1
        changes = self._changes.setdefault(path, [])
        changes.append((self._count, change))
        if len(changes) > MAX_SETS and change.kind == SET:
            sets = [i for i, (_, old) in enumerate(changes) if old.kind == SET]
            if len(sets) > MAX_SETS:
                del changes[sets[0]]

    def take_back(self, path: KeyPath, change: Change) -> bool:
        """Forget `change` at `path`; return False when it is not the one in force there."""
        if self.latest(path)[0] is not change:
            return False
        changes = self._changes[path]
        changes.pop()
        if not changes:
            del self._changes[path]
        return True

    def latest(self, path: KeyPath) -> tuple[Change, KeyPath]:
        """Return the change in force at `path`, and the path inside of its value."""
        number, found, below = 0, None, path
        for length in range(len(path) + 1):
            changes = self._changes.get(path[:length])
            if changes and changes[-1][0] > number:
                number, found = changes[-1]
                below = path[length:]
        return (found, below) if found else (self._default(), path)

    def _default(self) -> Change:
        return Change(self.base.values, DEFAULT, DEFAULT, document=self.base)

    def mark(self, path: KeyPath) -> Mark | None:
        """Return where the key at `path`, as it is now, is written."""
        change, below = self.latest(path)
        origin = change.origin(below)
        return origin.key if origin else None

    def value_mark(self, path: KeyPath) -> Mark | None:
        """Return where the value at `path`, as it is now, is written."""
        change, below = self.latest(path)
        origin = change.origin(below)
        return origin.value if origin else None

    def source(self, path: KeyPath) -> tuple[Document | None, KeyPath, str]:
        """Return the document and the path in it where `path` is written, or the word."""
        change, below = self.latest(path)
        return change.document, (*change.source, *below), change.word

    def steps(self, path: KeyPath) -> list[Step]:
        """Return the values `path` has had, the one in force first, then those of its parts."""
        found = sorted(self._above(path), key=lambda item: item[0], reverse=True)
        steps = [
            step(path, change, below, overridden=i > 0)
            for i, (_, change, below) in enumerate(found)
        ]
        newest = found[0][0] if found else 0
        for below_path, changes in self._changes.items():
            if len(below_path) > len(path) and below_path[: len(path)] == path:
                number, change = changes[-1]
                if number > newest and self.latest(below_path)[0] is change:
                    steps.append(step(below_path, change, ()))
        return steps

    def _above(self, path: KeyPath) -> Iterator[tuple[int, Change, KeyPath]]:
        """Yield every change that gave `path` a value, with its number, the default as 0."""
        every = [((), (0, self._default()))]
        for length in range(len(path) + 1):
            every += [(path[:length], item) for item in self._changes.get(path[:length], ())]
        for at, (number, change) in every:
            below = path[len(at) :]
            try:
                value_at(change.value, below)
            except (KeyError, IndexError, TypeError):  # that value had no such part
                continue
            yield number, change, below


def step(
    path: KeyPath, change: Change, below: KeyPath, *, overridden: bool = False, via: str = ""
) -> Step:
    """Return the step for what `change` says about `path`, at `below` inside of its value."""
    origin = change.origin(below)
    return Step(
        format_path(path),
        value_at(change.value, below),
        REFERENCE if via else change.kind,
        change.layer,
        change.presets,
        change.place(below),
        where=origin.key if origin else None,
        overridden=overridden,
        via=via,
    )
