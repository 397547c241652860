"""The things that the job system keeps: frozen values, as they are in the store.

Moments (`created`, `started`, …) are µs since the epoch, ids 22 characters, memory bytes, times of
a CPU or of waiting seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.jobs.model.states import Outcome, State

OnRestart = Literal["rerun", "reattach", "fail"]
"""What becomes of a job whose end nobody saw: run again, or be declared lost."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a job took: wall-clock and CPU seconds, and the largest resident size in bytes."""

    wall: float
    cpu: float
    peak_memory: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What a user sent: jobs that belong together."""

    number: int
    id: str
    owner: str
    note: str
    parallel: int | None
    priority: int
    rank: int
    created: int
    jobs: int
    cancelled: int | None = None
    parent: str | None = None
    """The job from inside which it was sent."""
    below: int | None = None
    """The number of that job, as long as this runs beside it and ends with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One execution of a tool; `attempt` counts from 1."""

    number: int
    id: str
    submission: int
    submission_id: str
    position: int
    owner: str
    tool: str
    params: Mapping[str, Any]
    state: State
    outcome: Outcome | None
    attempt: int
    created: int
    rank: int
    started: int | None = None
    finished: int | None = None
    return_code: int | None = None
    signal: int | None = None
    reason: str = ""
    timeout: float | None = None
    on_restart: OnRestart = "rerun"
    resources: Sequence[str] = ()
    limits: Mapping[str, int | float] = field(default_factory=dict)
    spec_digest: str = ""
    pid: int | None = None
    start_ticks: int | None = None
    boot_id: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a job: group *i*, index *j*; told apart by pid, start (in ticks) and boot."""

    job: int
    attempt: int
    group: int
    index: int
    pid: int
    start_ticks: int
    boot_id: str
    exit_code: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job; a transition says from where to where."""

    seq: int
    at: int
    job: int
    attempt: int
    type: str
    message: str = ""
    before: State | None = None
    after: State | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that a job printed; `source` is stdout, stderr, prepare, daemon, worker n or clean."""

    job: int
    source: str
    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a job left, by its path below the job's directory; size in bytes."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A result file on its way to a table of the hub."""

    id: str
    job: int
    test_system: str
    test_name: str
    file: str
    attempts: int = 0
    next_at: int = 0
    last_error: str = ""
    done: int | None = None
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """The right to call the server, kept as a hash; `scopes` name what it opens."""

    id: str
    hash: str
    owner: str
    label: str
    scopes: Sequence[str]
    created: int
    expires: int | None = None
    last_used: int | None = None
    revoked: int | None = None
