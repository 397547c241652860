"""Rows become entities, and texts become what any database takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from projects.jobs.model import identity
from projects.jobs.model.entities import Event, Job, Upload, Usage
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.shelves import OUTCOMES, PHASES
from projects.jobs.store.tables import event, job, submission, upload
from projects.jobs.store.values import SubmissionView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from projects.jobs.store.shelves import Shelves, TermsCache

_STATES = tuple(State)
_OUTCOMES = tuple(Outcome)
_encode = json.JSONEncoder(separators=(",", ":")).encode

IN_STATE = tuple(submission.c[f"in_{state.name.lower()}"] for state in State)
OF_OUTCOME = tuple(submission.c[f"of_{outcome.lower()}"] for outcome in Outcome)

_FIRST = list(submission.c).index(IN_STATE[0])

JOBS = select(
    *(column for column in job.c if column is not job.c.submission),
    submission.c.number.label("s_number"),
    submission.c.id.label("s_id"),
    submission.c.first,
    submission.c.created,
    submission.c.rank,
).join_from(job, submission, job.c.submission == submission.c.number)

SUBMISSIONS = select(submission)


def plain(text: str) -> str:
    """Return a text without what PostgreSQL can't keep: NUL, and halves of characters."""
    if "\0" not in text and text.isascii():
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def as_json(value: Any) -> str:
    """Return a value as JSON in ASCII, which any database takes."""
    return _encode(value)


def jobs_of(
    connection: Connection, rows: Sequence[Any], shelves: Shelves, terms: TermsCache
) -> list[Job]:
    """Return the jobs in rows of `JOBS`."""
    found = []
    for row in rows:
        (
            number, id_, place, conditions, params, attempt, started, finished, return_code,
            signal, reason, pid, start_ticks, boot_id, wall, cpu, peak_memory,
            submission_, submission_id, first, created, rank,
        ) = row  # fmt: skip
        shelf = shelves.get(connection, place)
        given = terms.get(connection, conditions)
        found.append(
            Job(
                number=number,
                id=identity.from_bytes(id_),
                submission=submission_,
                submission_id=identity.from_bytes(submission_id),
                position=number - first,
                owner=shelf.owner,
                tool=shelf.tool,
                params=json.loads(params),
                state=_STATES[shelf.state],
                outcome=OUTCOMES[shelf.outcome],
                attempt=attempt,
                created=created,
                rank=rank,
                started=started,
                finished=finished,
                return_code=return_code,
                signal=signal,
                reason=reason,
                timeout=given.timeout,
                on_restart=given.on_restart,
                resources=given.resources,
                limits=given.limits,
                spec_digest=given.spec_digest,
                pid=pid,
                start_ticks=start_ticks,
                boot_id=boot_id,
                usage=None if wall is None else Usage(wall, cpu, peak_memory),
            )
        )
    return found


def submission_of(connection: Connection, row: Row[Any], shelves: Shelves) -> SubmissionView:
    """Return the submission in a row of `SUBMISSIONS`."""
    return SubmissionView(
        number=row.number,
        id=identity.from_bytes(row.id),
        owner=row.owner,
        note=row.note,
        parallel=row.parallel,
        priority=row.priority,
        rank=row.rank,
        created=row.created,
        jobs=row.jobs,
        cancelled=row.cancelled,
        parent=None if row.parent is None else identity.from_bytes(row.parent),
        below=row.below,
        first=row.first,
        phase=PHASES[shelves.get(connection, row.shelf).state],
        counts={state: n for state in _STATES if (n := row[_FIRST + state])},
        outcomes={o: n for i, o in enumerate(_OUTCOMES, _FIRST + len(_STATES)) if (n := row[i])},
        finished=row.finished,
    )


def event_of(row: Row[Any]) -> Event:
    """Return the event in a row of the table."""
    return Event(
        seq=row.seq,
        at=row.at,
        job=row.job,
        attempt=row.attempt,
        type=row.type,
        message=row.message,
        before=None if row.before is None else _STATES[row.before],
        after=None if row.after is None else _STATES[row.after],
        data={} if row.data is None else json.loads(row.data),
    )


def event_row(  # noqa: PLR0917  (in the order of the columns, on a hot path)
    at: int,
    number: int,
    attempt: int,
    type_: str,
    before: int | None = None,
    after: int | None = None,
    message: str = "",
    data: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what is kept of an event."""
    return {
        "at": at,
        "job": number,
        "attempt": attempt,
        "type": type_,
        "before": before,
        "after": after,
        "message": message,
        "data": as_json(data) if data else None,
    }


def upload_of(row: Row[Any]) -> Upload:
    """Return the upload in a row of the table."""
    over = row.next_at is None
    return Upload(
        id=identity.from_bytes(row.id),
        job=row.job,
        test_system=row.test_system,
        test_name=row.test_name,
        file=row.file,
        attempts=row.attempts,
        next_at=row.next_at or 0,
        last_error=row.last_error,
        done=row.done,
        abandoned=over and row.done is None,
    )


def upload_row(new: Upload) -> dict[str, Any]:
    """Return what is kept of an upload."""
    over = new.abandoned or new.done is not None
    return {
        "id": identity.to_bytes(new.id),
        "job": new.job,
        "test_system": plain(new.test_system),
        "test_name": plain(new.test_name),
        "file": plain(new.file),
        "attempts": new.attempts,
        "next_at": None if over else new.next_at,
        "last_error": plain(new.last_error),
        "done": new.done,
    }


EVENTS = select(event)
EVENT_COLUMNS = tuple(column.name for column in event.c if column is not event.c.seq)
UPLOADS = select(upload)
