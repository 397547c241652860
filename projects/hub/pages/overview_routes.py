"""The overview, and the satellites."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from projects.core.errors import TopgallantError
from projects.hub.artifacts.ansi import plain
from projects.hub.pages import history, live
from projects.hub.pages.page_route import PageRoute, Viewer
from projects.hub.pages.places import pages_of, site_of
from projects.hub.pages.rendering import page
from projects.jobs.http.services import services_of
from projects.jobs.http.streams import EventStream
from projects.jobs.model import moment
from projects.jobs.model.states import LIVE, QUEUED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from projects.hub.pages.places import Pages
    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

DAY = 86_400 * moment.SECOND
PATIENCE = 1.0
"""Seconds that a satellite has to say what it does before the page is shown without it."""

SHOWN = 8
LAST_WORDS = 400
"""Bytes at the end of what a job complained of."""

_BROKEN = 500
_FAILURES = "FAILED,TIMEOUT,LOST"


@router.get("/")
async def overview(request: Request, who: Viewer) -> Response:
    """Show what runs, what waits, what failed lately and what got slower."""
    pages = pages_of(request)
    sites = await pages.sites.online()
    told, slower = await asyncio.gather(
        asyncio.gather(*(_told(pages, site, who) for site in sites)),
        pages.slower(who) if pages.slower else _nothing(),
    )
    newest = sorted(
        (job for one in told for job in one["failed"]), key=lambda job: job["finished"] or ""
    )
    return page(
        request,
        "overview.html",
        who,
        section="overview",
        sites=told,
        running=[job for one in told for job in one["running"]],
        waiting=[job for one in told for job in one["waiting"]],
        failed=newest[::-1][:SHOWN],
        slower=slower,
        measured=pages.slower is not None,
        total={
            name: sum(one[name] for one in told)
            for name in ("live", "queued", "succeeded", "failures")
        },
    )


@router.get("/satellite")
async def old_address(who: Viewer) -> Response:
    """Go where the satellites are now."""
    del who
    return RedirectResponse("/satellites", 308)


@router.get("/satellites")
async def satellites(request: Request, who: Viewer) -> Response:
    """List the satellites."""
    pages = pages_of(request)
    known = await pages.sites.known()
    local = pages.sites.local
    now = moment.now()
    online = await pages.sites.online()
    told = await asyncio.gather(*(_asked(site, _count, who) for site in online))
    by_name = {one["nickname"]: one for one in told}
    listed = [
        {
            "nickname": one.nickname,
            "url": one.url,
            "version": one.version,
            "tools": len(one.tools),
            "online": one.is_online(now),
            "since": moment.iso(one.since(now)),
            "told": by_name.get(one.nickname),
        }
        for one in known
    ]
    return page(
        request,
        "satellites.html",
        who,
        section="satellites",
        local=by_name[local.nickname] if local else None,
        local_tools=len(await local.tools()) if local else 0,
        satellites=listed,
        crumbs=[("Satellites", "")],
    )


@router.get("/satellites/{nickname}")
async def satellite(request: Request, who: Viewer, nickname: str) -> Response:
    """Show a satellite."""
    pages = pages_of(request)
    site, base = await site_of(request)
    now = moment.now()
    known = next((one for one in await pages.sites.known() if one.nickname == nickname), None)
    problem, tools, info, told = "", [], None, None
    try:
        async with asyncio.timeout(5 * PATIENCE):
            tools, info, told = await asyncio.gather(
                site.tools(), site.info(), _told(pages, site, who)
            )
    except TimeoutError:
        problem = f"satellite {nickname} doesn't answer in time"
    except TopgallantError as error:
        problem = error.message
    return page(
        request,
        "satellite.html",
        who,
        section="satellites",
        site=site,
        base=base,
        online=known is None or known.is_online(now),
        since=moment.iso(known.since(now)) if known else None,
        known=known,
        seen=moment.iso(known.seen) if known else None,
        problem=problem or (told or {}).get("problem", ""),
        info=info,
        told=told,
        tools=tools,
        crumbs=[("Satellites", "/satellites"), (nickname, "")],
    )


@router.get("/live/all")
async def live_all(request: Request, who: Viewer) -> Response:
    """Tell the overview that something changed on this machine; satellites are asked at ticks."""
    local = pages_of(request).sites.local
    if local is None:
        return Response(status_code=204)
    return EventStream(services_of(request), live.changes(local.follow(who, None)))


async def _nothing() -> list[Any]:
    return []


async def _told(pages: Pages, site: Site, who: Principal) -> dict[str, Any]:
    """Return what a site does now; what is wrong if it doesn't answer."""
    return await _asked(site, functools.partial(_fill, pages), who)


