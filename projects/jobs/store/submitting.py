"""Keeping a submission with its jobs: one transaction, whatever it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from projects.core.errors import UsageError
from projects.jobs.model import identity, moment
from projects.jobs.model.entities import Submission
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.families import check_parent
from projects.jobs.store.prepared import Prepared
from projects.jobs.store.rows import as_json, event_row, plain
from projects.jobs.store.shelves import Moves, job_shelf, submission_shelf, written
from projects.jobs.store.tables import BLOCK, event, job, submission
from projects.jobs.store.values import MOST_JOBS, Phase, Submitted

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projects.jobs.store.database import Database
    from projects.jobs.store.shelves import Shelves, TermsCache
    from projects.jobs.store.values import NewSubmission

_LAST = (
    select(submission.c.number, submission.c.first, submission.c.jobs, submission.c.arrival)
    .order_by(submission.c.number.desc())
    .limit(1)
)
_KEEP = Prepared(
    insert(job),
    ("number", "id", "submission", "shelf", "terms", "params", "attempt", "reason"),
)
_NO_COUNTS = {f"in_{state.name.lower()}": 0 for state in State} | {
    f"of_{outcome.lower()}": 0 for outcome in Outcome
}


def submit(
    database: Database, shelves: Shelves, terms: TermsCache, new: NewSubmission
) -> Submitted:
    """Keep a submission; see `Store.submit`."""
    if not 1 <= len(new.jobs) <= MOST_JOBS:
        raise UsageError(f"{len(new.jobs)} jobs in a submission: 1 to {MOST_JOBS} are possible")
    # What takes long is done before the others have to wait.
    ids = [identity.new() for _ in new.jobs]
    given = [written(each) for each in new.jobs]
    params = [as_json(each.params) for each in new.jobs]
    created = moment.now() if new.created is None else new.created
    rank = created if new.rank is None else new.rank
    owner, note = plain(new.owner), plain(new.note)
    with database.write(durable=True, wait=database.call_wait) as connection:
        if new.parent is not None:
            check_parent(connection, shelves, new.parent)
        last = connection.execute(_LAST).one_or_none()
        number, first, arrival = (
            (1, 1, created)
            if last is None
            else (last.number + 1, last.first + last.jobs, max(created, last.arrival))
        )
        kept = Submission(
            number=number,
            id=new.id or identity.new(),
            owner=owner,
            note=note,
            parallel=new.parallel,
            priority=new.priority,
            rank=rank,
            created=created,
            jobs=len(ids),
            parent=new.parent.id if new.parent else None,
            below=new.parent.number if new.parent else None,
        )
        moves = Moves()
        places = _places(connection, shelves, new, owner)
        numbers = {text: terms.number(connection, text) for text in set(given)}
        shelf = shelves.number(connection, submission_shelf(owner, Phase.PENDING))
        connection.execute(insert(submission), _row(kept, new, shelf, first, arrival))
        rows: list[dict[str, Any]] = []
        for at, (each, id_, text, param) in enumerate(
            zip(new.jobs, ids, given, params, strict=True), first
        ):
            place = places[each.tool]
            moves.put(place, at >> BLOCK)
            rows.append(
                {
                    "number": at,
                    "id": identity.to_bytes(id_),
                    "submission": number,
                    "shelf": place,
                    "terms": numbers[text],
                    "params": param,
                    "attempt": 1,
                    "reason": "",
                }
            )
        _KEEP.run(connection, rows)
        moves.put_submission(shelf)
        moves.write(connection)
        data = {"submission": kept.id, "jobs": len(ids)}
        connection.execute(insert(event), event_row(created, first, 1, "submitted", data=data))
    return Submitted(kept, first, tuple(ids))


def _places(
    connection: Connection, shelves: Shelves, new: NewSubmission, owner: str
) -> dict[str, int]:
    tools = dict.fromkeys(each.tool for each in new.jobs)
    return {
        tool: shelves.number(connection, job_shelf(plain(tool), owner, State.NEW, None))
        for tool in tools
    }


def _row(
    kept: Submission, new: NewSubmission, shelf: int, first: int, arrival: int
) -> dict[str, Any]:
    parent = new.parent
    return {
        "number": kept.number,
        "id": identity.to_bytes(kept.id),
        "shelf": shelf,
        "owner": kept.owner,
        "note": kept.note,
        "parallel": kept.parallel,
        "priority": kept.priority,
        "rank": kept.rank,
        "created": kept.created,
        "arrival": arrival,
        "first": first,
        "jobs": kept.jobs,
        "cancelled": None,
        "finished": None,
        **_NO_COUNTS,
        "in_new": kept.jobs,
        "parent": identity.to_bytes(parent.id) if parent else None,
        "below": kept.below,
        "below_attempt": parent.attempt if parent else None,
    }
