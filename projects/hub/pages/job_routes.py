"""Pages of jobs and submissions, wherever they run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from projects.hub.pages import history, live, log_view, matrix, words
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.places import pages_of, site_of
from projects.hub.pages.rendering import page
from projects.jobs.http.refusals import Absent
from projects.jobs.http.services import services_of
from projects.jobs.http.streams import EventStream
from projects.jobs.model import moment
from projects.jobs.store.values import cursor

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from projects.hub.sites.site import Said, Site
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)
"""Included twice: for this machine, and below /satellites/NICKNAME."""

LogName = Literal["stdout", "stderr"]

PER_PAGE = 50
MOST_CELLS = 300
"""Jobs of a submission that are drawn as a table."""
MOST_FILES = 300
_FILTERS = ("state", "outcome", "tool", "owner", "submission", "since", "until")
_HEADERS = (
    "content-type",
    "content-length",
    "content-range",
    "accept-ranges",
    "content-disposition",
)


@router.get("/jobs")
async def jobs(request: Request, who: Viewer) -> Response:
    """List jobs."""
    site, base = await site_of(request)
    wanted = _given(request, _FILTERS)
    shown, totals, tools = await asyncio.gather(
        _page(request, site.jobs, who, wanted),
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
        crumbs=_crumbs(site, base, ("Jobs", "")),
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
    running = words.kind(found) == "running"
    expected = history.progress(found, typical.get(found["tool"]), moment.now())
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
        mine=who.may_change(found["owner"]),
        crumbs=_crumbs(
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
        crumbs=_crumbs(
            site, base, (f"Job {found['number']}", f"{base}/jobs/{found['id']}"), (log, "")
        ),
    )


@router.get("/jobs/{job}/log/{log}/plain")
async def plain_log(request: Request, who: Viewer, job: str, log: LogName) -> Response:
    """Send a whole log as text."""
    site, _ = await site_of(request)
    found = await site.job(who, job)
    return await _sent(request, site, who, found["id"], f"{log}.log", inline=True)


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
    return EventStream(services_of(request), _painted(source))


@router.get("/jobs/{job}/files/{path:path}")
async def job_file(request: Request, who: Viewer, job: str, path: str) -> Response:
    """Send a file of a job, as a download."""
    site, _ = await site_of(request)
    found = await site.job(who, job)
    return await _sent(request, site, who, found["id"], path)


@router.get("/submissions")
async def submissions(request: Request, who: Viewer) -> Response:
    """List submissions."""
    site, base = await site_of(request)
    wanted = _given(request, ("phase", "owner", "since", "until"))
    return page(
        request,
        "submissions.html",
        who,
        section="satellites" if base else "submissions",
        site=site,
        base=base,
        wanted=wanted,
        page=await _page(request, site.submissions, who, wanted),
        with_=lambda **more: urlencode({**wanted, **more}),
        crumbs=_crumbs(site, base, ("Submissions", "")),
    )


@router.get("/submissions/{submission}")
async def submission(request: Request, who: Viewer, submission: str) -> Response:
    """Show a submission and its jobs."""
    site, base = await site_of(request)
    found = await site.submission(who, submission)
    of_it = {"submission": found["id"], "oldest_first": "true", "limit": str(MOST_CELLS)}
    few = found["jobs"] <= MOST_CELLS
    drawn = (await site.jobs(who, of_it))["items"] if few else []
    listed = await _page(request, site.jobs, who, {"submission": found["id"]})
    return page(
        request,
        "submission.html",
        who,
        section="satellites" if base else "submissions",
        site=site,
        base=base,
        submission=found,
        matrix=matrix.arrange(drawn),
        page=listed,
        with_=lambda **more: urlencode(more),
        mine=who.may_change(found["owner"]),
        crumbs=_crumbs(
            site, base, ("Submissions", f"{base}/submissions"), (found["id"][:6] + "…", "")
        ),
    )


@router.post("/submissions/{submission}/cancel")
async def cancel_submission(request: Request, who: Actor, submission: str) -> Response:
    """Cancel all jobs of a submission."""
    site, base = await site_of(request)
    found = await site.cancel_submission(who, submission)
    return RedirectResponse(f"{base}/submissions/{found['id']}", 303)


@router.get("/live")
async def live_changes(
    request: Request, who: Viewer, job: str = "", submission: str = ""
) -> Response:
    """Tell a page that something changed, at most once a second."""
    site, _ = await site_of(request)

    def fits(said: Said) -> bool:
        value = said.value if isinstance(said.value, dict) else {}
        if job:
            return bool(value.get("job_id") == job)
        return not submission or bool(value.get("submission_id") == submission)

    return EventStream(services_of(request), live.changes(site.follow(who, None), fits))


def _given(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    given = {name: request.query_params.get(name, "").strip()[:200] for name in names}
    return {name: text for name, text in given.items() if text}


async def _page(request: Request, read: Any, who: Principal, wanted: dict[str, str]) -> Any:
    """Return a page of a list, with cursors for the ones before and after it."""
    at, before = request.query_params.get("cursor", ""), request.query_params.get("before", "")
    query = {**wanted, "limit": str(PER_PAGE)}
    if before:
        found = await read(who, {**query, "cursor": before, "oldest_first": "true"})
        items = list(reversed(found["items"]))
        more = found["next"] is not None
        older = cursor(items[-1]["number"]) if items else None
    else:
        found = await read(who, {**query, "cursor": at} if at else query)
        items, older = found["items"], found["next"]
        more = bool(at)
    newer = cursor(items[0]["number"]) if more and items else None
    return {"items": items, "newer": newer, "older": older, "is_first": not (at or before)}


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


def _crumbs(site: Site, base: str, *rest: tuple[str, str]) -> list[tuple[str, str]]:
    first = [("Satellites", "/satellites"), (site.nickname, base)] if base else []
    return [*first, *rest]


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


async def _window(  # noqa: PLR0917  (of which log, and where)
    site: Site, who: Principal, job: str, log: str, at: int | None, to: int | None
) -> log_view.Window:
    if at is not None:
        return log_view.forwards(await site.log(who, job, log, max(0, at), log_view.WINDOW))
    if to is None:
        return log_view.backwards(await site.log(who, job, log, None, log_view.WINDOW))
    begin = max(0, to - log_view.WINDOW)
    return log_view.backwards(await site.log(who, job, log, begin, max(1, to - begin)))


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


async def _painted(
    source: AsyncGenerator[Said | None, None],
) -> AsyncGenerator[bytes | None, None]:
    painter = log_view.Painter()
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


async def _sent(
    request: Request, site: Site, who: Principal, job: str, path: str, *, inline: bool = False
) -> Response:
    download = await site.artifact(who, job, path, request.headers.get("range"))
    headers = {k: v for k, v in download.headers.items() if k.lower() in _HEADERS}
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    if inline:
        headers = {k: v for k, v in headers.items() if k.lower() != "content-disposition"}
        headers["content-type"] = "text/plain; charset=utf-8"
    elif not any(name.lower() == "content-disposition" for name in headers):
        raise Absent(f"the job has no file {path[:200]!r}")
    return StreamingResponse(download.body, download.status, headers=headers)