async def _asked(
    site: Site,
    fill: Callable[[dict[str, Any], Site, Principal], Awaitable[None]],
    who: Principal,
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "nickname": site.nickname,
        "is_local": site.is_local,
        "base": "" if site.is_local else f"/satellites/{site.nickname}",
        "problem": "",
        "running": [],
        "waiting": [],
        "failed": [],
        "live": 0,
        "queued": 0,
        "succeeded": 0,
        "failures": 0,
    }
    try:
        async with asyncio.timeout(PATIENCE):
            await fill(told, site, who)
    except TimeoutError:
        told["problem"] = f"satellite {site.nickname} doesn't answer in time"
    except TopgallantError as error:
        told["problem"] = error.message
    return told


async def _count(told: dict[str, Any], site: Site, who: Principal) -> None:
    states = (await site.counts(who, {}))["states"]
    for name, among in (("live", LIVE), ("queued", QUEUED)):
        told[name] = sum(states.get(state.name, 0) for state in among)


async def _fill(pages: Pages, told: dict[str, Any], site: Site, who: Principal) -> None:
    now = moment.now()
    running, waiting, failed, day, _ = await asyncio.gather(
        site.jobs(who, {"state": "live", "limit": "20", "oldest_first": "true"}),
        site.jobs(who, {"state": "queued", "limit": "5", "oldest_first": "true"}),
        site.jobs(who, {"outcome": _FAILURES, "limit": str(SHOWN)}),
        site.counts(who, {"since": moment.iso(now - DAY)}),
        _count(told, site, who),
    )
    first = waiting["items"][:1]
    why = [(await site.job(who, job["id"]))["waits_for"] for job in first]
    typical = await pages.history.typical(site, who, {job["tool"] for job in running["items"]})
    told["succeeded"] = day["outcomes"].get("SUCCESS", 0)
    told["failures"] = sum(day["outcomes"].get(name, 0) for name in _FAILURES.split(","))
    where = {"site": site.nickname, "base": told["base"]}
    told["running"] = [
        {**job, **where, "progress": history.progress(job, typical.get(job["tool"]), now)}
        for job in running["items"]
    ]
    told["waiting"] = [
        {**job, **where, "waits_for": why[at] if at < len(why) else ""}
        for at, job in enumerate(waiting["items"])
    ]
    words = await asyncio.gather(*(_last_words(site, who, job["id"]) for job in failed["items"]))
    told["failed"] = [
        {**job, **where, "said": said} for job, said in zip(failed["items"], words, strict=True)
    ]


async def _last_words(site: Site, who: Principal, job: str) -> str:
    """Return the last line of what a job complained of; a satellite isn't asked for so many."""
    if not site.is_local:
        return ""
    try:
        part = await site.log(who, job, "stderr", None, LAST_WORDS)
    except TopgallantError as error:
        if error.http_status >= _BROKEN:
            raise
        return ""  # its log is gone, or its tool keeps none
    lines = plain(part.data.decode("utf-8", "replace")).split("\n")
    return next((line for line in reversed(lines) if line), "")
