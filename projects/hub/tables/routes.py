"""`/api/v1/tables`: rows come in; tables, rows, figures, files and plots go out."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ValidationError
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response, StreamingResponse

from projects.core.errors import unknown
from projects.hub.tables import downloads, filters, reading, schemas, verdicts
from projects.hub.tables.plots import Plots, Wanted
from projects.hub.tables.render import accepted, group_row, table_info
from projects.hub.tables.store import Tables
from projects.hub.tables.uploading import (
    Upload,
    absent,
    append,
    check_groups,
    check_name,
    key_of,
    media_of,
    origin_of,
)
from projects.hub.tables.values import Known
from projects.jobs.http import access
from projects.jobs.http import schemas as common
from projects.jobs.http.answers import answer, json_bytes, link_to_next, page_answer
from projects.jobs.http.body import read_bytes, read_json
from projects.jobs.http.filters import words
from projects.jobs.http.refusals import Absent, Forbidden, Invalid
from projects.jobs.http.services import services_of
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.tables.values import ResultTable
    from projects.jobs.store.database import Database

_System = Annotated[str, Path(description="the test system", max_length=300)]
_Test = Annotated[str, Path(description="the name of the test", max_length=300)]

router = APIRouter(prefix="/api/v1/tables", responses=common.COMMON_ERRORS, tags=["tables"])

_TABLE = "/{test_system}/{test_name}"
_MOST_CHANGE = 1 << 20
_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"

_BODY: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "the same key and rows again: the same answer, nothing is added twice",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
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


def _file(media: str, said: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media: {}}, "description": said}}


def state(database: Database) -> dict[str, Any]:
    """Return what the routes find in `request.app.state`."""
    tables = Tables(database)
    return {"tables": tables, "table_plots": Plots(tables)}


# ── rows come in ──


@router.post(
    _TABLE + "/rows", status_code=201, response_model=schemas.Uploaded, openapi_extra=_BODY
)
async def upload_rows(
    request: Request,
    who: access.Uploader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.UploadQuery, Query()],
) -> Response:
    """Append rows: JSON (an object or a list of them) or CSV. When this answers they are on disk.

    The table is made if it isn't there. A value of another type than its column is kept beside
    its row, with an error; the row is taken.
    """
    tables = _tables(request)
    check_name(test_system, "test_system")
    check_name(test_name, "test_name")
    upload = Upload(
        names=(test_system, test_name),
        media=media_of(request.headers.get("content-type", "")),
        key=key_of(request.headers.get("idempotency-key")),
        origin=origin_of(who, query),
        groups=words(query.groups),
        data=await read_bytes(request, services_of(request).settings.most_body),
    )
    done = await run_in_threadpool(append, tables, who, upload)
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
        lambda: _tables(request).seen_by(who.sees, who.groups, after=after, limit=query.limit + 1)
    )
    shown = found[: query.limit]
    following = str(shown[-1].number) if len(found) > query.limit else None
    return page_answer(request, [table_info(one) for one in shown], following)


@router.get(_TABLE, response_model=schemas.Table)
async def table(
    request: Request, who: access.Reader, test_system: _System, test_name: _Test
) -> Response:
    """Show a table: its columns, whose it is, how many rows it has."""
    return answer(table_info(await _table(request, who, test_system, test_name)))


@router.patch(
    _TABLE, response_model=schemas.Table, openapi_extra=common.body_schema(schemas.TableChange)
)
async def change_table(
    request: Request, who: access.Submitter, test_system: _System, test_name: _Test
) -> Response:
    """Change the groups of a table, the units of its columns and which way is good; its owner."""
    found = await _table(request, who, test_system, test_name)
    if not who.may_change(found.owner):
        raise Forbidden(f"the table is {found.owner}'s: groups look at it, and add rows")
    wanted = _read(schemas.TableChange, await read_json(request, _MOST_CHANGE))
    if wanted.owner not in (None, found.owner) and not who.is_admin:
        raise Forbidden("only an admin gives a table to somebody else")
    check_groups(who, [group for group in wanted.groups or () if group not in found.groups])
    known = {column.name: column for column in found.columns}
    columns = {}
    for name, change in (wanted.columns or {}).items():
        if name not in known:
            raise Invalid(unknown("column", name[:200], known))
        columns[name] = _changed(known[name], change)
    done = await run_in_threadpool(
        lambda: _tables(request).change(
            found, owner=wanted.owner, groups=wanted.groups, columns=columns
        )
    )
    return answer(table_info(done))


@router.get(_TABLE + "/rows", response_model=schemas.RowPage)
async def rows(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.RowsQuery, Query()],
) -> Response:
    """List rows, the newest first unless `sort` says otherwise."""
    found = await _table(request, who, test_system, test_name)

    def body() -> tuple[bytes, str | None]:
        page = reading.page(
            _tables(request).database,
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


@router.get(_TABLE + "/rows/{number}", response_model=schemas.Row)
async def row(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    number: Annotated[int, Path(ge=1, le=1 << 53)],
) -> Response:
    """Show a row."""
    found = await _table(request, who, test_system, test_name)
    one = await run_in_threadpool(reading.one, _tables(request).database, found, number)
    if one is None:
        raise Absent(f"{found.name} has no row {number}")
    return answer(downloads.shown(one))


@router.get(_TABLE + "/groups", response_model=schemas.GroupList)
async def grouped(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.GroupsQuery, Query()],
) -> Response:
    """Group rows by columns: how many, and minimum, median, mean, maximum of a numeric column."""
    found = await _table(request, who, test_system, test_name)
    by = [filters.field_of(name, found.columns) for name in filters.names_of(query.by)]
    column = None if query.column is None else verdicts.numeric(query.column, found.columns)
    tests = filters.parse(query.where, found.columns)
    made, complete = await run_in_threadpool(
        reading.groups, _tables(request).database, found, by, column, tests
    )
    names = [field.name for field in by]
    return answer({"items": [group_row(one, names) for one in made], "complete": complete})


# ── files ──


@router.get(
    _TABLE + "/rows.csv", response_class=Response, responses=_file("text/csv", "all rows that fit")
)
async def csv_file(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as CSV, the oldest first; a text that looks like a formula gets a ' in front."""
    found = await _table(request, who, test_system, test_name)
    tests = filters.parse(query.where, found.columns)
    parts = reading.scan(_tables(request).database, found, tests)
    made = downloads.csv_parts(found.columns, parts)
    return StreamingResponse(
        made, media_type="text/csv; charset=utf-8", headers=_attachment(found, "csv")
    )


