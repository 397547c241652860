"""What the scheduler looks at: a small window of what waits, and what runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Waiting(Protocol):
    """A job that waits, as far as the scheduler is concerned."""

    @property
    def number(self) -> int:
        """The job's number."""

    @property
    def resources(self) -> Iterable[str]:
        """Names of what it needs for itself alone, all of them or none."""

    @property
    def request(self) -> Any:
        """What it asks of `View.reserve`; None: nothing."""


@dataclass(slots=True)
class Turn:
    """A submission that waits or runs; the caller keeps it up to date between plans."""

    number: int
    rank: int
    """Smaller is earlier."""
    parallel: int | None = None
    """So many of its jobs at once; None: `Limits.parallel_jobs`."""
    running: int = 0
    begun: bool = False
    """It has started a job: it keeps its place among M until its last job has ended."""
    parent: int | None = None
    """The running job that has sent it: it is begun from the first, and takes no place."""
    waiting: Iterable[Waiting] = ()
    """The first of its waiting jobs, in their order."""


@dataclass(frozen=True, slots=True)
class Limits:
    """M, N, and how many jobs the site takes at once (None: no limit of its own)."""

    parallel_submissions: int = 1
    parallel_jobs: int = 1
    capacity: int | None = None


@dataclass(slots=True)
class View:
    """All that a plan depends on."""

    turns: Iterable[Turn]
    """The begun submissions and at least M further ones, by rank."""
    limits: Limits
    running: int = 0
    """Jobs that run, of all submissions."""
    taken: Mapping[str, int] = field(default_factory=dict)
    """Resource → number of the running job that has it."""
    lent: Mapping[int, bool] = field(default_factory=dict)
    """Running job that has sent a submission → a job of that runs in its place, of `capacity`."""
    reserve: Callable[[Waiting], bool] | None = None
    """Asked last, in order, for each job with a `request`: True reserves all of it. What it has
    refused it keeps free from later ones until the plan is made."""


class Start(NamedTuple):
    """One decision of a plan: this job may start now."""

    turn: Turn
    job: Waiting
