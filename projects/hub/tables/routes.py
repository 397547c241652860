"""`/api/v1/tables`: rows come in; tables, rows, figures, files and plots go out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from projects.hub.tables import changing, downloads, filters, reading, schemas, verdicts
from projects.hub.tables.calls import (
    MOST_CHANGE,
    TABLE,
    Seen,
    file_answer,
    table_of,
    tables_of,
)
from projects.hub.tables.names import System, Test, check_name
from projects.hub.tables.plots import Plots
from projects.hub.tables.render import group_row, table_info
from projects.hub.tables.store import Tables
from projects.hub.tables.uploading import (
    Upload,
    append,
    key_of,
    media_of,
    origin_of,
)
from projects.jobs.http import access
from projects.jobs.http import schemas as common
from projects.jobs.http.answers import answer, json_bytes, link_to_next, page_answer
from projects.jobs.http.body import read_bytes, read_json, read_model
from projects.jobs.http.filters import words
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.http.services import services_of

if TYPE_CHECKING:
    from projects.hub.tables.values import ResultTable
    from projects.jobs.store.database import Database

router = APIRouter(prefix="/api/v1/tables", responses=common.COMMON_ERRORS, tags=["tables"])


_BODY: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "the same key and rows again: the same answer, nothing is added twice",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        },
        {
            "name": "Topgallant-Job",
            "in": "header",
            "description": "id of the job that measured the rows, unless `job` says so",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"type": "object"},
                        {"type": "array", "items": {"type": "object"}, "minItems": 1},
                    ]
                }
            },
            "text/csv": {"schema": {"type": "string"}},
        },
    },
}


def state(database: Database) -> dict[str, Any]:
    """Return what the routes find in `request.app.state`."""
    tables = Tables(database)
    return {"tables": tables, "table_plots": Plots(tables)}


# ── rows come in ──


@router.post(TABLE + "/rows", status_code=201, response_model=schemas.Uploaded, openapi_extra=_BODY)
async def upload_rows(
    request: Request,
    who: access.Uploader,
    test_system: System,
    test_name: Test,
    query: Annotated[schemas.UploadQuery, Query()],
) -> Response:
    """Append rows: JSON (an object or a list of them) or CSV. When this answers they are on disk.

    The table is made if it isn't there. A value of another type than its column is kept beside
    its row, with an error; the row is taken.
    """
    tables = tables_of(request)
    check_name(test_system, "test_system")
    check_name(test_name, "test_name")
    upload = Upload(
        names=(test_system, test_name),
        media=media_of(request.headers.get("content-type", "")),
        key=key_of(request.headers.get("idempotency-key")),
        origin=origin_of(who, query, request.headers.get("topgallant-job")),
        groups=None if query.groups is None else words(query.groups),
        data=await read_bytes(request, services_of(request).settings.most_body),
    )
    done = await run_in_threadpool(append, tables, who, upload, services_of(request).sharing)
    headers = {"Idempotent-Replayed": "true"} if done.replayed else {}
    return Response(done.body.encode(), 201, headers, media_type="application/json")


# ── what there is ──


@router.get("", response_model=schemas.TablePage)
async def tables(
    request: Request, who: access.Reader, query: Annotated[schemas.ListQuery, Query()]
) -> Response:
    """List tables, the oldest first."""
    after = _number(query.cursor)
    found = await run_in_threadpool(
        lambda: tables_of(request).seen_by(who.sees, who.groups, after=after, limit=query.limit + 1)
    )
    shown = found[: query.limit]
    following = str(shown[-1].number) if len(found) > query.limit else None
    return page_answer(request, [table_info(one) for one in shown], following)


@router.get(TABLE, response_model=schemas.Table)
async def table(found: Seen) -> Response:
    """Show a table: its columns, whose it is, how many rows it has."""
    return answer(table_info(found))


@router.patch(
    TABLE, response_model=schemas.Table, openapi_extra=common.body_schema(schemas.TableChange)
)
async def change_table(
    request: Request, who: access.Submitter, test_system: System, test_name: Test
) -> Response:
    """Change the groups of a table, the units of its columns and which way is good; its owner."""
    found = await table_of(request, who, test_system, test_name)
    changing.check_may_change(who, found)
    wanted = read_model(schemas.TableChange, await read_json(request, MOST_CHANGE))
    done = await run_in_threadpool(changing.change, tables_of(request), who, found, wanted)
    return answer(table_info(done))


@router.get(TABLE + "/rows", response_model=schemas.RowPage)
async def rows(
    request: Request,
    found: Seen,
    query: Annotated[schemas.RowsQuery, Query()],
) -> Response:
    """List rows, the newest first unless `sort` says otherwise."""

    def body() -> tuple[bytes, str | None]:
        page = reading.page(
            tables_of(request).database,
            found,
            filters.parse(query.where, found.columns),
            reading.order_of(query.sort, found.columns),
            limit=query.limit,
            cursor=query.cursor,
            count=query.count,
        )
        value = {
            "items": [downloads.shown(row) for row in page.rows],
            "next": page.next,
            "total": found.rows,
            "matching": page.matching,
            "columns": [column.describe() for column in found.columns],
        }
        return json_bytes(value), page.next

    data, following = await run_in_threadpool(body)
    headers = link_to_next(request, following)
    return Response(data, headers=headers, media_type="application/json")


@router.get(TABLE + "/rows/{number}", response_model=schemas.Row)
async def row(
    request: Request,
    found: Seen,
    number: Annotated[int, Path(ge=1, le=1 << 53)],
) -> Response:
    """Show a row."""
    one = await run_in_threadpool(reading.one, tables_of(request).database, found, number)
    if one is None:
        raise Absent(f"{found.name} has no row {number}")
    return answer(downloads.shown(one))


@router.get(TABLE + "/groups", response_model=schemas.GroupList)
async def grouped(
    request: Request,
    found: Seen,
    query: Annotated[schemas.GroupsQuery, Query()],
) -> Response:
    """Group rows by columns: how many, and minimum, median, mean, maximum of a numeric column."""
    by = [filters.field_of(name, found.columns) for name in filters.names_of(query.by)]
    column = None if query.column is None else verdicts.numeric(query.column, found.columns)
    tests = filters.parse(query.where, found.columns)
    made, complete = await run_in_threadpool(
        reading.groups, tables_of(request).database, found, by, column, tests
    )
    names = [field.name for field in by]
    return answer({"items": [group_row(one, names) for one in made], "complete": complete})


# ── files ──


@router.get(
    TABLE + "/rows.csv",
    response_class=Response,
    responses=file_answer("text/csv", "all rows that fit"),
)
async def csv_file(
    request: Request,
    found: Seen,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as CSV, the oldest first; what looks like a formula gets a ' in front."""
    tests = filters.parse(query.where, found.columns)
    parts = reading.scan(tables_of(request).database, found, tests)
    made = downloads.csv_parts(found.columns, parts)
    return StreamingResponse(
        made, media_type="text/csv; charset=utf-8", headers=_attachment(found, "csv")
    )


