"""Pages of logs: in windows, as they come, as text."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from projects.core.errors import TopgallantError
from projects.hub.pages import live, log_view, words
from projects.hub.pages.lists import crumbs_of
from projects.hub.pages.page_route import PageRoute, Viewer
from projects.hub.pages.places import site_of
from projects.hub.pages.rendering import page
from projects.hub.pages.sending import sent
from projects.jobs.http.services import services_of
from projects.jobs.http.streams import EventStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from projects.hub.sites.site import Said, Site
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)
"""Included twice: for this machine, and below /satellites/NICKNAME."""

LogName = Literal["stdout", "stderr"]


@router.get("/jobs/{job}/log/{log}")
async def job_log(  # noqa: PLR0917  (a route)
    request: Request,
    who: Viewer,
    job: str,
    log: LogName,
    at: int | None = None,
    to: int | None = None,
) -> Response:
    """Show a log in windows: from a byte on, up to a byte, or the end, which follows a job."""
    site, base = await site_of(request)
    found = await site.job(who, job)
    window = await _window(site, who, found["id"], log, at, to)
    return page(
        request,
        "log.html",
        who,
        section="satellites" if base else "jobs",
        site=site,
        base=base,
        job=found,
        log=log,
        window=window,
        running=not found["outcome"],
        crumbs=crumbs_of(
            site, base, (f"Job {found['number']}", f"{base}/jobs/{found['id']}"), (log, "")
        ),
    )


@router.get("/jobs/{job}/log/{log}/plain")
async def plain_log(request: Request, who: Viewer, job: str, log: LogName) -> Response:
    """Send a whole log as text."""
    site, _ = await site_of(request)
    found = await site.job(who, job)
    return await sent(request, site, who, found["id"], f"{log}.log", inline=True)


@router.get("/jobs/{job}/log/{log}/follow")
async def follow_log(
    request: Request, who: Viewer, job: str, log: LogName, after: int = 0
) -> Response:
    """Follow a log: pieces of HTML as they come, and a word at its end."""
    site, _ = await site_of(request)
    found = await site.job(who, job)
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdecimal() and len(last) <= 18:  # noqa: PLR2004  (64 bits)
        after = int(last)
    source = site.follow_log(who, found["id"], log, max(0, after))
    # A satellite looks itself whether its owner may follow a log; what is shared, the hub knows.
    looks_in = site.is_local or found["owner"] != who.owner
    still = functools.partial(site.job, who, found["id"]) if looks_in else None
    return EventStream(services_of(request), _painted(source), still=still)


async def _window(  # noqa: PLR0917  (of which log, and where)
    site: Site, who: Principal, job: str, log: str, at: int | None, to: int | None
) -> log_view.Window:
    if at is not None:
        return log_view.forwards(await site.log(who, job, log, max(0, at), log_view.WINDOW))
    if to is None:
        return log_view.backwards(await site.log(who, job, log, None, log_view.WINDOW))
    begin = max(0, to - log_view.WINDOW)
    return log_view.backwards(await site.log(who, job, log, begin, max(1, to - begin)))


async def _painted(
    source: AsyncGenerator[Said | None, None],
) -> AsyncGenerator[bytes | None, None]:
    painter = log_view.Painter()
    with contextlib.suppress(TopgallantError):  # a satellite went away: the browser comes again
        async for said in source:
            if said is None:
                yield None
            elif said.kind == "log":
                html = painter.paint(said.value["text"])
                # A line break at the end of a message's last line would be lost.
                chunk = f'<div class="chunk">{html}</div>'
                yield live.html_event("log", chunk, said.number)
            else:
                yield live.html_event("end", words.label(said.value))
