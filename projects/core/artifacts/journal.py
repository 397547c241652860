"""The journal of a run: one JSON line per event, appended, masked, safe against kill -9."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from projects.core import errors
from projects.core.artifacts.ambient import Ambient
from projects.core.artifacts.complaints import complain
from projects.core.artifacts.plain import plain

if TYPE_CHECKING:
    from types import TracebackType

    from projects.core.artifacts.ambient import Entry

Event = dict[str, Any]
"""One line of the journal; docs/reference/artifacts.md lists the keys."""

Listener = Callable[[Event], None]

MOST_LINE = 64 * 1024
"""An event with a longer line, in bytes, loses its parameters and data."""

MOST_ITEMS, MOST_TEXT = 200, 4000
"""Bounds of every container and text within an event; complete values are in metadata.yaml."""

PROGRESS_INTERVAL = 0.1
"""Seconds between two progress events of one span."""

_OURS = frozenset(("at", "type", "id", "parent", "kind", "dir", "pid", "seconds", "overhead"))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_journals: Ambient[Journal] = Ambient("journal")
_spans: Ambient[Span] = Ambient("span")


class Journal:
    """Append events to the file `path`, from any thread, beside any other process.

    Each event is one `write` on a descriptor that appends, so that lines never mix and a killed
    process leaves at most one cut line at the end, which readers skip; a new writer begins on a
    fresh line. A disk that refuses is said once, and the run goes on. `listeners` are called with
    each event in the thread that wrote it; one that raises is dropped, and that is said once.
    Use it in `with` to make it the current one.

    Errors
    ------
    InfrastructureError
        The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self.root = os.path.dirname(self.path)
        self.listeners: list[Listener] = []
        self._entry: Entry[Journal] | None = None
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._descriptor: int | None = os.open(self.path, flags, 0o666)
        except OSError as error:
            raise errors.unreadable(self.path, error) from error
        size = os.fstat(self._descriptor).st_size
        self._torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"

    def __enter__(self) -> Self:
        self._entry = _journals.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._entry is not None:
            _journals.leave(self._entry)
        self.close()

    def write(self, event: Event) -> None:
        """Mask, bound and append `event`, then tell the listeners."""
        event = {
            key: value if key in _OURS else plain(value, most_items=MOST_ITEMS, most_text=MOST_TEXT)
            for key, value in event.items()
        }
        self._append(_line(event))
        for listener in tuple(self.listeners):
            try:
                listener(event)
            except Exception as error:
                complain("a listener of the journal failed and is left out from here on", error)
                if listener in self.listeners:
                    self.listeners.remove(listener)

    def close(self) -> None:
        """Close the file; later events reach only the listeners."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            return
        if self._torn:
            line = b"\n" + line
        try:
            # Never retried in parts: the rest of a cut line could land after another's.
            self._torn = os.write(self._descriptor, line) != len(line)
            if self._torn:
                complain(f"{self.path} is incomplete", "the disk is full")
        except OSError as error:
            complain(f"{self.path} is incomplete", error)


def _line(event: Event) -> bytes:
    line = _encode(event).encode("utf-8", "backslashreplace") + b"\n"
    if len(line) <= MOST_LINE:
        return line
    note = f"{len(line)} bytes, too large for the journal"
    for key in event:
        if isinstance(event[key], dict | list):
            event[key] = {"…": note}
    return _encode(event).encode("utf-8", "backslashreplace") + b"\n"


def current() -> Journal | None:
    """Return the journal of this context (same rule as the artifact directory), or None."""
    return _journals.get()


class Span:
    """Something that takes time: `started` on enter, `ended` with its outcome on exit.

    The outcome follows from the exception (`errors.outcome_of`); `end_fields` adds keys to the
    `ended` event, or overrides its outcome. `overhead` collects the toolkit's own seconds
    in it: what the journal costs is added by itself, the rest by who spends it.
    """

    __slots__ = (
        "_began",
        "_entry",
        "_fields",
        "_pending",
        "_said_at",
        "end_fields",
        "id",
        "journal",
        "kind",
        "name",
        "overhead",
        "parent",
    )

    def __init__(
        self, journal: Journal, kind: str, name: str, fields: dict[str, Any], began: float = 0.0
    ) -> None:
        self.journal = journal
        self._fields = fields
        self._entry: Entry[Span] | None = None
        self._pending: Event | None = None
        self._said_at, self._began = 0.0, began
        self.id = _new_id()
        self.kind = kind
        self.name = name
        self.parent: Span | None = None
        self.end_fields: dict[str, Any] = {}
        self.overhead = 0.0

    def __enter__(self) -> Self:
        now = time.perf_counter()
        self._began = self._began or now
        parent = _spans.get()
        if parent is not None and parent.journal is self.journal:
            self.parent = parent
        fields = self._fields
        if "dir" in fields:
            fields["dir"] = _relative(fields["dir"], self.journal.root)
        event = self._event("started")
        event["parent"] = self.parent.id if self.parent else None
        event["kind"] = self.kind
        event["name"] = self.name
        event["pid"] = os.getpid()
        event.update(fields)
        self.journal.write(event)
        self._entry = _spans.enter(self)
        self.overhead += time.perf_counter() - now
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        now = time.perf_counter()
        if self._entry is not None:
            _spans.leave(self._entry)
        if self._pending is not None:
            self.journal.write(self._pending)
        event = self._event("ended")
        event["kind"] = self.kind
        event["name"] = self.name
        event["outcome"] = "passed" if error is None else errors.outcome_of(error)
        event["seconds"] = round(now - self._began, 6)
        event["overhead"] = round(self.overhead, 6)
        if error is not None and event["outcome"] != "passed":
            event["error"] = errors.one_line(error)
        event.update(self.end_fields)
        self.journal.write(event)
        if self.parent is not None:
            # Our last line can't tell its own cost. A lost update among threads costs microseconds.
            self.parent.overhead += time.perf_counter() - now

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Say how far it is; at most ten a second are written, the last one always."""
        event = self._event("progress")
        event["done"], event["total"], event["unit"] = done, total, unit
        now = time.monotonic()
        if now - self._said_at < PROGRESS_INTERVAL:
            self._pending = event
            return
        self._said_at, self._pending = now, None
        self.journal.write(event)

    def note(self, message: str, level: str = "info", **data: Any) -> None:
        """Write down something that happened within: a retry, a preset, a changed setting."""
        event = self._event("note")
        event["level"], event["message"], event["data"] = level, message, data
        self.journal.write(event)

    def _event(self, kind: str) -> Event:
        return {"at": utc_now(), "type": kind, "id": self.id}


