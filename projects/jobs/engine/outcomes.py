"""What the end of a process means for its job: one outcome and a reason, purely."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from projects.jobs.model.states import Outcome, outcome_of
from projects.jobs.process.orders import Ended, Unknown

if TYPE_CHECKING:
    from projects.jobs.model.entities import Job

_NAMED = {
    "output": (Outcome.FAILED, "it printed more than it may"),
    "memory": (Outcome.FAILED, "it took more memory than it may"),
}


def end_of(report: Ended, stop: str | None) -> tuple[Outcome, str]:
    """Return outcome and reason of a job whose process has ended.

    `stop` is why the job was cancelled, None if it wasn't: once a cancel has been acknowledged
    the job is CANCELLED, also when its process was faster.
    """
    if stop is not None:
        return Outcome.CANCELLED, stop
    if report.reason == "exit":
        return outcome_of(report.exit_code, report.signal), _exit_reason(report)
    if report.reason == "timeout":
        return Outcome.TIMEOUT, "its time was over"
    if report.reason in _NAMED:
        return _NAMED[report.reason]
    if report.reason == "stopped":
        return Outcome.LOST, "it was stopped, not by a user"
    return Outcome.FAILED, report.reason  # not started: …


def runs_again(job: Job, report: Ended | Unknown | None) -> bool:
    """Return whether a job whose end nobody saw, or that we ended ourselves, begins a new attempt.

    One that certainly never was a process does, whatever its tool says.
    """
    if isinstance(report, Unknown) and report.started is False:
        return True
    return job.on_restart == "rerun"


def begins_unrecorded(job: Job) -> bool:
    """Return whether a job may be started before the store knows of it.

    Not if a power cut could make it run twice, nor if it is a further attempt: a server that is
    killed before that is recorded would begin the one before again.
    """
    return job.on_restart == "rerun" and job.attempt == 1


def interrupted_reason(report: Ended | Unknown | None) -> str:
    """Return what interrupted a job."""
    if isinstance(report, Unknown):
        return report.reason
    if isinstance(report, Ended):
        return "; ".join(["it was stopped, not by a user", *report.notes])
    return "nothing is known of its process"


def _exit_reason(report: Ended) -> str:
    if report.signal is not None:
        try:
            return f"killed by {signal.Signals(report.signal).name}"
        except ValueError:
            return f"killed by signal {report.signal}"
    if report.exit_code is None:
        return "it has ended, nobody saw how"
    return f"exit code {report.exit_code}" if report.exit_code else ""
