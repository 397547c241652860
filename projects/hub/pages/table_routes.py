"""Result tables: their rows, plots and verdicts, and what their owners say of columns."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.hub.pages import forms
from projects.hub.pages.lists import PER_PAGE, narrowed
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.hub.tables import changing, downloads, filters, reading, schemas
from projects.hub.tables.calls import plots_of, table_of, tables_of
from projects.hub.tables.columns import NUMERIC
from projects.hub.tables.names import System, Test, address
from projects.hub.tables.plots import Wanted
from projects.hub.tables.render import table_info
from projects.jobs.http.body import read_form, read_model
from projects.jobs.http.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.hub.tables.columns import Column
    from projects.hub.tables.values import ResultTable, Row
    from projects.jobs.http.access import Principal

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
    test_system: System,
    test_name: Test,
    where: str = "",
    sort: str = "",
    cursor: str = "",
    column: str = "",
    done: str = "",
) -> Response:
    """Show the rows of a table, and a plot of one of its columns."""
    found = await table_of(request, who, test_system, test_name)
    asked = _Asked(where, sort, cursor, column)
    return await _table(request, who, found, forms.EMPTY, asked, done=done)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which rows are shown, and which column is drawn."""

    where: str = ""
    sort: str = ""
    cursor: str = ""
    column: str = ""


async def _table(
    request: Request,
    who: Principal,
    found: ResultTable,
    settings: forms.Filled,
    asked: _Asked | None = None,
    *,
    done: str = "",
) -> Response:
    asked = asked or _Asked()
    where, sort, column = asked.where, asked.sort, asked.column
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
                cursor=asked.cursor or None,
                count=bool(where),
            )
        )
        rows, following, matching = made.rows, made.next, made.matching
    except filters.BadWords as error:
        wrong = error.message
    numeric = [one.name for one in _numeric(found)]
    judged = [one.name for one in _numeric(found) if one.better]
    plotted = column if column in numeric else next(iter([*judged, *numeric]), "")
    wanted = {"where": where, "sort": sort, "column": column}
    return page(
        request,
        "table.html",
        who,
        section="tables",
        status=422 if wrong else settings.status,
        table=found,
        info=table_info(found),
        place=f"/tables/{address(found.test_system, found.test_name)}",
        columns=found.columns[:MOST_COLUMNS],
        parquet=downloads.parquet_possible(),
        install=downloads.INSTALL,
        left_out=max(0, len(found.columns) - MOST_COLUMNS),
        numeric=numeric,
        plotted=plotted,
        judged=judged,
        may_change=who.may_change(found.owner),
        settable=_numeric(found)[:MOST_COLUMNS],
        settings=settings,
        groups=sorted({*who.groups, *found.groups}),
        done="Saved." if done == "settings" else "",
        rows=[downloads.shown(row) for row in rows],
        next=following,
        matching=matching,
        wrong=wrong,
        wanted=wanted,
        with_=functools.partial(narrowed, wanted),
        crumbs=[("Tables", "/tables"), (found.name, "")],
    )


@router.post("/tables/{test_system}/{test_name}/settings")
async def change_table(
    request: Request, who: Actor, test_system: System, test_name: Test
) -> Response:
    """Say which way columns are good, their units, and who sees the table; for its owner."""
    found = await table_of(request, who, test_system, test_name)
    changing.check_may_change(who, found)
    form = await read_form(request)
    value: dict[str, Any] = {"groups": form.all_of("group"), "columns": {}}
    for column in _numeric(found)[:MOST_COLUMNS]:
        unit, better = (form.get(f"{what}.{column.number}").strip() for what in ("unit", "better"))
        value["columns"][column.name] = {"unit": unit, "better": better or None}
    try:
        wanted = read_model(schemas.TableChange, value)
        await run_in_threadpool(changing.change, tables_of(request), who, found, wanted)
    except Refusal as refusal:
        errors = {
            f"{what}.{column.number}": said
            for column in _numeric(found)
            for what in ("unit", "better")
            if (said := refusal.fields.get(f"columns.{column.name}.{what}"))
        }
        said = "" if errors else refusal.message
        return await _table(
            request, who, found, forms.wrong(form, errors, said, refusal.http_status)
        )
    return RedirectResponse(f"/tables/{address(test_system, test_name)}?done=settings", 303)


@router.get("/tables/{test_system}/{test_name}/verdict")
async def verdict(  # noqa: PLR0917  (a route)
    request: Request,
    who: Viewer,
    test_system: System,
    test_name: Test,
    column: str,
    where: str = "",
) -> Response:
    """Say what is to be thought of a column's newest value."""
    found = await table_of(request, who, test_system, test_name)
    wanted = Wanted(column, where=where or None)
    said = await run_in_threadpool(plots_of(request).verdict, found, wanted)
    return page(request, "verdict.html", who, verdict=said)


def _numeric(table: ResultTable) -> list[Column]:
    return [column for column in table.columns if column.type in NUMERIC]
