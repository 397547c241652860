"""Pages of result tables: their rows, plots and verdicts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.pages.lists import PER_PAGE, narrowed
from projects.hub.pages.page_route import PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.hub.tables import downloads, filters, reading
from projects.hub.tables.calls import plots_of, table_of, tables_of
from projects.hub.tables.columns import NUMERIC
from projects.hub.tables.plots import Wanted
from projects.hub.tables.render import table_info

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.hub.tables.values import Row

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_TABLES = 500
MOST_COLUMNS = 30
"""Columns that a page shows; downloads have all."""


@router.get("/tables")
async def tables(request: Request, who: Viewer, after: int = 0) -> Response:
    """List result tables."""
    kept = tables_of(request)
    found = await run_in_threadpool(
        lambda: kept.seen_by(who.sees, who.groups, after=after, limit=MOST_TABLES + 1)
    )
    shown = found[:MOST_TABLES]
    return page(
        request,
        "tables.html",
        who,
        section="tables",
        tables=[table_info(one) for one in shown],
        after=shown[-1].number if len(found) > MOST_TABLES else None,
    )


@router.get("/tables/{test_system}/{test_name}")
async def table(  # noqa: PLR0917  (a route)
    request: Request,
    who: Viewer,
    test_system: str,
    test_name: str,
    where: str = "",
    sort: str = "",
    cursor: str = "",
    column: str = "",
) -> Response:
    """Show the rows of a table, and a plot of one of its columns."""
    found = await table_of(request, who, test_system, test_name)
    wrong, following, matching = "", None, None
    rows: Sequence[Row] = ()
    try:
        tests = filters.parse(where or None, found.columns)
        order = reading.order_of(sort or None, found.columns)
        made = await run_in_threadpool(
            lambda: reading.page(
                tables_of(request).database,
                found,
                tests,
                order,
                limit=PER_PAGE,
                cursor=cursor or None,
                count=bool(where),
            )
        )
        rows, following, matching = made.rows, made.next, made.matching
    except filters.BadWords as error:
        wrong = error.message
    numeric = [one.name for one in found.columns if one.type in NUMERIC]
    judged = [one.name for one in found.columns if one.type in NUMERIC and one.better]
    plotted = column if column in numeric else next(iter([*judged, *numeric]), "")
    wanted = {"where": where, "sort": sort, "column": column}
    return page(
        request,
        "table.html",
        who,
        section="tables",
        status=422 if wrong else 200,
        table=found,
        info=table_info(found),
        place=f"/tables/{quote(test_system, safe='')}/{quote(test_name, safe='')}",
        columns=found.columns[:MOST_COLUMNS],
        left_out=max(0, len(found.columns) - MOST_COLUMNS),
        numeric=numeric,
        plotted=plotted,
        rows=[downloads.shown(row) for row in rows],
        next=following,
        matching=matching,
        wrong=wrong,
        wanted=wanted,
        with_=functools.partial(narrowed, wanted),
        crumbs=[("Tables", "/tables"), (found.name, "")],
    )


@router.get("/tables/{test_system}/{test_name}/verdict")
async def verdict(  # noqa: PLR0917  (a route)
    request: Request, who: Viewer, test_system: str, test_name: str, column: str, where: str = ""
) -> Response:
    """Say what is to be thought of a column's newest value."""
    found = await table_of(request, who, test_system, test_name)
    wanted = Wanted(column, where=where or None)
    said = await run_in_threadpool(plots_of(request).verdict, found, wanted)
    return page(request, "verdict.html", who, verdict=said)
