"""Jobs and submissions as the satellite shows them: exactly these keys, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.satellite.envelope.envelope import local
from projects.satellite.envelope.statuses import (
    return_code_of,
    status_of,
    status_of_submission,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.engine.engine import Submitted
    from projects.jobs.model.entities import Job
    from projects.jobs.store.values import SubmissionView


def job(one: Job) -> dict[str, Any]:
    """Return a job; one that waits has neither start nor end nor return code."""
    return {
        "name": one.tool,
        "params": one.params,
        "submitted": local(one.created),
        "job_id": one.id,
        "submission_id": one.submission_id,
        "status": status_of(one),
        "started": local(one.started),
        "return_code": return_code_of(one),
        "finished": local(one.finished),
    }


def verbose_job(one: Job) -> dict[str, Any]:
    """Return a job with what else is known of it."""
    usage = one.usage
    return job(one) | {
        "reason": one.reason,
        "outcome": one.outcome,
        "attempt": one.attempt,
        "owner": one.owner,
        "number": one.number,
        "timeout": one.timeout,
        "usage": usage and {"wall": usage.wall, "cpu": usage.cpu, "peak_memory": usage.peak_memory},
    }


def submitted(one: Submitted) -> dict[str, Any]:
    """Return the ids of an accepted submission and of its jobs, in the order of `job_specs`."""
    return {"submission_id": one.submission.id, "job_ids": list(one.job_ids)}


def submission(one: SubmissionView) -> dict[str, Any]:
    """Return a submission."""
    return {
        "submission_id": one.id,
        "note": one.note,
        "parallel": one.parallel,
        "submitted": local(one.created),
        "status": status_of_submission(one),
        "finished": local(one.finished),
        "jobs": one.jobs,
        "pending": one.waiting,
        "running": one.live,
        "parent": one.parent,
    }


def submission_with_jobs(one: SubmissionView, jobs: Sequence[Job]) -> dict[str, Any]:
    """Return a submission with the ids of its (first) jobs."""
    return submission(one) | {"job_ids": [each.id for each in jobs]}