@router.get(
    _TABLE + "/rows.jsonl",
    response_class=Response,
    responses=_file("application/x-ndjson", "all rows that fit, one on each line"),
)
async def json_file(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as lines of JSON, the oldest first."""
    found = await _table(request, who, test_system, test_name)
    tests = filters.parse(query.where, found.columns)
    made = downloads.json_parts(reading.scan(_tables(request).database, found, tests))
    return StreamingResponse(
        made, media_type="application/x-ndjson", headers=_attachment(found, "jsonl")
    )


@router.get(
    _TABLE + "/rows.parquet",
    response_class=Response,
    responses={
        **_file("application/vnd.apache.parquet", "all rows that fit"),
        501: {"model": common.Error, "description": "pyarrow isn't installed"},
    },
)
async def parquet_file(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.DownloadQuery, Query()],
) -> Response:
    """Download rows as Parquet, the oldest first; needs pyarrow on the server."""
    found = await _table(request, who, test_system, test_name)
    tests = filters.parse(query.where, found.columns)
    parts = reading.scan(_tables(request).database, found, tests)
    path = await run_in_threadpool(downloads.parquet_file, found.columns, parts)
    return FileResponse(
        path,
        media_type="application/vnd.apache.parquet",
        headers=_attachment(found, "parquet"),
        background=BackgroundTask(os.unlink, path),
    )


# ── over time ──


@router.get(
    _TABLE + "/plot.svg", response_class=Response, responses=_file("image/svg+xml", "the picture")
)
async def plot(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.PlotQuery, Query()],
) -> Response:
    """Draw a numeric column over time, with its changes of level and the verdict."""
    found = await _table(request, who, test_system, test_name)
    tag = f'"{found.number}-{found.version}-{moment.iso(moment.now())[:10]}"'
    headers = {
        "Content-Security-Policy": _SVG_POLICY,
        "Cache-Control": "private, no-cache",
        "ETag": tag,
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    drawn = await run_in_threadpool(_plots(request).picture, found, _wanted(query), query.theme)
    return Response(drawn, headers=headers, media_type="image/svg+xml")


@router.get(_TABLE + "/verdict", response_model=schemas.Verdict)
async def verdict(
    request: Request,
    who: access.Reader,
    test_system: _System,
    test_name: _Test,
    query: Annotated[schemas.VerdictQuery, Query()],
) -> Response:
    """Judge the newest value of a numeric column beside those before it."""
    found = await _table(request, who, test_system, test_name)
    return answer(await run_in_threadpool(_plots(request).verdict, found, _wanted(query)))


@router.get(_TABLE + "/acknowledgements", response_model=schemas.AcknowledgementList)
async def acknowledgements(
    request: Request, who: access.Reader, test_system: _System, test_name: _Test
) -> Response:
    """List the changes that somebody accepts for a while."""
    found = await _table(request, who, test_system, test_name)
    known = await run_in_threadpool(_tables(request).known_changes, found)
    return answer({"items": [accepted(one) for one in known]})


@router.post(
    _TABLE + "/acknowledgements",
    status_code=201,
    response_model=schemas.Acknowledgement,
    openapi_extra=common.body_schema(schemas.NewAcknowledgement),
)
async def acknowledge(
    request: Request, who: access.Submitter, test_system: _System, test_name: _Test
) -> Response:
    """Accept a change of a column until a day."""
    found = await _table(request, who, test_system, test_name)
    wanted = _read(schemas.NewAcknowledgement, await read_json(request, _MOST_CHANGE))
    verdicts.numeric(wanted.column, found.columns)
    for name in wanted.labels:
        filters.field_of(name, found.columns)
    known = Known(
        number=0,
        column=wanted.column,
        since=_moment("since", wanted.since),
        reason=wanted.reason,
        expires=_day(wanted.expires),
        by=who.owner,
        at=0,
        labels=wanted.labels,
    )
    return answer(accepted(await run_in_threadpool(_tables(request).accept, found, known)), 201)


@router.delete(_TABLE + "/acknowledgements/{number}", status_code=204, response_class=Response)
async def forget(
    request: Request,
    who: access.Submitter,
    test_system: _System,
    test_name: _Test,
    number: Annotated[int, Path(ge=1, le=1 << 53)],
) -> Response:
    """Accept a change no longer."""
    found = await _table(request, who, test_system, test_name)
    if not await run_in_threadpool(_tables(request).forget, found, number):
        raise Absent(f"{found.name} has no acknowledgement {number}")
    return Response(status_code=204)


# ── small parts ──


def _tables(request: Request) -> Tables:
    found: Tables | None = getattr(request.app.state, "tables", None)
    if found is None:
        raise Absent("this server keeps no result tables")
    return found


def _plots(request: Request) -> Plots:
    found: Plots = request.app.state.table_plots
    return found


async def _table(
    request: Request, who: access.Principal, test_system: str, test_name: str
) -> ResultTable:
    names = (test_system, test_name)
    if "\0" in test_system + test_name:
        raise absent(names)
    found = await run_in_threadpool(_tables(request).find, *names)
    if found is None or not who.may_see(found.owner, found.groups):
        raise absent(names)
    return found


def _wanted(query: schemas.VerdictQuery) -> Wanted:
    return Wanted(query.column, query.group, query.time, query.where)


def _changed(column: Any, change: schemas.ColumnChange) -> Any:
    said = change.model_fields_set
    if "unit" in said:
        column = replace(column, unit=change.unit or "")
    if "better" in said:
        column = replace(column, better=change.better or "")
    return column


_Model = TypeVar("_Model", bound=BaseModel)


def _read(model: type[_Model], values: Any) -> _Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        fields = {
            ".".join(map(str, one["loc"]))[:200] or "body": one["msg"]
            for one in error.errors(include_url=False)[:20]
        }
        said = "; ".join(f"{name}: {reason}" for name, reason in fields.items())
        raise Invalid(said, fields=fields) from None


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 18):  # noqa: PLR2004
        raise Invalid("the cursor is not one of this list: begin again without it")
    return int(cursor)


def _moment(name: str, text: str) -> int:
    try:
        return moment.parse_iso(text)
    except (ValueError, OverflowError):
        said = f"{text[:60]!r} is no moment; write it as 2026-01-02T03:04:05Z"
        raise Invalid(f"{name}: {said}", fields={name: said}) from None


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        said = f"{text[:60]!r} is no day; write it as 2026-01-02"
        raise Invalid(f"expires: {said}", fields={"expires": said}) from None


def _attachment(table: ResultTable, ending: str) -> dict[str, str]:
    name = quote(f"{table.test_system}-{table.test_name}.{ending}", safe="")
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
