"""What is running now, as the journal's events tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.core.artifacts.history import below

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.core.artifacts.journal import Event


@dataclass(slots=True)
class Row:
    """A running span; moments are seconds of a monotonic clock."""

    id: str
    kind: str
    name: str
    path: str
    depth: int
    began: float
    parent: Row | None
    label: str
    """What to call it: the name, unless that does not tell it from its siblings."""
    children: dict[str, Row] = field(default_factory=dict)
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    first: tuple[float, float] | None = None
    """Moment and amount of the first progress event: the rate is counted from there."""
    heard: float = 0.0
    """Moment of the last progress event."""

    def rate(self) -> float | None:
        """Return the progress per second so far, or None before it can be told."""
        if self.first is None or self.heard <= self.first[0] or self.done <= self.first[1]:
            return None
        return (self.done - self.first[1]) / (self.heard - self.first[0])

    def left(self, now: float, history: Mapping[str, float]) -> float | None:
        """Return the seconds that are left: by its progress, else by earlier runs, else None."""
        rate = self.rate()
        if rate is not None and self.total is not None:
            return max((self.total - self.done) / rate - (now - self.heard), 0.0)
        usual = history.get(self.path)
        return None if usual is None or now - self.began > usual else usual - (now - self.began)


class Board:
    """The tree of running spans, and how many of the others passed or not."""

    def __init__(self) -> None:
        self.top: dict[str, Row] = {}
        self.passed = 0
        self.bad = 0
        self._rows: dict[str, Row] = {}

    def start(self, event: Event, now: float) -> Row:
        """Add the span that `event` starts."""
        parent = self._rows.get(event.get("parent") or "")
        kind, name = str(event["kind"]), str(event["name"])
        path = "" if kind == "run" else below(parent.path if parent else "", name)
        depth = parent.depth + 1 if parent else 0
        label = str(event.get("label") or name)
        row = Row(event["id"], kind, name, path, depth, now, parent, label)
        (parent.children if parent else self.top)[row.id] = row
        self._rows[row.id] = row
        return row

    def progress(self, event: Event, now: float) -> None:
        """Note how far a span says that it is."""
        row = self._rows.get(event["id"])
        if row is None:
            return
        row.done, row.unit, row.heard = float(event["done"]), str(event.get("unit") or ""), now
        row.total = None if event.get("total") is None else float(event["total"])
        row.first = row.first or (now, row.done)

    def end(self, event: Event) -> Row | None:
        """Remove the span that `event` ends and return it; None for one that never started."""
        row = self._rows.pop(event["id"], None)
        if row is None:
            return None
        (row.parent.children if row.parent else self.top).pop(row.id, None)
        if row.kind not in ("process", "run"):
            good = event["outcome"] in ("passed", "skipped")
            self.passed += good
            self.bad += not good
        return row

    def find(self, identity: str) -> Row | None:
        """Return the running span with this id."""
        return self._rows.get(identity)
