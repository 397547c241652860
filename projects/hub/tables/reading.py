"""Rows read back: chosen, sorted, page by page; grouped; one after the other for downloads."""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, text

from projects.hub.store.tables_tables import upload
from projects.hub.tables import sql
from projects.hub.tables.columns import NUMERIC, Column, Type
from projects.hub.tables.filters import BadWords, Field, Test, field_of
from projects.hub.tables.kinds import show
from projects.hub.tables.values import Group, Origin, ResultTable, Row, RowPage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection

    from projects.jobs.store.database import Database

MOST_GROUPS = 1000
_SCANNED = 2000
"""Rows that a download reads at once: a slow client keeps no transaction open."""
_NEWEST = "-@row"
_DIGITS = 18
"""Of a number of 64 bits, at most."""


@dataclass(frozen=True, slots=True)
class Order:
    """By which field rows are sorted; those without a value come last, equal ones by number."""

    field: Field
    descending: bool


def order_of(word: str | None, columns: Sequence[Column]) -> Order:
    """Return the order that `column` or `-column` asks for; the newest row first by default.

    Raises
    ------
    BadWords
        There is no such column.
    """
    word = word or _NEWEST
    known = {column.name for column in columns}
    if word.startswith("-") and word not in known:
        return Order(field_of(word[1:], columns), descending=True)
    return Order(field_of(word, columns), descending=False)


def page(
    database: Database,
    table: ResultTable,
    tests: Sequence[Test],
    order: Order,
    *,
    limit: int,
    cursor: str | None = None,
    count: bool = False,
) -> RowPage:
    """Return some rows of `table`.

    Raises
    ------
    BadWords
        The cursor is none of ours.
    """
    with database.read() as connection:
        said, bound = sql.where(tests, sqlite=sql.is_sqlite(connection))
        source = sql.source(table, [order.field, *(test.field for test in tests)])
        matching = None
        if count:
            matching = connection.execute(
                text(f"SELECT count(*) FROM {source}{_all(said)}"),  # noqa: S608  (names of ours)
                bound,
            ).scalar_one()
        if cursor is not None:
            after = _read_cursor(connection, table, order, cursor)
            said.append(_beyond(order, after, bound))
        found = connection.execute(
            text(
                f"SELECT r.seq FROM {source}{_all(said)}"  # noqa: S608
                f" ORDER BY {_order(order)} LIMIT {limit + 1}"
            ),
            bound,
        ).all()
        rows = _rows(connection, table, [seq for (seq,) in found[:limit]])
    more = len(found) > limit
    following = str(found[limit - 1][0]) if more else None
    return RowPage(rows, following, matching)


def one(database: Database, table: ResultTable, number: int) -> Row | None:
    """Return the row with a number, or None."""
    with database.read() as connection:
        return next(iter(_rows(connection, table, [number])), None)


def scan(database: Database, table: ResultTable, tests: Sequence[Test]) -> Iterator[list[Row]]:
    """Give the rows that pass `tests` in parts, the first first, as many as there are by now."""
    last = 0
    while True:
        with database.read() as connection:
            said, bound = sql.where(tests, sqlite=sql.is_sqlite(connection))
            source = sql.source(table, [test.field for test in tests])
            said += ["r.seq > :last", "r.seq <= :end"]
            found = connection.execute(
                text(
                    f"SELECT r.seq FROM {source}{_all(said)}"  # noqa: S608  (names of ours)
                    f" ORDER BY r.seq LIMIT {_SCANNED}"
                ),
                bound | {"last": last, "end": table.rows},
            ).all()
            if not found:
                return
            rows = _rows(connection, table, [seq for (seq,) in found])
        yield rows
        last = found[-1][0]


def groups(
    database: Database,
    table: ResultTable,
    by: Sequence[Field],
    column: Column | None,
    tests: Sequence[Test],
) -> tuple[list[Group], bool]:
    """Return the rows grouped by fields, by key, with figures of a numeric column; and if all.

    Raises
    ------
    BadWords
        The column isn't numeric.
    """
    if column is not None and column.type not in NUMERIC:
        raise BadWords(f"{column.name!r} is {column.type}: figures need an integer or real column")
    with database.read() as connection:
        said, bound = sql.where(tests, sqlite=sql.is_sqlite(connection))
        source = sql.source(table, [*by, *(test.field for test in tests)])
        value = f"r.{column.sql}" if column else "NULL"
        query = f"SELECT {value}, {', '.join(field.sql for field in by)} FROM {source}{_all(said)}"  # noqa: S608
        counts: dict[tuple[Any, ...], int] = {}
        values: dict[tuple[Any, ...], list[int] | array[float]] = {}
        exact = column is not None and column.type is Type.INTEGER  # beyond 2⁵³ as well
        more = False
        for number, *rest in connection.execute(text(query), bound):
            key = tuple(rest)
            if key not in counts:
                if len(counts) == MOST_GROUPS:
                    more = True
                    continue
                counts[key], values[key] = 0, [] if exact else array("d")
            counts[key] += 1
            if number is not None:
                values[key].append(number)
    kinds = [field.type for field in by]
    ordered = sorted(counts, key=lambda key: [(part is None, part) for part in key])
    made = [_group(key, kinds, counts[key], values[key]) for key in ordered]
    return made, not more


