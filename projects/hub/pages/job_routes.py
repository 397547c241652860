"""Pages of jobs and submissions, wherever they run."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from projects.hub.pages import history, live, log_view, sharing, words
from projects.hub.pages.lists import crumbs_of, given, page_of
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.places import pages_of, site_of
from projects.hub.pages.rendering import page
from projects.hub.pages.sending import sent
from projects.hub.sites import share_routes
from projects.jobs.http.services import services_of
from projects.jobs.http.streams import EventStream
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.sites.site import Said, Site
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)
"""Included twice: for this machine, and below /satellites/NICKNAME."""

MOST_FILES = 300
_OF_ONE = "submission_id"
_FILTERS = ("state", "outcome", "tool", "owner", "submission", "since", "until")


@router.get("/jobs")
async def jobs(request: Request, who: Viewer) -> Response:
    """List jobs."""
    site, base = await site_of(request)
    wanted = given(request, _FILTERS)
    shown, totals, tools = await asyncio.gather(
        page_of(request, site.jobs, who, wanted),
        site.counts(who, {k: v for k, v in wanted.items() if k not in ("state", "outcome")}),
        site.tools(),
    )
    return page(
        request,
        "jobs.html",
        who,
        section="satellites" if base else "jobs",
        site=site,
        base=base,
        wanted=wanted,
        page=shown,
        counts=totals,
        matching=_matching(totals, wanted),
        tools=[tool["name"] for tool in tools],
        without=lambda name: urlencode({k: v for k, v in wanted.items() if k != name}),
        with_=lambda **more: urlencode({**wanted, **more}),
        crumbs=crumbs_of(site, base, ("Jobs", "")),
    )


@router.get("/find")
async def find(request: Request, who: Viewer, q: str = "") -> Response:
    """Go to the job or submission with an id or number, or to the jobs of a tool."""
    site, base = await site_of(request)
    text = q.strip().lstrip("#")[:200]
    if not text:
        return RedirectResponse(f"{base}/jobs", 303)
    for kind, read in (("jobs", site.job), ("submissions", site.submission)):
        try:
            found = await read(who, text)
        except Exception as error:
            if getattr(error, "http_status", 500) >= 500:  # noqa: PLR2004
                raise
        else:
            return RedirectResponse(f"{base}/{kind}/{found['id']}", 303)
    return RedirectResponse(f"{base}/jobs?{urlencode({'tool': text})}", 303)


@router.get("/jobs/{job}")
async def job(request: Request, who: Viewer, job: str) -> Response:
    """Show a job."""
    site, base = await site_of(request)
    found = await site.job(who, job)
    events, files, uploads, (log, window), typical = await asyncio.gather(
        site.events_of(who, found["id"]),
        site.artifacts(who, found["id"]),
        site.uploads(who, found["id"]),
        _last_window(site, who, found),
        pages_of(request).history.typical(site, who, [found["tool"]]),
    )
    seen_by = await share_routes.seen_by(request, site, found["submission_id"])
    running = words.kind(found) == "running"
    usual = typical.get(found["tool"])
    expected = history.progress(found, usual, moment.now())
    return page(
        request,
        "job.html",
        who,
        section="satellites" if base else "jobs",
        site=site,
        base=base,
        job=found,
        steps=_steps(found),
        events=events,
        files=files["items"][:MOST_FILES],
        file_count=len(files["items"]),
        uploads=uploads,
        log=log,
        window=window,
        running=running,
        is_over=bool(found["outcome"]),
        progress=expected if running else None,
        typical=usual,
        mine=who.may_change(found["owner"]),
        groups=seen_by,
        offered=await sharing.offered(request, who, found["owner"], seen_by),
        crumbs=crumbs_of(
            site,
            base,
            ("Submissions", f"{base}/submissions"),
            (found["submission_id"][:6] + "…", f"{base}/submissions/{found['submission_id']}"),
            (f"Job {found['number']}", ""),
        ),
    )


@router.post("/jobs/{job}/cancel")
async def cancel_job(request: Request, who: Actor, job: str) -> Response:
    """Cancel a job."""
    site, base = await site_of(request)
    found = await site.cancel(who, job)
    return RedirectResponse(f"{base}/jobs/{found['id']}", 303)


@router.post("/jobs/{job}/retry")
async def retry_job(request: Request, who: Actor, job: str) -> Response:
    """Run a job once more."""
    site, base = await site_of(request)
    found = await site.retry(who, job)
    return RedirectResponse(f"{base}/jobs/{found['id']}", 303)


@router.get("/jobs/{job}/files/{path:path}")
async def job_file(request: Request, who: Viewer, job: str, path: str) -> Response:
    """Send a file of a job, as a download."""
    site, _ = await site_of(request)
    found = await site.job(who, job)
    return await sent(request, site, who, found["id"], path)


@router.get("/live")
async def live_changes(
    request: Request, who: Viewer, job: str = "", submission: str = ""
) -> Response:
    """Tell a page that something changed, at most once a second.

    Of a job or a submission that others share it is told as of one's own.
    """
    site, _ = await site_of(request)
    read, name, key = (site.job, job, "job_id") if job else (site.submission, submission, _OF_ONE)
    if not name:
        return EventStream(services_of(request), live.changes(site.follow(who, None)))
    found = await read(who, name)

    def fits(said: Said) -> bool:
        return isinstance(said.value, dict) and bool(said.value.get(key) == found["id"])

    changes = live.changes(site.follow(who, None, found["owner"]), fits)
    looks_in = site.is_local or found["owner"] != who.owner
    still = functools.partial(read, who, found["id"]) if looks_in else None
    return EventStream(services_of(request), changes, still=still)


def _matching(counts: dict[str, dict[str, int]], wanted: dict[str, str]) -> int | None:
    """Return how many jobs a list has; None if that can't be told from the counts."""
    if "state" in wanted and "outcome" in wanted:
        return None
    if "outcome" in wanted:
        named = wanted["outcome"].upper().split(",")
        return sum(counts["outcomes"].get(name, 0) for name in named)
    if "state" in wanted:
        groups = {"QUEUED": words.WAITING, "LIVE": words.LIVE, "ENDED": ("DONE", "ARCHIVED")}
        named = [
            state
            for name in wanted["state"].upper().split(",")
            for state in groups.get(name, (name,))
        ]
        return sum(counts["states"].get(name, 0) for name in set(named))
    return sum(counts["states"].values())


