"""Changes of a table's columns that somebody knows of and accepts for a while."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from projects.hub.store.tables_tables import acknowledgement, result_table
from projects.hub.tables.records import update_table
from projects.hub.tables.values import Known
from projects.jobs.model import moment

if TYPE_CHECKING:
    from sqlalchemy import Row

    from projects.hub.tables.values import ResultTable
    from projects.jobs.store.database import Database


def all_of(database: Database, table: ResultTable) -> list[Known]:
    """Return the changes that somebody accepts, in the order in which they said so."""
    query = select(acknowledgement).where(acknowledgement.c.table == table.number)
    with database.read() as connection:
        rows = connection.execute(query.order_by(acknowledgement.c.number)).all()
    return [_known(row) for row in rows]


def accept(database: Database, table: ResultTable, known: Known) -> Known:
    """Keep that somebody accepts a change; its number and moment are given here."""
    with database.write(durable=True) as connection:
        now = moment.now()
        row = connection.execute(
            insert(acknowledgement)
            .values(
                table=table.number,
                column=known.column,
                labels=json.dumps(dict(known.labels), ensure_ascii=False),
                since=known.since,
                reason=known.reason,
                expires=known.expires,
                by=known.by,
                at=now,
            )
            .returning(acknowledgement)
        ).one()
        update_table(connection, table.number, {"version": result_table.c.version + 1})
    return _known(row)


def forget(database: Database, table: ResultTable, number: int) -> bool:
    """Accept a change no longer; return whether there was such an acknowledgement."""
    with database.write(durable=True) as connection:
        gone = connection.execute(
            delete(acknowledgement).where(
                acknowledgement.c.table == table.number, acknowledgement.c.number == number
            )
        )
        update_table(connection, table.number, {"version": result_table.c.version + 1})
        return gone.rowcount > 0


def _known(row: Row[Any]) -> Known:
    return Known(
        number=row.number,
        column=row.column,
        since=row.since,
        reason=row.reason,
        expires=row.expires,
        by=row.by,
        at=row.at,
        labels=json.loads(row.labels),
    )