def series(
    database: Database,
    table: ResultTable,
    fields: Sequence[Field],
    tests: Sequence[Test],
    most: int,
) -> list[tuple[Any, ...]]:
    """Return the stored values of `fields` in the newest `most` rows that pass, the oldest first.

    The first field has to have a value.
    """
    with database.read() as connection:
        said, bound = sql.where(tests, sqlite=sql.is_sqlite(connection))
        source = sql.source(table, [*fields, *(test.field for test in tests)])
        said.append(f"{fields[0].sql} IS NOT NULL")
        found = connection.execute(
            text(
                f"SELECT {', '.join(field.sql for field in fields)} FROM {source}"  # noqa: S608
                f"{_all(said)} ORDER BY r.seq DESC LIMIT {most}"
            ),
            bound,
        ).all()
    return [tuple(row) for row in reversed(found)]


def _group(key: tuple[Any, ...], kinds: list[Type], count: int, values: Sequence[float]) -> Group:
    shown = tuple(show(part, kind) for part, kind in zip(key, kinds, strict=True))
    if not values:
        return Group(shown, count, 0)
    ordered = sorted(values)
    size = len(ordered)
    low, high = ordered[(size - 1) // 2], ordered[size // 2]
    median = low if low == high else low / 2 + high / 2
    return Group(shown, count, size, ordered[0], median, _mean(ordered), ordered[-1])


def _mean(values: Sequence[float]) -> float:
    try:
        return math.fsum(values) / len(values)
    except OverflowError:  # the sum is larger than a double
        return math.fsum(value / len(values) for value in values)


def _all(said: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(said)}" if said else ""


def _order(order: Order) -> str:
    direction = " DESC" if order.descending else ""
    if order.field.name == "@row":
        return f"r.seq{direction}"
    place = order.field.sql
    return f"{place} IS NULL, {place}{direction}, r.seq"


def _beyond(order: Order, after: tuple[Any, int], bound: dict[str, Any]) -> str:
    value, seq = after
    bound["seq"] = seq
    sign = "<" if order.descending else ">"
    if order.field.name == "@row":
        return f"r.seq {sign} :seq"
    place = order.field.sql
    if value is None:
        return f"({place} IS NULL AND r.seq > :seq)"
    bound["value"] = value
    return f"({place} IS NULL OR {place} {sign} :value OR ({place} = :value AND r.seq > :seq))"


def _rows(connection: Connection, table: ResultTable, numbers: list[int]) -> list[Row]:
    """Return rows by their numbers, in that order."""
    if not numbers:
        return []
    columns = table.columns
    names = [column.name for column in columns]
    places = ", ".join(["r.seq", "r.upload", "r.at", "r.errors", *(f"r.{c.sql}" for c in columns)])
    query = text(f"SELECT {places} FROM {table.sql} r WHERE r.seq IN :numbers")  # noqa: S608
    found = connection.execute(
        query.bindparams(bindparam("numbers", expanding=True)), {"numbers": numbers}
    ).all()
    origins = _origins(connection, {row[1] for row in found})
    kinds = [column.type for column in columns]
    made = {}
    for seq, number, at, errors, *cells in found:
        values = dict(zip(names, map(show, cells, kinds), strict=True))
        beside = json.loads(errors) if errors else {}
        made[seq] = Row(seq, at, origins[number], values, beside)
    return [made[number] for number in numbers if number in made]


def _origins(connection: Connection, numbers: set[int]) -> dict[int, Origin]:
    places = (upload.c.submitter, upload.c.satellite, upload.c.job, upload.c.artifact)
    query = select(upload.c.number, *places).where(upload.c.number.in_(numbers))
    return {number: Origin(*rest) for number, *rest in connection.execute(query)}


def _read_cursor(connection: Connection, table: ResultTable, order: Order, cursor: str) -> Any:
    """Return what the row that a page ended with is sorted by, and its number.

    The number is all that a cursor has: rows stay as they are, and what one is sorted by may be
    longer than an address.
    """
    if cursor.isascii() and cursor.isdecimal() and len(cursor) <= _DIGITS:
        source = sql.source(table, [order.field])
        query = text(f"SELECT {order.field.sql}, r.seq FROM {source} WHERE r.seq = :seq")  # noqa: S608
        found = connection.execute(query, {"seq": int(cursor)}).one_or_none()
        if found is not None:
            return tuple(found)
    raise BadWords("the cursor is not one of this list: begin again without it")
