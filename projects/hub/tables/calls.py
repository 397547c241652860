"""What the routes of tables have in common: tables found for a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from projects.core.errors import nearest
from projects.hub.tables.names import System, Test  # noqa: TC001  (as above)
from projects.hub.tables.uploading import absent
from projects.hub.tables.values import ResultTable
from projects.jobs.http.access import Principal, Reader  # noqa: TC001
from projects.jobs.http.refusals import Absent

if TYPE_CHECKING:
    from projects.hub.tables.plots import Plots
    from projects.hub.tables.store import Tables

TABLE = "/{test_system}/{test_name}"
MOST_NEAR = 500
"""So many tables are looked through for a name that is near."""

MOST_CHANGE = 1 << 20
"""Bytes of a body that changes something."""


def tables_of(request: Request) -> Tables:
    """Return the result tables of the application that got `request`."""
    found: Tables | None = getattr(request.app.state, "tables", None)
    if found is None:
        raise Absent("this server keeps no result tables")
    return found


def plots_of(request: Request) -> Plots:
    """Return what draws them."""
    found: Plots = request.app.state.table_plots
    return found


async def table_of(
    request: Request, who: Principal, test_system: str, test_name: str
) -> ResultTable:
    """Return a table if it exists for `who`.

    Raises
    ------
    Absent
        It isn't there, or is somebody else's.
    """
    names = (test_system, test_name)
    if "\0" in test_system + test_name:
        raise absent(names)
    found = await run_in_threadpool(tables_of(request).find, *names)
    if found is None or not who.may_see(found.owner, found.groups):
        seen = await run_in_threadpool(
            lambda: tables_of(request).seen_by(who.sees, who.groups, limit=MOST_NEAR)
        )
        near = nearest("/".join(names), [one.name for one in seen])
        raise absent(names, near)
    return found


async def _seen(request: Request, who: Reader, test_system: System, test_name: Test) -> ResultTable:
    return await table_of(request, who, test_system, test_name)


Seen = Annotated[ResultTable, Depends(_seen)]
"""The table that the path names, if the caller may see it; else it isn't there."""


def file_answer(media: str, said: str) -> dict[int | str, dict[str, Any]]:
    """Return what the documentation says of a route that answers with a file."""
    return {200: {"content": {media: {}}, "description": said}}
