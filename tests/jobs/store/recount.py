"""Counting again what a store counts: from the rows themselves, by another way."""

from __future__ import annotations

from collections import Counter

from projects.jobs.model.entities import Job
from projects.jobs.model.states import State
from projects.jobs.store.store import Store
from projects.jobs.store.values import JobFilter, Phase


def all_jobs(store: Store, which: JobFilter | None = None, limit: int = 1000) -> list[int]:
    """Return the numbers of all jobs, page by page, the newest first."""
    numbers: list[int] = []
    cursor = None
    while True:
        page = store.jobs(which, limit=limit, cursor=cursor)
        numbers += [job.number for job in page.items]
        cursor = page.next
        if cursor is None:
            return numbers


def assert_counts_are_true(store: Store) -> None:
    """Compare every counter with what the rows say."""
    jobs: list[Job] = []
    cursor = None
    while True:
        page = store.jobs(limit=1000, cursor=cursor)
        jobs += page.items
        cursor = page.next
        if cursor is None:
            break
    counts = store.counts()
    assert counts.total == len(jobs)
    assert counts.states == Counter(job.state for job in jobs)
    assert counts.outcomes == Counter(job.outcome for job in jobs if job.outcome)
    assert counts.tools == Counter(job.tool for job in jobs)
    assert counts.owners == Counter(job.owner for job in jobs)
    for number in {job.submission for job in jobs}:
        mine = [job for job in jobs if job.submission == number]
        kept = store.submission(number)
        assert kept is not None
        assert kept.jobs == len(mine)
        assert [job.position for job in reversed(mine)] == list(range(len(mine)))
        assert kept.counts == Counter(job.state for job in mine)
        assert kept.outcomes == Counter(job.outcome for job in mine if job.outcome)
        assert kept.phase == phase_of([job.state for job in mine])
        assert (kept.finished is None) == (kept.phase is not Phase.DONE)
        assert store.counts(JobFilter(submission=number)).states == kept.counts
    assert {view.number for view in store.head(1000)} == {
        job.submission for job in jobs if job.state < State.DONE
    }


def phase_of(states: list[State]) -> Phase:
    """Return what the phase of a submission is."""
    if all(state >= State.DONE for state in states):
        return Phase.DONE
    waits = all(state < State.STARTING for state in states)
    return Phase.PENDING if waits else Phase.RUNNING
