"""Rows on their way into a table: read from JSON or CSV, column by column."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

from projects.core.errors import ConfigurationError
from projects.hub.tables.columns import MARK, MOST_CELL, MOST_COLUMNS, MOST_NAME, MOST_ROWS

_DELIMITERS = (",", ";", "\t")
_SURE = MOST_CELL // 4  # so many characters fit, whatever they are


class BadRows(ConfigurationError):
    """The rows can't be taken in: none of them was."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The values of some rows: `columns[i]` are those of `names[i]`, one of each row.

    `textual`: they come from CSV, where every value is text and "" is null.
    """

    names: tuple[str, ...]
    columns: tuple[list[Any], ...]
    rows: int
    textual: bool = False


def read_json(values: Any) -> Batch:
    """Return the rows of a JSON value: an object is a row, a list of objects several.

    A name that a row hasn't got is null.

    Raises
    ------
    BadRows
        It is something else, or too much.
    """
    rows = [values] if isinstance(values, dict) else values
    if not isinstance(rows, list):
        raise BadRows("send an object (a row) or a list of objects (rows)")
    _check_rows(len(rows))
    names: dict[str, None] = {}
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise BadRows(f"row {number} is no object: rows are objects of names and values")
        if not names.keys() >= row.keys():
            names.update(dict.fromkeys(row))
            if len(names) > MOST_COLUMNS:
                more = set(names).union(*rows[number:]) if _all_objects(rows) else names
                raise too_many_columns(len(more))
    columns = tuple([row.get(name) for row in rows] for name in names)
    return _checked(Batch(tuple(names), columns, len(rows)))


def read_csv(data: bytes) -> Batch:
    """Return the rows of CSV (RFC 4180) in UTF-8, the first line being the names of the columns.

    A byte order mark is skipped; the delimiter is the one of comma, semicolon and tab that the
    first line has most of. Empty lines are skipped, cells missing at the end of a row are null; a
    column without a name is named by its place, or left out if it is empty.

    Raises
    ------
    BadRows
        It isn't CSV, or not with unique names, or too much.
    """
    text = _decoded(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[list[str]] = []
    try:
        header = next(reader, [])
        if len(header) > MOST_COLUMNS:
            raise too_many_columns(len(header))
        width = len(header)
        for row in reader:
            if len(row) != width:
                if not row:
                    continue
                if len(row) > width and any(row[width:]):
                    raise BadRows(
                        f"line {reader.line_num} has {len(row)} cells, the first line {width}"
                    )
                row = (row + [""] * width)[:width]  # noqa: PLW2901
            rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error as error:
        raise BadRows(f"line {reader.line_num}: {error}") from None
    _check_rows(len(rows))
    return _checked(_named(header, [list(column) for column in zip(*rows, strict=True)], len(rows)))


def _named(header: list[str], columns: list[list[str]], rows: int) -> Batch:
    names, kept = [], []
    for place, (name, column) in enumerate(zip(header, columns, strict=True), 1):
        stripped = name.strip()
        if not stripped and not any(column):
            continue
        names.append(stripped or f"column {place}")
        kept.append(column)
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise BadRows(f"the first line has the name {', '.join(map(repr, twice[:5]))} twice")
    return Batch(tuple(names), tuple(kept), rows, textual=True)


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRows(
            f"the CSV is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        ) from None
    if not text.strip():
        raise BadRows("the CSV is empty: its first line has the names of the columns")
    return text


def _delimiter(text: str) -> str:
    """Return the delimiter that the first line has most of, outside of quotes."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "\r\n":
            break
        elif not quoted and character in counts:
            counts[character] += 1
    return max(_DELIMITERS, key=lambda each: counts[each])


def too_many_columns(count: int) -> BadRows:
    """Return the error for more columns than a table has."""
    return BadRows(f"{count:,} columns: a table has at most {MOST_COLUMNS}")


def _check_rows(count: int) -> None:
    if not count:
        raise BadRows("there are no rows")
    if count > MOST_ROWS:
        raise BadRows(f"more than {MOST_ROWS:,} rows: send them in parts")


def _all_objects(rows: list[Any]) -> bool:
    return all(isinstance(row, dict) for row in rows)


def _checked(batch: Batch) -> Batch:
    for name in batch.names:
        _check_name(name)
    for name, column in zip(batch.names, batch.columns, strict=True):
        _check_texts(name, column)
    return batch


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        raise BadRows(
            f"{name[:60]!r} can't be the name of a column: 1 to {MOST_NAME} printable characters"
        )
    if name.startswith(MARK):
        raise BadRows(f"{name[:60]!r}: names that begin with {MARK} are the hub's own")


def _check_texts(name: str, column: list[Any]) -> None:
    for number, value in enumerate(column, 1):
        if type(value) is str:
            if "\0" in value:
                raise BadRows(f"row {number}, {name!r}: a NUL character can't be kept")
            if len(value) > _SURE:
                check_size(number, name, len(value.encode()))


def check_size(row: int, name: str, size: int) -> None:
    """Refuse a value of more than `MOST_CELL` bytes.

    Raises
    ------
    BadRows
        It has so many.
    """
    if size > MOST_CELL:
        raise BadRows(
            f"row {row}, {name!r}: a value of {size:,} bytes; the most is {MOST_CELL:,}"
            " (64 KiB): keep it as an artifact"
        )
