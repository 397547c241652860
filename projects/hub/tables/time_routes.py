"""`/api/v1/tables/…`: a column over time, drawn and judged, and what is accepted of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.tables import accepting, filters, schemas, verdicts
from projects.hub.tables.calls import (
    MOST_CHANGE,
    TABLE,
    Seen,
    file_answer,
    plots_of,
    table_of,
    tables_of,
)
from projects.hub.tables.names import System, Test
from projects.hub.tables.plots import Wanted
from projects.hub.tables.render import accepted
from projects.hub.tables.values import Known
from projects.jobs.http import access
from projects.jobs.http import schemas as common
from projects.jobs.http.answers import answer
from projects.jobs.http.body import read_json, read_model
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.model import moment

router = APIRouter(prefix="/api/v1/tables", responses=common.COMMON_ERRORS, tags=["tables"])

_SVG_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"


@router.get(
    TABLE + "/plot.svg",
    response_class=Response,
    responses=file_answer("image/svg+xml", "the picture"),
)
async def plot(
    request: Request,
    found: Seen,
    query: Annotated[schemas.PlotQuery, Query()],
) -> Response:
    """Draw a numeric column over time, with its changes of level and the verdict."""
    tag = f'"{found.number}-{found.version}-{moment.iso(moment.now())[:10]}"'
    headers = {
        "Content-Security-Policy": _SVG_POLICY,
        "Cache-Control": "private, no-cache",
        "ETag": tag,
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    drawn = await run_in_threadpool(plots_of(request).picture, found, _wanted(query), query.theme)
    return Response(drawn, headers=headers, media_type="image/svg+xml")


@router.get(TABLE + "/verdict", response_model=schemas.Verdict)
async def verdict(
    request: Request,
    found: Seen,
    query: Annotated[schemas.VerdictQuery, Query()],
) -> Response:
    """Judge the newest value of a numeric column beside those before it."""
    return answer(await run_in_threadpool(plots_of(request).verdict, found, _wanted(query)))


@router.get(TABLE + "/acknowledgements", response_model=schemas.AcknowledgementList)
async def acknowledgements(request: Request, found: Seen) -> Response:
    """List the changes that somebody accepts for a while."""
    known = await run_in_threadpool(accepting.all_of, tables_of(request).database, found)
    return answer({"items": [accepted(one) for one in known]})


@router.post(
    TABLE + "/acknowledgements",
    status_code=201,
    response_model=schemas.Acknowledgement,
    openapi_extra=common.body_schema(schemas.NewAcknowledgement),
)
async def acknowledge(
    request: Request, who: access.Submitter, test_system: System, test_name: Test
) -> Response:
    """Accept a change of a column until a day."""
    found = await table_of(request, who, test_system, test_name)
    wanted = read_model(schemas.NewAcknowledgement, await read_json(request, MOST_CHANGE))
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
    return answer(
        accepted(
            await run_in_threadpool(accepting.accept, tables_of(request).database, found, known)
        ),
        201,
    )


@router.delete(
    TABLE + "/acknowledgements/{acknowledgement}", status_code=204, response_class=Response
)
async def forget(
    request: Request,
    who: access.Submitter,
    test_system: System,
    test_name: Test,
    acknowledgement: Annotated[int, Path(ge=1, le=1 << 53)],
) -> Response:
    """Accept a change no longer."""
    found = await table_of(request, who, test_system, test_name)
    if not await run_in_threadpool(
        accepting.forget, tables_of(request).database, found, acknowledgement
    ):
        raise Absent(f"{found.name} has no acknowledgement {acknowledgement}")
    return Response(status_code=204)


def _wanted(query: schemas.VerdictQuery) -> Wanted:
    return Wanted(query.column, query.group, query.time, query.where)


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
