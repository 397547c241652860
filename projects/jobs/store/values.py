"""What goes into the store and comes out of it, beside the entities: frozen values."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from projects.core.errors import UsageError
from projects.jobs.model.entities import Event, OnRestart, Process, Submission, Upload, Usage
from projects.jobs.model.states import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")

MOST_ITEMS = 1000
"""Items of one page."""

MOST_JOBS = 100_000
"""Jobs of one submission."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is to be kept; everything was validated before."""

    tool: str
    params: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    on_restart: OnRestart = "rerun"
    resources: Sequence[str] = ()
    limits: Mapping[str, int | float] = field(default_factory=dict)
    spec_digest: str = ""


@dataclass(frozen=True, slots=True)
class Parent:
    """The attempt of a job from inside which a submission is sent."""

    number: int
    id: str
    attempt: int


MOST_BELOW = 64
"""So many submissions of one job that haven't ended."""


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """Jobs that are to be kept, in their order; by default `created` is now, `rank` `created`.

    `id`: what it will be called, for who has to write it down before; empty: one is made.
    """

    owner: str
    jobs: Sequence[NewJob]
    note: str = ""
    parallel: int | None = None
    priority: int = 0
    created: int | None = None
    rank: int | None = None
    parent: Parent | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was kept: the ids of the jobs in the order given; their numbers count from `first`."""

    submission: Submission
    first: int
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of news about one attempt of a job; what is None stays as it is.

    `state` None changes no state: the event is then of the type `type`, for example "upload".
    `restart` begins the next attempt: state NEW, and nothing is left of what the last one was
    (its events stay); `attempt` is the one that is over.
    `processes` and `uploads` are kept in the same transaction; both may come again.
    """

    number: int
    attempt: int
    at: int
    state: State | None = None
    reason: str = ""
    outcome: Outcome | None = None
    return_code: int | None = None
    signal: int | None = None
    started: int | None = None
    finished: int | None = None
    pid: int | None = None
    start_ticks: int | None = None
    boot_id: str | None = None
    usage: Usage | None = None
    restart: bool = False
    type: str = "state"
    data: Mapping[str, Any] = field(default_factory=dict)
    processes: Sequence[Process] = ()
    uploads: Sequence[Upload] = ()


class Queued(NamedTuple):
    """A submission in the queue: how many of its jobs wait, and whether others are further."""

    number: int
    waiting: int
    begun: bool


class Why(StrEnum):
    """Why a change was not taken; none of them is an error of the one who brought the news."""

    UNKNOWN = "no such job"
    STALE = "of another attempt"
    LATE = "the job is already there or further"
    FAILED = "it can't be recorded"
    """Said by the engine, of a change that makes the store fail while it takes others."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A change that was left out, and the attempt and state that the job has instead."""

    change: Change
    why: Why
    attempt: int = 0
    state: State | None = None


class Phase(StrEnum):
    """Where a submission is, as its jobs say."""

    PENDING = "pending"
    """All of its jobs wait, none ever began."""
    RUNNING = "running"
    DONE = "done"
    """None will begin any more, all have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionView(Submission):
    """A submission with what its jobs are doing; the jobs have the numbers `first` … `last`.

    `counts` has the states and `outcomes` the outcomes that are there at least once;
    `finished` is the moment at which it became done.
    """

    first: int
    phase: Phase
    counts: Mapping[State, int]
    outcomes: Mapping[Outcome, int]
    finished: int | None = None

    @property
    def last(self) -> int:
        """The number of the last job."""
        return self.first + self.jobs - 1

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return sum(self.counts.get(state, 0) for state in State if state < State.STARTING)

    @property
    def live(self) -> int:
        """How many jobs may have a process."""
        return sum(
            self.counts.get(state, 0) for state in State if State.STARTING <= state < State.DONE
        )


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs: all that fit every field that is given; several values in a field mean "or".

    `submission` is a number or an id; `since` ≤ created < `until`, in µs. Across a clock that was
    set back these two follow the order of arrival rather than the clock.
    """

    states: Sequence[State] = ()
    outcomes: Sequence[Outcome] = ()
    tools: Sequence[str] = ()
    owners: Sequence[str] = ()
    submission: int | str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class SubmissionFilter:
    """Which submissions; as `JobFilter`."""

    phases: Sequence[Phase] = ()
    owners: Sequence[str] = ()
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in the order asked for, and the cursor of the page after; None after the last one."""

    items: Sequence[T]
    next: str | None


@dataclass(frozen=True, slots=True)
class Events:
    """Events in their order; `seq` is where to go on from, also when none of them was wanted."""

    items: Sequence[Event]
    seq: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many jobs, taken apart by what the store counts."""

    total: int
    states: Mapping[State, int]
    outcomes: Mapping[Outcome, int]
    tools: Mapping[str, int]
    owners: Mapping[str, int]


def cursor(number: int) -> str:
    """Return the opaque text that stands for "after the one with this number"."""
    return base64.urlsafe_b64encode(b"n%d" % number).decode().rstrip("=")


def read_cursor(text: str) -> int:
    """Return the number in a cursor.

    Raises
    ------
    UsageError
        The text is no cursor.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        number = int(data[1:]) if data[:1] == b"n" and data[1:].isdigit() else -1
    except (ValueError, binascii.Error):
        number = -1
    if number < 0 or cursor(number) != text:
        raise UsageError(f"{text[:60]!r} is not a cursor: give back what `next` of a page was")
    return number
