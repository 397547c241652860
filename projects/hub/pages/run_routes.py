"""Pages of runs that were exported: their files, their timelines, comparisons, projects."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.artifacts import runs, showing
from projects.hub.artifacts.render import render_entry, render_run
from projects.hub.artifacts.routes import name_in, visible_run, word_in
from projects.hub.artifacts.trees import ManifestTree
from projects.hub.artifacts.values import Filter
from projects.hub.pages import links, words
from projects.hub.pages.lists import PER_PAGE, narrowed
from projects.hub.pages.page_route import PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http.refusals import Absent, Invalid
from projects.matrix_benchmarking.reports.comparison_page import comparison_data

if TYPE_CHECKING:
    from projects.hub.artifacts.artifacts import Artifacts
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_ENTRIES = 300
MOST_PROJECTS = 25
"""Projects on a page: with the runs of each, more would be too much for one."""
_LATELY = 12
_FIRST = {
    "FAILURES": "What failed",
    "reports_index.html": "Reports",
    "summary.txt": "Summary",
    "_run.log": "Log",
}
"""Files of a run that are read first, and what they are."""

_LINES = 400
_MOST_DIFFERENCES = 200
_SIZE = 18
_PLOTTED = ("image/", "text/html")


@router.get("/artifacts")
async def artifacts(
    request: Request, who: Viewer, project: str = "", outcome: str = "", cursor: str = ""
) -> Response:
    """List runs that were exported."""
    kept = _artifacts_of(request)
    found = await run_in_threadpool(
        kept.page, Filter(project, outcome=outcome), _sees(who), _number(cursor), PER_PAGE + 1
    )
    wanted = {"project": project, "outcome": outcome}
    return page(
        request,
        "artifacts.html",
        who,
        section="artifacts",
        runs=[render_run(run) for run in found[:PER_PAGE]],
        next=str(found[PER_PAGE - 1].number) if len(found) > PER_PAGE else None,
        wanted=wanted,
        with_=functools.partial(narrowed, wanted),
    )


@router.get("/artifacts/{run}")
async def artifact(request: Request, who: Viewer, run: str) -> Response:
    """Show a run: what it is, and its files."""
    return await _folder(request, who, run, "")


@router.get("/artifacts/{run}/{path:anything}")
async def artifact_path(
    request: Request,
    who: Viewer,
    run: str,
    path: str,  # as text; its bytes are what counts
) -> Response:
    """Show a folder of a run, or a file in a frame that can do nothing."""
    path = name_in(request, b"/artifacts/").partition("/")[2]
    kept = _artifacts_of(request)
    found = await run_in_threadpool(visible_run, kept, who, run)
    tree = ManifestTree(kept, found)
    if path.endswith("/") or not path:
        return await _folder(request, who, run, path.strip("/"))
    try:
        file = await run_in_threadpool(tree.open, path)
    except Absent:
        return await _folder(request, who, run, path)
    size = file.size
    media, window = showing.media_of(path), None
    leads_to: list[tuple[str, str]] = []
    try:
        if media.startswith("text/plain"):
            line = _line(request.query_params.get("line", "1"))
            window = await run_in_threadpool(kept.lines.window, file, line, _LINES)
        elif media.startswith("text/html"):
            leads_to = await run_in_threadpool(links.of_file, tree, path, file)
    finally:
        file.close()
    return page(
        request,
        "artifact_file.html",
        who,
        section="artifacts",
        run=render_run(found),
        path=path,
        size=size,
        window=window,
        framed=media.startswith(_PLOTTED),
        is_image=media.startswith("image/"),
        links=[(text, f"/artifacts/{found.id}/{_quoted(to)}") for text, to in leads_to],
        raw=f"/api/v1/artifacts/{found.id}/files/{_quoted(path)}",
        lines=_LINES,
        crumbs=_way(found, path),
    )


@router.get("/compare")
async def compare(request: Request, who: Viewer, a: str = "", b: str = "") -> Response:
    """Show what differs between two runs."""
    kept = _artifacts_of(request)
    recent = await run_in_threadpool(kept.page, Filter(), _sees(who), None, PER_PAGE)
    data = None
    if a and b:
        first, second = [
            ManifestTree(kept, await run_in_threadpool(visible_run, kept, who, each))
            for each in (a, b)
        ]
        data = comparison_data(await run_in_threadpool(runs.compare_runs, first, second))
    return page(
        request,
        "compare.html",
        who,
        section="artifacts",
        a=a,
        b=b,
        recent=[render_run(run) for run in recent],
        data=data,
        kpis=words.kpis_in_order(data["kpis"]) if data else [],
        most=_MOST_DIFFERENCES,
        crumbs=[("Artifacts", "/artifacts"), ("Compare", "")],
    )


@router.get("/projects")
async def projects(request: Request, who: Viewer, after: str | None = None) -> Response:
    """List projects: what of each was exported lately."""
    kept = _artifacts_of(request)
    found = await run_in_threadpool(
        kept.newest_of_projects, _sees(who), after, MOST_PROJECTS + 1, _LATELY
    )
    named = [(name, [render_run(run) for run in runs]) for name, runs in found.items()]
    shown = named[:MOST_PROJECTS]
    return page(
        request,
        "projects.html",
        who,
        section="projects",
        projects=shown,
        after=shown[-1][0] if len(named) > MOST_PROJECTS else None,
    )


async def _folder(request: Request, who: Principal, run: str, below: str) -> Response:
    kept = _artifacts_of(request)
    found = await run_in_threadpool(visible_run, kept, who, run)
    after = word_in(request, "after")
    entries = []
    if found.published is not None:
        tree = ManifestTree(kept, found)
        entries = await run_in_threadpool(tree.page, below, after, MOST_ENTRIES)
        if below and not entries and not after:
            raise Absent(f"the run has no file {below[:200]!r}")
    return page(
        request,
        "artifact.html",
        who,
        section="artifacts",
        run=render_run(found),
        below=below,
        entries=[
            {**render_entry(one), "href": f"/artifacts/{found.id}/{_quoted(one.path)}"}
            for one in entries
        ],
        first=[
            (title, f"/artifacts/{found.id}/{name}")
            for name, title in _FIRST.items()
            if not below and any(one.name == name for one in entries)
        ],
        next=_quoted(entries[-1].name) if len(entries) == MOST_ENTRIES else None,
        crumbs=_way(found, below),
    )


def _way(run: Any, path: str) -> list[tuple[str, str]]:
    crumbs = [
        ("Artifacts", "/artifacts"),
        (run.place.rpartition("/")[2], f"/artifacts/{run.id}" if path else ""),
    ]
    parts = path.split("/") if path else []
    for at, part in enumerate(parts, 1):
        last = at == len(parts)
        where = "" if last else f"/artifacts/{run.id}/{_quoted('/'.join(parts[:at]))}/"
        crumbs.append((part, where))
    return crumbs


def _quoted(path: str) -> str:
    return quote(path.encode("utf-8", "surrogateescape"))


def _artifacts_of(request: Request) -> Artifacts:
    found: Artifacts | None = getattr(request.app.state, "artifacts", None)
    if found is None:
        raise Absent("this server keeps no artifacts")
    return found


def _sees(who: Principal) -> tuple[str, tuple[str, ...]] | None:
    return None if who.is_admin else (who.owner, who.groups)


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdecimal() or len(text) > _SIZE:
        raise Invalid("the cursor is not one of this list: begin again without it")
    return int(text)


def _line(text: str) -> int:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < _SIZE else 1
