"""A job that is at work, as the engine knows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from projects.jobs.model.states import State

if TYPE_CHECKING:
    from projects.jobs.engine.backlog import Line
    from projects.jobs.model.entities import Job
    from projects.jobs.model.states import Outcome
    from projects.jobs.process.orders import Ended


@dataclass(slots=True, eq=False)
class Live:
    """A job that was started, until the store knows its end."""

    job: Job
    line: Line
    state: State = State.STARTING
    launched: bool = False
    stop: str | None = None
    """Why it was cancelled, if it was."""
    over: bool = False
    """Its process has ended; its results may still be collected, its end still be recorded."""
    end: tuple[Outcome, str, Ended] | None = None
    """How it ended, while its results are collected."""
    leader: Live | None = None
    """After which it starts, in the same place; until then it counts nowhere as running."""
    follower: Live | None = None


class Found(Enum):
    """Where a cancel has found a job."""

    WAITING = 1
    LIVE = 2
    OVER = 3