def _steps(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the way of a job: what it did when, and what is still to come."""
    over = bool(found["outcome"])
    steps = [
        {"name": "Submitted", "at": found["created"], "done": True, "kind": "waiting"},
        {
            "name": "Started",
            "at": found["started"],
            "done": bool(found["started"]),
            "kind": "running",
            "after": words.seconds_between(found["created"], found["started"], 0)
            if found["started"]
            else None,
        },
        {
            "name": words.label(found).capitalize() if over else "Ends",
            "at": found["finished"],
            "done": over,
            "kind": words.kind(found) if over else "waiting",
            "after": words.seconds_between(found["started"], found["finished"], 0)
            if found["finished"]
            else None,
        },
    ]
    return [step for step in steps if step["name"] != "Started" or step["done"] or not over]


async def _last_window(
    site: Site, who: Principal, found: dict[str, Any]
) -> tuple[str, log_view.Window | None]:
    """Return the end of the log that says most: of a job that failed, what it complained of."""
    logs = ("stderr", "stdout") if found["outcome"] == "FAILED" else ("stdout", "stderr")
    for log in logs:
        try:
            part = await site.log(who, found["id"], log, None, log_view.WINDOW // 2)
        except Exception as error:
            if getattr(error, "http_status", 500) >= 500:  # noqa: PLR2004
                raise
            continue
        if part.size:
            return log, log_view.backwards(part)
    return "stdout", None