class NoSpan:
    """A span outside of any journal: everything it is told is forgotten."""

    __slots__ = ("overhead",)
    id = kind = name = ""
    parent = None

    def __init__(self) -> None:
        self.overhead = 0.0

    @property
    def end_fields(self) -> dict[str, Any]:
        """A dictionary that nobody reads."""
        return {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def progress(self, done: float, total: float | None = None, unit: str = "") -> None:
        """Forget it."""

    def note(self, message: str, level: str = "info", **data: Any) -> None:
        """Forget it."""


_NO_SPAN = NoSpan()


def span(kind: str, name: str, *, began: float = 0.0, **fields: Any) -> Span | NoSpan:
    """Return a span of the current journal, to be entered by `with`.

    `kind` is run, entrypoint, command, step, task, process or export. `fields` go into
    the `started` event: `dir` (a path, written relative to the journal's directory), `parameters`.
    `began` (of `time.perf_counter`) says that it began before it is entered.
    """
    journal = _journals.get()
    return _NO_SPAN if journal is None else Span(journal, kind, name, fields, began)


def current_span() -> Span | None:
    """Return the innermost span entered in this context, or None."""
    return _spans.get()


def note(message: str, level: str = "info", **data: Any) -> None:
    """Write a note into the innermost span; without a span, do nothing."""
    innermost = _spans.get()
    if innermost is not None:
        innermost.note(message, level, **data)


def utc_now() -> str:
    """Return this moment as the journal writes it: 2026-11-20T13:00:00.000000Z."""
    return datetime.now(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _relative(path: str | os.PathLike[str] | None, root: str) -> str | None:
    if path is None:
        return None
    text = os.fspath(path)
    if text == root:
        return "."
    return text[len(root) + 1 :] if text.startswith(root + "/") else text


class _Ids:
    """Eight hexadecimal digits per span: counted from a random start, so none repeats within."""

    def __init__(self) -> None:
        self.pid = 0
        self.counter = itertools.count()

    def next(self) -> str:
        if self.pid != os.getpid():  # the first, or a forked child: it must not count on with us
            self.counter = itertools.count(int.from_bytes(os.urandom(4), "big"))
            self.pid = os.getpid()
        return f"{next(self.counter) & 0xFFFFFFFF:08x}"


_new_id = _Ids().next
