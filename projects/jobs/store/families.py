"""Submissions that were sent from inside a job: they run beside it, and end with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from projects.jobs.model.states import State
from projects.jobs.store.errors import ParentOver
from projects.jobs.store.rows import SUBMISSIONS, submission_of
from projects.jobs.store.tables import job, submission
from projects.jobs.store.values import MOST_BELOW

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projects.jobs.store.shelves import Shelves
    from projects.jobs.store.values import Parent, SubmissionView

_LIVE = submission.c.below.is_not(None) & submission.c.finished.is_(None)


def check_parent(connection: Connection, shelves: Shelves, parent: Parent) -> None:
    """Let a submission be kept below a job: in one transaction with it, so that none is forgotten.

    That the job runs its present attempt is for the caller to know: the rows lag behind.

    Raises
    ------
    ParentOver
        The attempt is over or is being stopped, or too much that it has sent hasn't ended.
    """
    if _is_over(connection, shelves, parent.number, parent.attempt):
        raise ParentOver(
            f"job {parent.id}, from inside which this is sent, has ended or is being stopped"
        )
    query = select(func.count()).where(_LIVE, submission.c.below == parent.number)
    if (connection.scalar(query) or 0) >= MOST_BELOW:
        raise ParentOver(
            f"{MOST_BELOW} submissions from inside job {parent.id} haven't ended, which is the"
            " most: wait for one of them, or send more jobs in one submission"
        )


def depending(connection: Connection, shelves: Shelves) -> list[SubmissionView]:
    """Return the submissions that haven't ended and end with a job, by number."""
    rows = connection.execute(SUBMISSIONS.where(_LIVE).order_by(submission.c.number)).all()
    return [submission_of(connection, row, shelves) for row in rows]


def left_over(connection: Connection, shelves: Shelves) -> list[SubmissionView]:
    """Return those of them whose job is over, is being stopped, or begins another attempt."""
    query = select(submission.c.number, submission.c.below, submission.c.below_attempt)
    gone = {
        row.number
        for row in connection.execute(query.where(_LIVE))
        if _is_over(connection, shelves, row.below, row.below_attempt)
    }
    return [each for each in depending(connection, shelves) if each.number in gone]


def release(connection: Connection, shelves: Shelves, number: int) -> None:
    """Let the submission of a job stand for itself if the one that it depends on is over."""
    query = select(submission.c.number, submission.c.below, submission.c.below_attempt).join_from(
        job, submission, job.c.submission == submission.c.number
    )
    row = connection.execute(query.where(job.c.number == number)).one()
    if row.below is not None and _is_over(connection, shelves, row.below, row.below_attempt):
        connection.execute(
            update(submission)
            .where(submission.c.number == row.number)
            .values(below=None, below_attempt=None)
        )


def _is_over(connection: Connection, shelves: Shelves, number: int, attempt: int) -> bool:
    row = connection.execute(
        select(job.c.attempt, job.c.shelf).where(job.c.number == number)
    ).one_or_none()
    if row is None or row.attempt != attempt:
        return True
    return shelves.get(connection, row.shelf).state >= State.STOPPING
