"""SQL for the tables of rows, in the words of SQLite and of PostgreSQL.

Only numbers of ours get into the text; what clients send is bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.hub.tables.columns import Column, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from projects.hub.tables.filters import Field, Test
    from projects.hub.tables.values import ResultTable

_INTEGER, _REAL, _TEXT = "BIGINT", "DOUBLE PRECISION", 'TEXT COLLATE "C"'
_TYPES = {
    Type.INTEGER: _INTEGER,
    Type.REAL: _REAL,
    Type.BOOLEAN: "SMALLINT",
    Type.TEXT: _TEXT,
    Type.DATE_TIME: _INTEGER,
    Type.JSON: _TEXT,
}


def is_sqlite(connection: Connection) -> bool:
    """Return which of the two it is."""
    return connection.dialect.name == "sqlite"


def make(connection: Connection, name: str) -> None:
    """Make the SQL table of a result table, without columns yet."""
    connection.exec_driver_sql(
        f"CREATE TABLE {name} (seq BIGINT PRIMARY KEY, upload BIGINT NOT NULL,"
        " at BIGINT NOT NULL, errors TEXT)"
        if not is_sqlite(connection)
        else f"CREATE TABLE {name} (seq INTEGER PRIMARY KEY, upload INTEGER NOT NULL,"
        " at INTEGER NOT NULL, errors TEXT)"
    )


def add(connection: Connection, name: str, columns: Iterable[Column]) -> None:
    """Add columns; neither database rewrites the rows for it."""
    for column in columns:
        kind = _TYPES[column.type]
        if is_sqlite(connection):
            kind = kind.partition(" COLLATE")[0]
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {column.sql} {kind}")


def widen(connection: Connection, name: str, columns: Iterable[Column]) -> None:
    """Let columns of integers hold reals, which those of SQLite do anyway."""
    if is_sqlite(connection):
        return
    for column in columns:
        connection.exec_driver_sql(f"ALTER TABLE {name} ALTER COLUMN {column.sql} TYPE {_REAL}")


def insert(
    connection: Connection, name: str, columns: Sequence[Column], rows: list[tuple[Any, ...]]
) -> None:
    """Insert rows of seq, upload, at, errors and the values of `columns`."""
    into = ", ".join(["seq", "upload", "at", "errors", *(column.sql for column in columns)])
    mark = "?" if is_sqlite(connection) else "%s"
    marks = ", ".join([mark] * (len(columns) + 4))
    connection.exec_driver_sql(
        f"INSERT INTO {name} ({into}) VALUES ({marks})",  # noqa: S608  (names of ours)
        rows,
    )


def source(table: ResultTable, fields: Iterable[Field]) -> str:
    """Return what rows are selected from: with their uploads where one of `fields` needs them."""
    if any(field.of_upload for field in fields):
        return f"{table.sql} r JOIN hub_table_upload u ON u.number = r.upload"
    return f"{table.sql} r"


def where(tests: Sequence[Test], *, sqlite: bool) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions that `tests` are, and what is bound in them."""
    said: list[str] = []
    bound: dict[str, Any] = {}
    for test in tests:
        names = []
        for value in test.values:
            names.append(f":v{len(bound)}")
            bound[f"v{len(bound)}"] = value
        said.append(_condition(test, names, sqlite=sqlite))
        if test.values == (None,):
            bound.popitem()
    return said, bound


def _condition(test: Test, names: list[str], *, sqlite: bool) -> str:
    place = test.field.sql
    if test.values == (None,):
        return f"{place} IS {'NOT ' if test.op == '!=' else ''}NULL"
    if test.op == "in":
        return f"{place} IN ({', '.join(names)})"
    if test.op in ("~", "!~"):
        found = f"{'instr' if sqlite else 'strpos'}({place}, {names[0]})"
        return f"{found} {'>' if test.op == '~' else '='} 0"
    return f"{place} {'<>' if test.op == '!=' else test.op} {names[0]}"
