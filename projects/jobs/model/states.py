"""The one state machine of jobs: states in their order, and outcomes.

A step goes forward; only the beginning of the next attempt leads back, from any state to NEW: also
from NEW, as a job may have begun, and been killed, before that was recorded.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from projects.core.errors import TopgallantError


class State(IntEnum):
    """Where a job is; a stage that a job doesn't have is passed over, none is gone back to."""

    NEW = 0
    PREPARING = 1
    WAITING = 2
    STARTING = 3
    RUNNING = 4
    STOPPING = 5
    CLEANING = 6
    DONE = 7
    ARCHIVED = 8


class Outcome(StrEnum):
    """How a job ended: exactly one, when it is DONE."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"
    LOST = "LOST"


LIVE = (State.STARTING, State.RUNNING, State.STOPPING, State.CLEANING)
"""States in which a process of the job may exist."""

QUEUED = (State.NEW, State.PREPARING, State.WAITING)
"""States in which a job waits for its turn."""


class TransitionError(TopgallantError):
    """A job would go back, or end without an outcome: a bug, or news of an older attempt."""

    http_status = 409


def is_final(state: State) -> bool:
    """Return whether nothing more will happen to the job by itself."""
    return state >= State.DONE


def outcome_of(exit_code: int | None, signal: int | None) -> Outcome:
    """Return the outcome that the end of a process means; without either it is LOST."""
    if signal is not None:
        return Outcome.FAILED
    if exit_code is None:
        return Outcome.LOST
    return Outcome.SUCCESS if exit_code == 0 else Outcome.FAILED
