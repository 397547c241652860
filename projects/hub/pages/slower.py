"""What got slower: columns of result tables whose newest values are worse than before.

A verdict takes a moment: pages show what is known of each table and never wait for what is newer.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool

from projects.core.errors import TopgallantError
from projects.hub.tables.columns import NUMERIC
from projects.hub.tables.names import address
from projects.hub.tables.plots import Wanted

if TYPE_CHECKING:
    from projects.hub.tables.plots import Plots
    from projects.hub.tables.store import Tables
    from projects.hub.tables.values import ResultTable
    from projects.jobs.http.access import Principal

MOST_TABLES = 100
"""Tables that are judged for one page: those that changed last."""

MOST_SHOWN = 8
_WORSE = "regression"


class Slower:
    """Verdicts by table; judged anew, one after the other, when a table has changed."""

    def __init__(self, tables: Tables, plots: Plots) -> None:
        self._tables = tables
        self._plots = plots
        self._known: dict[int, tuple[int, list[dict[str, Any]]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, who: Principal) -> list[dict[str, Any]]:
        """Return what got slower in tables that `who` sees, the newest first."""
        seen = await run_in_threadpool(self._tables.seen_by, who.sees, who.groups)
        newest = sorted(seen, key=lambda table: -table.updated)[:MOST_TABLES]
        stale = [one for one in newest if self._known.get(one.number, (0,))[0] != one.version]
        if stale and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._judge_all(stale))
            with contextlib.suppress(TimeoutError):  # most are quick enough for this very page
                await asyncio.wait_for(asyncio.shield(self._task), 0.02)
        found = [said for one in newest for said in self._known.get(one.number, (0, []))[1]]
        return sorted(found, key=lambda said: str(said["at"]), reverse=True)[:MOST_SHOWN]

    async def _judge_all(self, tables: list[ResultTable]) -> None:
        for table in tables:
            found = await run_in_threadpool(self._judge, table)
            self._known[table.number] = table.version, found

    def _judge(self, table: ResultTable) -> list[dict[str, Any]]:
        place = f"/tables/{address(table.test_system, table.test_name)}"
        found = []
        for column in table.columns:
            if column.type not in NUMERIC or not column.better:
                continue
            with contextlib.suppress(TopgallantError):  # nothing to be judged by
                verdict = self._plots.verdict(table, Wanted(column.name))
                found += [
                    {
                        "title": f"{table.name}: {column.name}",
                        "href": f"{place}?column={quote(column.name, safe='')}",
                        "said": one["sentence"],
                        "at": one["last"]["at"],
                    }
                    for one in verdict["series"]
                    if one["status"] == _WORSE
                ]
        return found