@router.get(
    TABLE + "/rows.jsonl",
    response_class=Response,
    responses=file_answer("application/x-ndjson", "all rows that fit, one on each line"),
)
async def json_file(
    request: Request,
    found: Seen,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as lines of JSON, the oldest first."""
    tests = filters.parse(query.where, found.columns)
    made = downloads.json_parts(reading.scan(tables_of(request).database, found, tests))
    return StreamingResponse(
        made, media_type="application/x-ndjson", headers=_attachment(found, "jsonl")
    )


@router.get(
    TABLE + "/rows.parquet",
    response_class=Response,
    responses=file_answer("application/vnd.apache.parquet", "all rows that fit"),
)
async def parquet_file(
    request: Request,
    found: Seen,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as Parquet, the oldest first; 406 where pyarrow isn't installed."""
    tests = filters.parse(query.where, found.columns)
    parts = reading.scan(tables_of(request).database, found, tests)
    path = await run_in_threadpool(downloads.parquet_file, found.columns, parts)
    return FileResponse(
        path,
        media_type="application/vnd.apache.parquet",
        headers=_attachment(found, "parquet"),
        background=BackgroundTask(os.unlink, path),
    )


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):  # noqa: PLR2004
        raise Invalid("the cursor is not one of this list: begin again without it")
    return int(cursor)


def _attachment(table: ResultTable, ending: str) -> dict[str, str]:
    name = quote(f"{table.test_system}-{table.test_name}.{ending}", safe="")
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
