"""The processes of jobs that have several."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from projects.jobs.model.entities import Process
from projects.jobs.store.tables import job, process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_COLUMNS = tuple(column.name for column in process.c)


def _upsert(dialect: Any) -> Any:
    statement = dialect.insert(process)
    return statement.on_conflict_do_update(
        index_elements=list(process.primary_key),
        set_={name: statement.excluded[name] for name in ("exit_code", "signal")},
    )


_KEEP_SQLITE, _KEEP_POSTGRESQL = _upsert(sqlite), _upsert(postgresql)
_READ = select(process).order_by(*process.primary_key)
_OWN = select(
    job.c.number, job.c.attempt, job.c.pid, job.c.start_ticks, job.c.boot_id,
    job.c.return_code, job.c.signal,
)  # fmt: skip


def keep_processes(connection: Connection, processes: Sequence[Process]) -> None:
    """Keep processes; of one that is there already, how it ended."""
    statement = _KEEP_SQLITE if connection.dialect.name == "sqlite" else _KEEP_POSTGRESQL
    connection.execute(statement, [asdict(each) for each in processes])


def processes_of(connection: Connection, number: int) -> list[Process]:
    """Return the processes of a job; see `Store.processes`."""
    rows = connection.execute(_READ.where(process.c.job == number)).all()
    if rows:
        return [Process(*row) for row in rows]
    row = connection.execute(_OWN.where(job.c.number == number)).one_or_none()
    if row is None or row.pid is None:
        return []
    return [
        Process(
            job=row.number,
            attempt=row.attempt,
            group=0,
            index=0,
            pid=row.pid,
            start_ticks=row.start_ticks or 0,
            boot_id=row.boot_id or "",
            exit_code=row.return_code,
            signal=row.signal,
        )
    ]
