"""Ending jobs that wait: some by their numbers, or all of a submission at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, insert, literal, null, select, update

from projects.jobs.model.states import QUEUED, Outcome, State
from projects.jobs.store.recording import Recorder
from projects.jobs.store.rows import plain
from projects.jobs.store.shelves import PHASES, Moves, job_shelf, submission_shelf
from projects.jobs.store.tables import BLOCK, JOB_SHELF, event, job, shelf, submission
from projects.jobs.store.values import Change, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from projects.jobs.store.shelves import Shelves


def cancel_jobs(
    connection: Connection, shelves: Shelves, numbers: Sequence[int], reason: str, at: int
) -> list[int]:
    """End those of the jobs that wait; return their numbers."""
    recorder = Recorder(connection, shelves)
    recorder.read(numbers)
    changes = []
    for number in dict.fromkeys(numbers):
        found = recorder.now(number)
        if found is not None and found[1] in QUEUED:
            changes.append(
                Change(number, found[0], at, State.DONE, reason, outcome=Outcome.CANCELLED)
            )
    recorder.apply(changes)
    recorder.write()
    return [change.number for change in changes]


def cancel_submission(
    connection: Connection, shelves: Shelves, number: int, reason: str, at: int
) -> list[int]:
    """End all jobs of a submission that wait, in a few statements, however many there are."""
    row = connection.execute(select(submission).where(submission.c.number == number)).one_or_none()
    if row is None:
        return []
    within = job.c.number.between(row.first, row.first + row.jobs - 1)
    waiting = _waiting(connection, row)
    found = [
        *connection.execute(
            select(job.c.number, job.c.shelf).where(within, job.c.shelf.in_(waiting))
        )
    ]
    moves = Moves()
    counts = {name: getattr(row, name) for name in (f"in_{s.name.lower()}" for s in State)}
    for place, (tool, state) in waiting.items():
        here = [each for each, where in found if where == place]
        if not here:
            continue
        to = shelves.number(connection, job_shelf(tool, row.owner, State.DONE, Outcome.CANCELLED))
        told = (literal(int(state)), literal(plain(reason)), literal(at))
        _tell(connection, and_(within, job.c.shelf == place), told)
        connection.execute(
            update(job)
            .where(within, job.c.shelf == place)
            .values(shelf=to, finished=at, reason=plain(reason))
        )
        for each in here:
            moves.put(place, each >> BLOCK, -1)
            moves.put(to, each >> BLOCK, 1)
        counts[f"in_{state.name.lower()}"] -= len(here)
        counts["in_done"] += len(here)
    values: dict[str, Any] = {
        **counts,
        "cancelled": func.coalesce(submission.c.cancelled, at),
        "of_cancelled": row.of_cancelled + len(found),
    }
    if found and counts["in_done"] + counts["in_archived"] == row.jobs:
        values |= {"finished": at, "shelf": _place(connection, shelves, row, Phase.DONE, moves)}
    elif PHASES[shelves.get(connection, row.shelf).state] is Phase.PENDING and found:
        values |= {"shelf": _place(connection, shelves, row, Phase.RUNNING, moves)}
    connection.execute(update(submission).where(submission.c.number == number).values(values))
    moves.write(connection)
    return sorted(each for each, _ in found)


def _waiting(connection: Connection, row: Row[Any]) -> dict[int, tuple[str, State]]:
    query = select(shelf.c.number, shelf.c.tool, shelf.c.state).where(
        shelf.c.kind == JOB_SHELF, shelf.c.owner == row.owner, shelf.c.state.in_(QUEUED)
    )
    return {n: (tool, State(state)) for n, tool, state in connection.execute(query)}


def _tell(connection: Connection, which: Any, told: Sequence[Any]) -> None:
    """Write the events of jobs that are about to end."""
    before, reason, at = told
    columns = ("at", "job", "attempt", "type", "before", "after", "message", "data")
    rows = select(
        at,
        job.c.number,
        job.c.attempt,
        literal("state"),
        before,
        literal(int(State.DONE)),
        reason,
        null(),
    ).where(which)
    connection.execute(insert(event).from_select(columns, rows.order_by(job.c.number)))


def _place(
    connection: Connection, shelves: Shelves, row: Row[Any], phase: Phase, moves: Moves
) -> int:
    place = shelves.number(connection, submission_shelf(row.owner, phase))
    moves.put_submission(row.shelf, -1)
    moves.put_submission(place, 1)
    return place
