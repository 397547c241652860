"""A table as a file: CSV for spreadsheets, lines of JSON and Parquet for programs."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError
from projects.hub.tables.columns import Column, Type
from projects.jobs.http.answers import json_bytes
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from projects.hub.tables.values import Row

OWN = ("@row", "@at", "@by", "@satellite", "@job", "@artifact", "@errors")
"""The columns that the hub adds, behind those of the table."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


INSTALL = ".venv/bin/python -m pip install --no-deps --require-hashes -r requirements-parquet.lock"
"""What makes Parquet possible, at once: docs/decisions/0005-parquet-on-request.md."""


class NoParquet(UsageError):
    """The library that writes Parquet isn't installed."""

    http_status = 406


def csv_parts(columns: Sequence[Column], parts: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Give a table as CSV (RFC 4180, UTF-8), with what the hub knows of each row.

    A text that a spreadsheet would take for a formula gets a ' in front (OWASP, "CSV Injection");
    numbers don't.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*(_guarded(column.name) for column in columns), *OWN])
    for rows in parts:
        for row in rows:
            shown = [_cell(row.values[column.name], column.type) for column in columns]
            writer.writerow(shown + [_guarded(value) for value in _own_texts(row)])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def json_parts(parts: Iterable[Sequence[Row]]) -> Iterator[bytes]:
    """Give a table as lines of JSON: each a row, as pages show it."""
    for rows in parts:
        yield b"".join(json_bytes(shown(row)) + b"\n" for row in rows)


def shown(row: Row) -> dict[str, Any]:
    """Return a row as JSON shows it, with links to the pages of its job and artifact."""
    origin = row.origin
    links = {}
    if origin.job:
        links["job"] = f"/jobs/{origin.job}"
    if origin.artifact:
        links["artifact"] = f"/artifacts/{origin.artifact}"
    return {
        "row": row.number,
        "at": moment.iso(row.at),
        "by": origin.submitter,
        "satellite": origin.satellite,
        "job": origin.job,
        "artifact": origin.artifact,
        "links": links,
        "values": row.values,
        "errors": row.errors,
    }


def parquet_possible() -> bool:
    """Return whether what writes Parquet is installed; looks, but doesn't import it."""
    return importlib.util.find_spec("pyarrow") is not None


def parquet_file(columns: Sequence[Column], parts: Iterable[Sequence[Row]]) -> str:
    """Write a table as a Parquet file; return its path, for the caller to remove.

    Moments are timestamps of µs in UTC, JSON is text.

    Raises
    ------
    NoParquet
        pyarrow isn't installed.
    """
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise NoParquet(
            f"Parquet needs pyarrow on the server, which is installed on request: {INSTALL},"
            " in the checkout of the hub; CSV and JSON need nothing"
        ) from None
    kinds = {
        Type.INTEGER: arrow.int64(),
        Type.REAL: arrow.float64(),
        Type.BOOLEAN: arrow.bool_(),
        Type.DATE_TIME: arrow.timestamp("us", tz="UTC"),
    }
    own = {"@row": arrow.int64(), "@at": kinds[Type.DATE_TIME]}
    fields = [(column.name, kinds.get(column.type, arrow.string())) for column in columns]
    fields += [(name, own.get(name, arrow.string())) for name in OWN]
    schema = arrow.schema(fields)
    descriptor, path = tempfile.mkstemp(suffix=".parquet")
    os.close(descriptor)
    try:
        with parquet.ParquetWriter(path, schema) as writer:
            for rows in parts:
                writer.write_table(arrow.table(_arrow_columns(columns, rows), schema=schema))
    except BaseException:
        os.unlink(path)
        raise
    return path


def _arrow_columns(columns: Sequence[Column], rows: Sequence[Row]) -> dict[str, list[Any]]:
    made: dict[str, list[Any]] = {}
    for column in columns:
        values = [row.values[column.name] for row in rows]
        if column.type is Type.DATE_TIME:
            values = [None if value is None else moment.parse_iso(value) for value in values]
        elif column.type is Type.JSON:
            values = [None if value is None else _json(value) for value in values]
        made[column.name] = values
    own = [_own_values(row) for row in rows]
    for place, name in enumerate(OWN):
        made[name] = [values[place] for values in own]
    return made


def _own_values(row: Row) -> tuple[Any, ...]:
    origin = row.origin
    errors = _json(row.errors) if row.errors else None
    known = (origin.submitter, origin.satellite, origin.job, origin.artifact)
    return (row.number, row.at, *known, errors)


def _own_texts(row: Row) -> list[str]:
    number, at, *rest = _own_values(row)
    return [str(number), moment.iso(at), *("" if value is None else str(value) for value in rest)]


def _cell(value: Any, kind: Type) -> Any:
    if value is None:
        return ""
    if kind is Type.BOOLEAN:
        return "true" if value else "false"
    if kind is Type.JSON:
        return _guarded(_json(value))
    return _guarded(value) if kind is Type.TEXT else value


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
