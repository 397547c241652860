"""Reading jobs, submissions and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select

from projects.jobs.model import identity
from projects.jobs.model.entities import Event
from projects.jobs.model.states import LIVE, QUEUED, State
from projects.jobs.store import pages
from projects.jobs.store.rows import EVENTS, JOBS, SUBMISSIONS, event_of, jobs_of, submission_of
from projects.jobs.store.shelves import fitting
from projects.jobs.store.tables import JOB_SHELF, event, job, submission
from projects.jobs.store.values import (
    Events,
    JobFilter,
    Page,
    Queued,
    SubmissionFilter,
    cursor,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from projects.jobs.model.entities import Job
    from projects.jobs.store.shelves import Shelves, TermsCache
    from projects.jobs.store.values import SubmissionView

MOST_EVENTS = 1000
"""Events of one job that are shown."""

_CREATED = "state"

# Made once: to put a statement together takes as long as to execute it.
_JOB_BY_NUMBER = JOBS.where(job.c.number == bindparam("key"))
_JOB_BY_ID = JOBS.where(job.c.id == bindparam("key"))

_WAITING = submission.c.in_new + submission.c.in_preparing + submission.c.in_waiting
_QUEUE = (
    select(submission.c.number, submission.c.jobs, _WAITING.label("waiting"))
    .where(submission.c.finished.is_(None), _WAITING > 0)
    .order_by(submission.c.rank, submission.c.number)
)


class Reader:
    """Reads on one connection, all at the same moment."""

    def __init__(self, connection: Connection, shelves: Shelves, terms: TermsCache) -> None:
        self._connection = connection
        self._shelves = shelves
        self._terms = terms

    def job(self, which: int | str) -> Job | None:
        """Return a job by number or id."""
        key: int | bytes
        if isinstance(which, int):
            query, key = _JOB_BY_NUMBER, which
        else:
            query, key = _JOB_BY_ID, identity.to_bytes(identity.parse(which))
        rows = self._connection.execute(query, {"key": key}).all()
        found = jobs_of(self._connection, rows, self._shelves, self._terms)
        return found[0] if found else None

    def submission(self, which: int | str) -> SubmissionView | None:
        """Return a submission by number or id."""
        row = self._connection.execute(SUBMISSIONS.where(pages.by(which))).one_or_none()
        return None if row is None else submission_of(self._connection, row, self._shelves)

    def jobs(
        self, which: JobFilter, *, limit: int, cursor: str | None, descending: bool
    ) -> Page[Job]:
        """Return a page of jobs."""
        pages.check_limit(limit)
        span = pages.job_span(self._connection, which)
        span = pages.from_cursor(span, cursor, descending=descending)
        shelves = pages.job_shelves(which)
        cut = pages.job_cut(span, limit + 1, descending=descending)
        numbers = pages.numbers(self._connection, cut, shelves)
        return Page(self.jobs_numbered(numbers[:limit]), _next(numbers, limit))

    def submissions(
        self, which: SubmissionFilter, *, limit: int, cursor: str | None, descending: bool
    ) -> Page[SubmissionView]:
        """Return a page of submissions."""
        pages.check_limit(limit)
        span = pages.submission_span(self._connection, which.since, which.until)
        span = pages.from_cursor(span, cursor, descending=descending)
        shelves = pages.submission_shelves(which)
        cut = pages.submission_cut(span, limit + 1, descending=descending)
        numbers = pages.numbers(self._connection, cut, shelves)
        query = SUBMISSIONS.where(submission.c.number.in_(numbers[:limit]))
        found = {
            row.number: submission_of(self._connection, row, self._shelves)
            for row in self._connection.execute(query).all()
        }
        return Page([found[number] for number in numbers[:limit]], _next(numbers, limit))

    def head(self, limit: int) -> list[SubmissionView]:
        """Return the submissions that aren't done, by rank."""
        query = (
            SUBMISSIONS.where(submission.c.finished.is_(None))
            .order_by(submission.c.rank, submission.c.number)
            .limit(limit)
        )
        rows = self._connection.execute(query).all()
        return [submission_of(self._connection, row, self._shelves) for row in rows]

    def queue(self, limit: int) -> list[Queued]:
        """Return the submissions that have waiting jobs, by rank."""
        rows = self._connection.execute(_QUEUE.limit(limit)).all()
        return [Queued(row.number, row.waiting, row.waiting < row.jobs) for row in rows]

    def waiting_before(self, one: Job, limit: int) -> int:
        """Return how many jobs of its submission wait before a job, of very many `limit`."""
        span = pages.Span(one.number - one.position, one.number - 1)
        shelves = fitting(JOB_SHELF, owners=[one.owner], states=QUEUED)
        cut = pages.job_cut(span, limit, descending=True)
        return len(pages.numbers(self._connection, cut, shelves))

    def next_jobs(self, number: int, after: int, limit: int) -> list[Job]:
        """Return waiting jobs of a submission in their order."""
        query = select(submission.c.owner, submission.c.first, submission.c.jobs)
        row = self._connection.execute(query.where(submission.c.number == number)).one_or_none()
        if row is None:
            return []
        span = pages.Span(row.first + max(after + 1, 0), row.first + row.jobs - 1)
        shelves = fitting(JOB_SHELF, owners=[row.owner], states=QUEUED)
        cut = pages.job_cut(span, limit, descending=False)
        return self.jobs_numbered(pages.numbers(self._connection, cut, shelves))

    def in_states(
        self,
        states: Sequence[State],
        after: int,
        limit: int,
        finished_before: int | None = None,
    ) -> list[Job]:
        """Return jobs in these states in the order of their numbers."""
        span = pages.ALL.after(after, descending=False)
        if finished_before is not None:
            span = pages.Span(
                span.low,
                pages.job_span(self._connection, JobFilter(until=finished_before)).high,
            )
        cut = pages.job_cut(span, limit, descending=False, finished_before=finished_before)
        shelves = fitting(JOB_SHELF, states=states)
        return self.jobs_numbered(pages.numbers(self._connection, cut, shelves))

    def unfinished(self, after: int, limit: int) -> list[Job]:
        """Return jobs that may have a process."""
        return self.in_states(LIVE, after, limit)

    def events(self, after: int, limit: int, owner: str | None) -> Events:
        """Return events of jobs, or of an owner's jobs, among the next ones."""
        pages.check_limit(limit)
        query = EVENTS.where(event.c.seq > after).order_by(event.c.seq).limit(limit)
        if owner is not None:
            query = query.add_columns(job.c.shelf).outerjoin(job, job.c.number == event.c.job)
        rows = self._connection.execute(query).all()
        last = rows[-1].seq if rows else after
        return Events([event_of(row) for row in rows if self._is_of(row, owner)], last)

    def last_event(self) -> int:
        """Return the number of the newest event."""
        return self._connection.scalar(select(func.max(event.c.seq))) or 0

    def events_of(self, number: int) -> list[Event]:
        """Return what happened to a job."""
        created = self._connection.scalar(
            select(submission.c.created)
            .join_from(job, submission, job.c.submission == submission.c.number)
            .where(job.c.number == number)
        )
        if created is None:
            return []
        query = (
            EVENTS.where(event.c.job == number, event.c.type != "submitted")
            .order_by(event.c.seq.desc())
            .limit(MOST_EVENTS)
        )
        rows = self._connection.execute(query).all()
        first = Event(0, created, number, 1, _CREATED, after=State.NEW)
        return [first, *(event_of(row) for row in reversed(rows))]

    def jobs_numbered(self, numbers: Sequence[int]) -> list[Job]:
        """Return the jobs with these numbers, in this order."""
        if not numbers:
            return []
        rows = self._connection.execute(JOBS.where(job.c.number.in_(numbers))).all()
        jobs = jobs_of(self._connection, rows, self._shelves, self._terms)
        found = {each.number: each for each in jobs}
        return [found[number] for number in numbers]

    def _is_of(self, row: Any, owner: str | None) -> bool:
        if owner is None:
            return True
        if row.shelf is None:
            return False
        return self._shelves.get(self._connection, row.shelf).owner == owner


def _next(numbers: Sequence[int], limit: int) -> str | None:
    return cursor(numbers[limit - 1]) if len(numbers) > limit else None
