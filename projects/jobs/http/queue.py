"""Where jobs and submissions stand in the queue, and what they wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.jobs.model.states import QUEUED
from projects.jobs.store.values import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.jobs.http.services import Services
    from projects.jobs.model.entities import Job
    from projects.jobs.store.values import Queued, SubmissionView

MOST = 1000
"""So many submissions, and so many jobs of one, are counted; further behind there is no place."""


def of_job(services: Services, job: Job) -> dict[str, Any]:
    """Return a job's place among all that wait (1 is next), and a sentence for why it waits."""
    if job.state not in QUEUED:
        return {"waits_for": "", "queue_position": None}
    said = services.engine.why_waiting(job.number)
    return {"waits_for": said, "queue_position": _place(services, job) if said else None}


def of_submissions(services: Services, found: Sequence[SubmissionView]) -> list[dict[str, Any]]:
    """Return the places of submissions that haven't begun; the next one says why it waits."""
    queue: Sequence[Queued] = ()
    if any(one.phase == Phase.PENDING for one in found):
        queue = services.store.queue(limit=MOST)
    pending = (one.number for one in queue if not one.begun)
    places = {number: place for place, number in enumerate(pending, 1)}
    return [_of_submission(services, one, places.get(one.number)) for one in found]


def of_submission(services: Services, one: SubmissionView) -> dict[str, Any]:
    """Return what `of_submissions` does, of one."""
    return of_submissions(services, [one])[0]


def _of_submission(services: Services, one: SubmissionView, place: int | None) -> dict[str, Any]:
    if one.phase != Phase.PENDING:
        return {"waits_for": "", "queue_position": None}
    if place == 1:
        first = services.store.next_jobs(one.number, limit=1)
        said = services.engine.why_waiting(first[0].number) if first else ""
    else:
        said = "It waits for the submissions before it."
    return {"waits_for": said, "queue_position": place}


def _place(services: Services, job: Job) -> int | None:
    """Return 1 for the job that is next: those of begun submissions go first, then by rank."""
    queue = services.store.queue(limit=MOST)
    mine = next((one for one in queue if one.number == job.submission), None)
    if mine is None:
        return None
    own: int = services.store.waiting_before(job, limit=MOST)
    if own == MOST:
        return None
    ordered = sorted(queue, key=lambda one: not one.begun)  # stable: by rank, otherwise
    before: int = sum(one.waiting for one in ordered[: ordered.index(mine)])
    return before + own + 1
