"""Pages of submissions, wherever they run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from projects.hub.pages import history, matrix, sharing, words
from projects.hub.pages.lists import crumbs_of, given, page_of
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.places import pages_of, site_of
from projects.hub.pages.rendering import page
from projects.hub.sites import share_routes
from projects.jobs.http.body import read_form
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

router = APIRouter(route_class=PageRoute, include_in_schema=False)
"""Included twice: for this machine, and below /satellites/NICKNAME."""

MOST_CELLS = 300
"""Jobs of a submission that are drawn as a table."""


@router.get("/submissions")
async def submissions(request: Request, who: Viewer) -> Response:
    """List submissions."""
    site, base = await site_of(request)
    wanted = given(request, ("phase", "owner", "since", "until"))
    return page(
        request,
        "submissions.html",
        who,
        section="satellites" if base else "submissions",
        site=site,
        base=base,
        wanted=wanted,
        page=await page_of(request, site.submissions, who, wanted),
        with_=lambda **more: urlencode({**wanted, **more}),
        crumbs=crumbs_of(site, base, ("Submissions", "")),
    )


@router.get("/submissions/{submission}")
async def submission(request: Request, who: Viewer, submission: str) -> Response:
    """Show a submission and its jobs."""
    site, base = await site_of(request)
    found = await site.submission(who, submission)
    of_it = {"submission": found["id"], "oldest_first": "true", "limit": str(MOST_CELLS)}
    few = found["jobs"] <= MOST_CELLS
    drawn = (await site.jobs(who, of_it))["items"] if few else []
    listed = await page_of(request, site.jobs, who, {"submission": found["id"]})
    usual, info = await asyncio.gather(
        pages_of(request).history.typical(site, who, {job["tool"] for job in listed["items"]}),
        site.info(),
    )
    seen_by = await share_routes.seen_by(request, site, found["id"])
    at_once = found["parallel"] or info["limits"]["parallel_jobs"]
    return page(
        request,
        "submission.html",
        who,
        section="satellites" if base else "submissions",
        site=site,
        base=base,
        submission=found,
        matrix=matrix.arrange(drawn),
        left=history.remaining(found, usual.values(), at_once, _begun(listed["items"])),
        groups=seen_by,
        offered=await sharing.offered(request, who, found["owner"], seen_by),
        page=listed,
        with_=lambda **more: urlencode(more),
        mine=who.may_change(found["owner"]),
        crumbs=crumbs_of(
            site, base, ("Submissions", f"{base}/submissions"), (found["id"][:6] + "…", "")
        ),
    )


@router.post("/submissions/{submission}/share")
async def share_submission(request: Request, who: Actor, submission: str) -> Response:
    """Share it with the groups that are chosen, and no others; goes back to where that was said."""
    site, base = await site_of(request)
    found = await share_routes.own_submission(who, site, submission)
    form = await read_form(request)
    await share_routes.share(request, who, site, found, form.all_of("groups"))
    if job := form.get("job"):
        job_id = (await site.job(who, job))["id"]
        return RedirectResponse(f"{base}/jobs/{job_id}", 303)
    return RedirectResponse(f"{base}/submissions/{found['id']}", 303)


@router.post("/submissions/{submission}/cancel")
async def cancel_submission(request: Request, who: Actor, submission: str) -> Response:
    """Cancel all jobs of a submission."""
    site, base = await site_of(request)
    found = await site.cancel_submission(who, submission)
    return RedirectResponse(f"{base}/submissions/{found['id']}", 303)


def _begun(jobs: Iterable[Mapping[str, Any]]) -> list[float]:
    """Return for how many seconds each of the jobs that run has run."""
    now = moment.now()
    spans = [words.seconds_between(job["started"], None, now) for job in jobs if not job["outcome"]]
    return [seconds for seconds in spans if seconds is not None]
