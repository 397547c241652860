"""The statuses of the satellite, and the states and outcomes that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.errors import unknown
from projects.jobs.http.refusals import Invalid
from projects.jobs.model.states import LIVE, QUEUED, Outcome, State
from projects.jobs.store.values import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.model.entities import Job
    from projects.jobs.store.values import SubmissionView

PENDING, RUNNING, DONE = "PENDING", "RUNNING", "DONE"

ENDS = {
    DONE: (Outcome.SUCCESS,),
    "FAILED": (Outcome.FAILED, Outcome.LOST),
    "TIMEOUT": (Outcome.TIMEOUT,),
    "CANCELLED": (Outcome.CANCELLED,),
}
"""Statuses of jobs that have ended. One that was lost has failed: `reason` says how."""

ALL = (PENDING, RUNNING, *ENDS)

_STATUS_OF = {outcome: status for status, outcomes in ENDS.items() for outcome in outcomes}
_PHASES = {PENDING: Phase.PENDING, RUNNING: Phase.RUNNING, DONE: Phase.DONE}


def status_of(job: Job) -> str:
    """Return the status of a job."""
    if job.state in QUEUED:
        return PENDING
    if job.state in LIVE:
        return RUNNING
    return _STATUS_OF[job.outcome or Outcome.LOST]


def status_of_submission(submission: SubmissionView) -> str:
    """Return the status of a submission: DONE when its last job has ended, however."""
    return submission.phase.name


def return_code_of(job: Job) -> int | None:
    """Return the exit code of a job; of one that a signal ended, minus its number."""
    if job.return_code is None and job.signal is not None:
        return -job.signal
    return job.return_code


def states_and_outcomes(text: str | None) -> tuple[list[State], list[Outcome]]:
    """Return what the store is asked for by `status=…`, several with commas between.

    Raises
    ------
    Invalid
        There is no such status; or jobs that have ended are asked for together with others.
    """
    names = _names(text, ALL)
    waiting = [name for name in names if name not in ENDS]
    if len(waiting) not in (0, len(names)):
        raise Invalid(
            f"status={text}: ask for {' and '.join(waiting)} by itself",
            fields={"status": "either PENDING and RUNNING, or statuses of jobs that have ended"},
        )
    if waiting:
        groups = {PENDING: QUEUED, RUNNING: LIVE}
        return [state for name in waiting for state in groups[name]], []
    outcomes = [outcome for name in names for outcome in ENDS[name]]
    return ([State.DONE, State.ARCHIVED] if outcomes else []), outcomes


def phases(text: str | None) -> list[Phase]:
    """Return the phases of submissions that `status=…` means."""
    return [_PHASES[name] for name in _names(text, _PHASES)]


def _names(text: str | None, possible: Sequence[str] | dict[str, Phase]) -> list[str]:
    names = [] if text is None else [word.strip().upper() for word in text.split(",")]
    for name in names:
        if name not in possible:
            raise Invalid(
                unknown("status", name[:60], possible), fields={"status": "there is none such"}
            )
    return names
