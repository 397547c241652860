"""Events read back and folded into the tree of what ran within what."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from projects.core.artifacts.journal import Event

MOST_LINE = 1024 * 1024
"""A longer line, in bytes, is no event of ours and is skipped."""

MOST_NOTES = 1000
"""Notes kept per span; later ones are only counted in `notes_left_out`."""

_LATEST = 253_402_300_800
"""The year 10000, in seconds since the epoch."""

BAD = frozenset(("failed", "error", "timeout", "interrupted", "cancelled", "lost"))
"""Outcomes that a reader must know of; the others are passed, skipped and, while alive, running."""


@dataclass(slots=True)
class Note:
    """Something that happened within a span; `at` in seconds since the epoch."""

    at: float
    level: str
    message: str
    data: dict[str, Any]


@dataclass(slots=True)
class Progress:
    """How far a span said that it is; `total` is None where nobody knows."""

    done: float
    total: float | None
    unit: str


@dataclass(slots=True)
class Span:
    """Something that took time.

    `start` and `end` are seconds since the epoch, `seconds` was measured by a monotonic clock;
    `end` and `seconds` are None while it runs and when it was lost. `outcome` is a word of the
    journal, "lost" or "running". `fields` holds what else its two events said.
    """

    id: str
    kind: str
    name: str
    start: float
    dir: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    end: float | None = None
    seconds: float | None = None
    overhead: float = 0.0
    outcome: str = "running"
    error: str = ""
    progress: Progress | None = None
    notes: list[Note] = field(default_factory=list)
    notes_left_out: int = 0
    children: list[Span] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def bad(self) -> bool:
        """Whether it ended in anything but passed or skipped."""
        return self.outcome in BAD

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Span]]:
        """Yield (depth, span) of this span and everything below it, in order of start."""
        stack = [(depth, self)]
        while stack:
            level, span = stack.pop()
            yield level, span
            stack.extend((level + 1, child) for child in reversed(span.children))


@dataclass(slots=True)
class Run:
    """All that one journal tells; `last` is the moment of its last event.

    Several runs may share one artifact directory, even at the same time: `about` is the id of the
    span to tell about, empty for the run that began last.
    """

    roots: list[Span]
    last: float
    about: str = ""

    @property
    def root(self) -> Span:
        """The run that this is about."""
        for span in self.roots:
            if self.about and span.id == self.about:
                return span
        runs = [span for span in self.roots if span.kind == "run"]
        nothing = Span("", "run", "nothing was recorded", 0.0, outcome="lost")
        return (runs or self.roots or [nothing])[-1]

    def walk(self) -> Iterator[tuple[int, Span]]:
        """Yield (depth, span) of every span."""
        for root in self.roots:
            yield from root.walk()

    def seconds(self, span: Span) -> float:
        """Return how long `span` took; of one without an end, until the last event."""
        return span.seconds if span.seconds is not None else max(self.last - span.start, 0.0)


def read_events(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Yield the events of a journal, skipping lines that were cut off or are not ours.

    Errors
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        while line := file.readline(MOST_LINE):
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError, too
                continue
            if isinstance(event, dict) and isinstance(event.get("id"), str):
                yield event


def fold(events: Iterable[Event], *, alive: bool = False) -> Run:
    """Return the tree of `events`; of a run that is not `alive`, a span without an end is lost.

    Events of unknown types, or of spans that never started, are left out. A span without a
    parent (a child process does not know its own) is put below the one in whose directory it ran.
    """
    return _Folding().fold(events, alive=alive)


class _Folding:
    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.by_dir: dict[str, Span] = {}
        self.roots: list[Span] = []
        self.last = 0.0

    def fold(self, events: Iterable[Event], *, alive: bool) -> Run:
        take = {
            "started": self._started,
            "ended": self._ended,
            "progress": self._progress,
            "note": self._note,
        }
        for event in events:
            try:
                at = _moment(event["at"])
                take[event["type"]](event, at)
            except (KeyError, TypeError, ValueError, OverflowError):
                continue  # of a later version, of a span we never saw, or not ours
            self.last = max(self.last, at)
        if not alive:
            for span in self.spans.values():
                if span.outcome == "running":
                    span.outcome = "lost"
        return Run(self.roots, self.last)

    def _started(self, event: Event, at: float) -> None:
        rest = {key: value for key, value in event.items() if key not in ("at", "type")}
        path = rest.pop("dir", None)
        if isinstance(path, str):
            path.encode("utf-8", "surrogateescape")  # what is no path fails here
        span = Span(
            id=rest.pop("id"),
            kind=str(rest.pop("kind")),
            name=str(rest.pop("name")),
            start=at,
            dir=path if isinstance(path, str) else None,
            parameters=_mapping(rest.pop("parameters", None)),
        )
        parent = self.spans.get(rest.pop("parent", None) or "") or self._above(span.dir)
        span.fields = rest
        self.spans[span.id] = span
        (parent.children if parent else self.roots).append(span)
        if span.dir:
            self.by_dir.setdefault(span.dir, span)

    def _above(self, path: str | None) -> Span | None:
        while path and path != ".":
            path = path.rpartition("/")[0]
            if path in self.by_dir:
                return self.by_dir[path]
        return None

    def _ended(self, event: Event, at: float) -> None:
        span = self.spans[event["id"]]
        seconds, overhead = _finite(event["seconds"]), _finite(event.get("overhead", 0.0))
        span.end, span.seconds, span.overhead = at, seconds, overhead
        span.outcome = str(event["outcome"])
        span.error = str(event.get("error", ""))
        known = ("at", "type", "id", "kind", "name", "seconds", "overhead", "outcome", "error")
        span.fields.update({k: v for k, v in event.items() if k not in known})

    def _progress(self, event: Event, _at: float) -> None:
        total = event.get("total")
        self.spans[event["id"]].progress = Progress(
            _finite(event["done"]),
            None if total is None else _finite(total),
            str(event["unit"] or ""),
        )

    def _note(self, event: Event, at: float) -> None:
        span = self.spans[event["id"]]
        if len(span.notes) >= MOST_NOTES:
            span.notes_left_out += 1
            return
        level, message = str(event["level"]), str(event["message"])
        span.notes.append(Note(at, level, message, _mapping(event.get("data"))))


def _moment(text: str) -> float:
    """Return seconds since the epoch that can be shown as a moment again."""
    at = datetime.fromisoformat(text).timestamp()
    if not 0 <= at < _LATEST:
        raise ValueError(f"{text} is no moment of a run")
    return at


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{number} is no measured value")
    return number


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
