"""Result tables in the database: rows come in, once and durably; who owns what.

The rows of each result table are in an SQL table of its own with a column of the right type for
each of theirs, named by number. Measured on 100,000 rows of 20 columns (SQLite 3.40, two cores),
against the rows as JSON text with the sort column indexed, and one SQL row for each value:

====================================  ==============  =============  ================
.                                     table per test  JSON, indexed  row per value
====================================  ==============  =============  ================
filter (2 columns) and sort, a page   17 ms           180 to 445 ms  103 ms
filter (1 column) and sort, a page    18 ms           0.3 to 94 ms   67 ms
inserting all, one transaction        0.6 s           1.1 s          4.5 s
size                                  14 MB           41 MB          68 MB
====================================  ==============  =============  ================

It needs no index: reading all of a table's rows is quick because nothing else is between them. A
new column is no rewrite in either database; SQLite allows 2,000 columns, PostgreSQL 1,600.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from projects.hub.store.tables_tables import result_table, share, upload
from projects.hub.tables import sql
from projects.hub.tables.columns import as_text
from projects.hub.tables.placing import Placed, place
from projects.hub.tables.records import again, find, share_with, table_of, tables_of, update_table
from projects.hub.tables.values import Answer, Conflict, Origin, ResultTable
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from projects.hub.tables.batch import Batch
    from projects.hub.tables.columns import Column
    from projects.jobs.store.database import Database

_PART = 10_000
"""Rows that are handed to the database at once."""


class Tables:
    """The result tables of the hub; any thread may call anything."""

    def __init__(self, database: Database, clock: Callable[[], int] = moment.now) -> None:
        self.database = database
        self._clock = clock
        self._listeners: list[Callable[[tuple[str, str]], None]] = []

    def subscribe(self, listener: Callable[[tuple[str, str]], None]) -> None:
        """Call `listener` with the names of a table after each upload, in the uploader's thread."""
        self._listeners.append(listener)

    def find(self, test_system: str, test_name: str) -> ResultTable | None:
        """Return a table, or None."""
        with self.database.read() as connection:
            return find(connection, test_system, test_name)

    def seen_by(
        self, owner: str | None, groups: Iterable[str], *, after: int = 0, limit: int = 1000
    ) -> list[ResultTable]:
        """Return the tables of `owner` and of `groups` (None: all), by number, from `after` on."""
        query = select(result_table).where(result_table.c.number > after)
        if owner is not None:
            shared = select(share.c.table).where(share.c.group.in_(list(groups)))
            query = query.where((result_table.c.owner == owner) | result_table.c.number.in_(shared))
        query = query.order_by(result_table.c.number).limit(limit)
        with self.database.read() as connection:
            return tables_of(connection, connection.execute(query).all())

    def done(self, origin: Origin, key: str | None, digest: bytes) -> Answer | None:
        """Return what was answered to the same upload before; None: it wasn't there.

        Raises
        ------
        Conflict
            The key came with something else.
        """
        with self.database.read() as connection:
            return _done(connection, origin, key, digest)

    def append(  # noqa: PLR0917  (each is part of an upload)
        self,
        names: tuple[str, str],
        batch: Batch,
        origin: Origin,
        key: str | None,
        digest: bytes,
        may_append: Callable[[ResultTable], None],
        groups: Sequence[str] = (),
    ) -> Answer:
        """Append rows, or do nothing if an upload with the same key has done so. Durable.

        Parameters
        ----------
        names
            Test system and test name; a table that isn't there is made, the submitter owning it.
        digest
            Of all that was sent: the same key with another one is a mistake.
        may_append
            Raises for a table that isn't the submitter's to write to.
        groups
            That a new table belongs to as well.

        Raises
        ------
        Conflict, BadRows
            Nothing was changed.
        """
        before = self.find(*names)
        columns: tuple[Column, ...] = before.columns if before else ()
        if before is not None:
            may_append(before)
        placed = place(columns, batch)  # while others write
        with self.database.write(durable=True) as connection:
            found = _done(connection, origin, key, digest)
            if found is not None:
                return found
            table = find(connection, *names)
            if table is None:
                table = self._make(connection, names, origin.submitter, groups)
            else:
                may_append(table)
            if table.columns != columns:
                placed = place(table.columns, batch)
            answer = self._append(connection, table, placed, batch.rows, origin, key, digest)
        for listener in self._listeners:
            listener(names)
        return answer

    def _make(
        self, connection: Connection, names: tuple[str, str], owner: str, groups: Sequence[str]
    ) -> ResultTable:
        now = self._clock()
        made = connection.execute(
            insert(result_table)
            .values(
                test_system=names[0],
                test_name=names[1],
                owner=owner,
                created=now,
                updated=now,
                version=0,
                rows=0,
                errors=0,
                columns="[]",
            )
            .returning(result_table)
        ).one()
        share_with(connection, made.number, groups)
        table = table_of(made, tuple(sorted(set(groups))))
        sql.make(connection, table.sql)
        return table

    def _append(  # noqa: PLR0917  (each is part of an upload)
        self,
        connection: Connection,
        table: ResultTable,
        placed: Placed,
        count: int,
        origin: Origin,
        key: str | None,
        digest: bytes,
    ) -> Answer:
        now = self._clock()
        answer = {
            "table": {"test_system": table.test_system, "test_name": table.test_name},
            "rows": count,
            "first": table.rows + 1,
            "last": table.rows + count,
            "errors": len(placed.errors),
            "added": [column.name for column in placed.added],
            "widened": [column.name for column in placed.widened],
            "at": moment.iso(now),
            "version": table.version + 1,
        }
        body = json.dumps(answer, ensure_ascii=False)
        number = connection.execute(
            insert(upload)
            .values(
                table=table.number,
                submitter=origin.submitter,
                key=key,
                digest=digest,
                answer=body,
                at=now,
                satellite=origin.satellite,
                job=origin.job,
                artifact=origin.artifact,
                rows=count,
            )
            .returning(upload.c.number)
        ).scalar_one()
        sql.widen(connection, table.sql, placed.widened)
        sql.add(connection, table.sql, placed.added)
        self._insert(connection, table, placed, count, (number, now))
        changed: dict[str, Any] = {
            "updated": now,
            "version": table.version + 1,
            "rows": table.rows + count,
            "errors": table.errors + len(placed.errors),
        }
        if placed.columns != table.columns:
            changed["columns"] = as_text(placed.columns)
        update_table(connection, table.number, changed)
        return Answer(body, replayed=False)

    @staticmethod
    def _insert(
        connection: Connection,
        table: ResultTable,
        placed: Placed,
        count: int,
        upload_and_moment: tuple[int, int],
    ) -> None:
        number, now = upload_and_moment
        first = table.rows + 1
        beside: list[str | None] = [None] * count
        for row, errors in placed.errors.items():
            beside[row] = json.dumps(errors, ensure_ascii=False)
        for start in range(0, count, _PART):
            end = min(start + _PART, count)
            rows = list(
                zip(
                    range(first + start, first + end),
                    [number] * (end - start),
                    [now] * (end - start),
                    beside[start:end],
                    *(cells[start:end] for cells in placed.cells),
                    strict=True,
                )
            )
            sql.insert(connection, table.sql, placed.used, rows)

    def change(
        self,
        table: ResultTable,
        *,
        owner: str | None = None,
        groups: Sequence[str] | None = None,
        columns: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> ResultTable:
        """Change who has a table, or `unit` and `better` of columns; return it as it is then."""
        with self.database.write(durable=True) as connection:
            now = again(connection, table)
            changed: dict[str, Any] = {"version": now.version + 1, "updated": self._clock()}
            if owner is not None:
                changed["owner"] = owner
            if columns:
                changed["columns"] = as_text(
                    replace(column, **columns.get(column.name, {})) for column in now.columns
                )
            if groups is not None:
                connection.execute(delete(share).where(share.c.table == now.number))
                share_with(connection, now.number, groups)
            update_table(connection, now.number, changed)
            return again(connection, table)


def _done(connection: Connection, origin: Origin, key: str | None, digest: bytes) -> Answer | None:
    if key is None:
        return None
    row = connection.execute(
        select(upload.c.digest, upload.c.answer).where(
            upload.c.submitter == origin.submitter, upload.c.key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.digest) != digest:
        raise Conflict(
            "this Idempotency-Key came with another upload before: nothing was added;"
            " send a new key with new rows"
        )
    return Answer(row.answer, replayed=True)
