"""The outbox: result files on their way to the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from projects.jobs.model import identity
from projects.jobs.store.rows import UPLOADS, plain, upload_of, upload_row
from projects.jobs.store.tables import upload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from projects.jobs.model.entities import Upload

_ADD_SQLITE = sqlite.insert(upload).on_conflict_do_nothing()
_ADD_POSTGRESQL = postgresql.insert(upload).on_conflict_do_nothing()


def add_uploads(connection: Connection, uploads: Sequence[Upload]) -> None:
    """Keep uploads; one whose id is there already stays as it is."""
    statement = _ADD_SQLITE if connection.dialect.name == "sqlite" else _ADD_POSTGRESQL
    connection.execute(statement, [upload_row(each) for each in uploads])


def due(connection: Connection, at: int, limit: int) -> list[Upload]:
    """Return uploads whose time has come, the longest due first."""
    query = UPLOADS.where(upload.c.next_at <= at).order_by(upload.c.next_at).limit(limit)
    return [upload_of(row) for row in connection.execute(query)]


def next_due(connection: Connection) -> int | None:
    """Return the moment at which an upload is due next."""
    found: int | None = connection.scalar(
        select(func.min(upload.c.next_at)).where(upload.c.next_at.is_not(None))
    )
    return found


def of_job(connection: Connection, number: int) -> list[Upload]:
    """Return the uploads of a job, in a fixed order."""
    query = UPLOADS.where(upload.c.job == number).order_by(upload.c.id)
    return [upload_of(row) for row in connection.execute(query)]


def failed(connection: Connection, id_: str, next_at: int | None, error: str) -> None:
    """Count an attempt of an upload that isn't over."""
    connection.execute(
        update(upload)
        .where(upload.c.id == identity.to_bytes(id_), upload.c.next_at.is_not(None))
        .values(attempts=upload.c.attempts + 1, next_at=next_at, last_error=plain(error))
    )


def done(connection: Connection, id_: str, at: int) -> None:
    """Say that the hub has it; also of one that was given up."""
    connection.execute(
        update(upload)
        .where(upload.c.id == identity.to_bytes(id_), upload.c.done.is_(None))
        .values(attempts=upload.c.attempts + 1, next_at=None, done=at)
    )
