"""The rows of `hub_table`: tables as the database has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from projects.hub.store.tables_tables import result_table, share
from projects.hub.tables.columns import from_text
from projects.hub.tables.values import ResultTable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row


def find(connection: Connection, test_system: str, test_name: str) -> ResultTable | None:
    """Return a table as a connection sees it, or None."""
    query = select(result_table).where(
        result_table.c.test_system == test_system, result_table.c.test_name == test_name
    )
    return next(iter(tables_of(connection, connection.execute(query).all())), None)


def again(connection: Connection, table: ResultTable) -> ResultTable:
    """Return a table as it is now."""
    found = find(connection, table.test_system, table.test_name)
    assert found is not None  # noqa: S101  (tables stay)
    return found


def tables_of(connection: Connection, rows: Sequence[Row[Any]]) -> list[ResultTable]:
    """Return the tables of rows of `hub_table`, with their groups."""
    groups: dict[int, list[str]] = {}
    if rows:
        numbers = [row.number for row in rows]
        query = select(share.c.table, share.c.group).where(share.c.table.in_(numbers))
        for number, group in connection.execute(query.order_by(share.c.group)):
            groups.setdefault(number, []).append(group)
    return [table_of(row, tuple(groups.get(row.number, ()))) for row in rows]


def table_of(row: Row[Any], groups: tuple[str, ...]) -> ResultTable:
    """Return the table that a row of `hub_table` is."""
    return ResultTable(
        number=row.number,
        test_system=row.test_system,
        test_name=row.test_name,
        owner=row.owner,
        groups=groups,
        created=row.created,
        updated=row.updated,
        version=row.version,
        rows=row.rows,
        errors=row.errors,
        columns=from_text(row.columns),
    )


def update_table(connection: Connection, number: int, changed: Mapping[str, Any]) -> None:
    """Change columns of a table's row."""
    connection.execute(
        update(result_table).where(result_table.c.number == number).values(**changed)
    )


def share_with(connection: Connection, number: int, groups: Sequence[str]) -> None:
    """Let groups see a table."""
    if groups:
        rows = [{"table": number, "group": group} for group in sorted(set(groups))]
        connection.execute(insert(share), rows)
