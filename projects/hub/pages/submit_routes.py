"""The form for a submission: drawn from what a tool says of its parameters."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from projects.core.errors import TopgallantError
from projects.hub.pages import drafts, sharing
from projects.hub.pages.page_route import Actor, PageRoute
from projects.hub.pages.places import pages_of
from projects.hub.pages.rendering import page
from projects.hub.sites import share_routes
from projects.hub.sites.site import SiteAway
from projects.jobs.http.access import DONE_TO
from projects.jobs.http.body import Form, read_form
from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ANY = "any that can"
PATIENCE = 0.5
"""Seconds that commands for options have before the form is shown without what they add."""

_FIRST_WRONG, _LAST_WRONG = 400, 500
_UNAVAILABLE = 503


@router.get("/submit")
async def choose(request: Request, who: Actor, site: str = "") -> Response:
    """List what can be submitted."""
    sites = await pages_of(request).sites.online()
    chosen = [each for each in sites if site in ("", each.nickname)]
    found = await asyncio.gather(*(_tools(each) for each in chosen))
    tools: dict[str, dict[str, Any]] = {}
    broken = []
    for each, (listed, problem) in zip(chosen, found, strict=True):
        if problem:
            broken.append({"name": each.nickname, "reason": problem})
        for tool in listed:
            if tool["valid"]:
                tools.setdefault(tool["name"], {**tool, "sites": []})["sites"].append(each.nickname)
            else:
                broken.append({"name": tool["name"], "reason": tool["reason"]})
    return page(
        request,
        "submit_choose.html",
        who,
        section="submit",
        wanted_site=site,
        sites=[each.nickname for each in sites],
        groups=_by_project(tools.values()),
        broken=broken,
        crumbs=[("Submit", "")],
    )


def _by_project(tools: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return tests, under no name, and then the entrypoints of each project, under its name."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for tool in sorted(tools, key=lambda tool: tool["name"]):
        project, dot, _ = tool["name"].partition(".")
        groups.setdefault(project if dot else "", []).append(tool)
    return sorted(groups.items())


@router.get("/submit/{tool}")
async def fill(
    request: Request, who: Actor, tool: str, site: str = "", again: str = ""
) -> Response:
    """Show the form of a tool; `again` is a job whose values are taken."""
    place, said = await _place(request, tool, site)
    usual = await sharing.usual(request, who) if place.is_local else ()
    if again:
        draft = await _again(request, who, place, said, again)
    else:
        asked = {n[2:]: v for n, v in request.query_params.items() if n.startswith("p.")}
        draft = drafts.empty(said, asked or None)
        draft.groups = usual
    draft.usual = usual
    return await _form(request, who, place, draft, chosen=site or place.nickname)


@router.post("/submit/{tool}")
async def submit(request: Request, who: Actor, tool: str) -> Response:
    """Submit; a form with mistakes is shown again, with what is wrong beside each field."""
    form = await read_form(request)
    chosen = form.get("site")
    place, said = await _place(request, tool, chosen)
    away: set[str] = set()
    while True:
        draft = await _read(request, who, place, said, form)
        if draft.errors:
            return await _form(request, who, place, draft, chosen=chosen, status=422)
        try:
            done = await place.submit(who, draft.request())
            break
        except TopgallantError as error:
            # It died after it was chosen: where nothing has reached it, another one can.
            away.add(place.nickname)
            other = await _another(request, tool, chosen, error, away)
            if other is None:
                return await _refused(request, who, place, draft, chosen, error)
            place, said = other
    request.scope[DONE_TO] = done["id"]
    base = "" if place.is_local else f"/satellites/{place.nickname}"
    if len(done["job_ids"]) == 1:
        return RedirectResponse(f"{base}/jobs/{done['job_ids'][0]}", 303)
    return RedirectResponse(f"{base}/submissions/{done['id']}", 303)


@router.post("/submit/{tool}/preview")
async def preview(request: Request, who: Actor, tool: str) -> Response:
    """Show what the form would submit, as a command and as JSON."""
    form: Form = await read_form(request)
    place, said = await _place(request, tool, form.get("site"))
    draft = await _read(request, who, place, said, form)
    typical = await pages_of(request).history.typical(place, who, [tool])
    return page(request, "submit_preview.html", who, draft=draft, typical=typical.get(tool))


@router.get("/submit/{tool}/options/{parameter}")
async def options(
    request: Request, who: Actor, tool: str, parameter: str, site: str = ""
) -> Response:
    """Show what a parameter may be now, as options of its field."""
    place, said = await _place(request, tool, site)
    known = next((one for one in said["parameters"] if one["name"] == parameter), None)
    if known is None:
        raise Invalid(f"{tool} has no parameter {parameter[:100]}")
    try:
        found = await place.options(tool, parameter)
    except TopgallantError as error:
        found = {"options": known.get("options", []), "warning": error.message}
    chosen = request.query_params.getlist(f"p.{parameter}")
    field = drafts.Field(known, [text for text in chosen if text])
    return page(
        request,
        "submit_options.html",
        who,
        field=field,
        options=found["options"],
        warning=found["warning"],
    )


async def _another(
    request: Request, tool: str, chosen: str, error: TopgallantError, away: set[str]
) -> tuple[Site, dict[str, Any]] | None:
    """Return another site that can, if any will do and nothing has reached the one before."""
    if chosen != ANY or not isinstance(error, SiteAway) or error.arrived is not False:
        return None
    try:
        return await _place(request, tool, chosen, away)
    except TopgallantError:
        return None


async def _refused(  # noqa: PLR0917  (what a form shows)
    request: Request,
    who: Principal,
    place: Site,
    draft: drafts.Draft,
    chosen: str,
    error: TopgallantError,
) -> Response:
    status = error.http_status
    if not (_FIRST_WRONG <= status < _LAST_WRONG or status == _UNAVAILABLE):
        raise error
    drafts.place_errors(draft, error.message, getattr(error, "fields", {}))
    return await _form(request, who, place, draft, chosen=chosen, status=status)


async def _tools(site: Site) -> tuple[list[dict[str, Any]], str]:
    try:
        async with asyncio.timeout(PATIENCE * 2):
            return await site.tools(), ""
    except TimeoutError:
        return [], "it doesn't answer in time"
    except TopgallantError as error:
        return [], error.message


async def _again(
    request: Request, who: Principal, place: Site, said: dict[str, Any], job: str
) -> drafts.Draft:
    """Return the form as a job has it: its values, its time limit, who sees it."""
    found = await place.job(who, job)
    draft = drafts.empty(said, found["params"])
    if found["timeout"] and found["timeout"] != said.get("timeout"):
        draft.common["timeout"] = f"{found['timeout']:g}"
    local = place.is_local
    seen_by = await share_routes.seen_by(request, place, found["submission_id"]) if local else ()
    draft.groups = [each for each in seen_by if each in who.groups]
    return draft


async def _read(
    request: Request, who: Principal, place: Site, said: dict[str, Any], form: Form
) -> drafts.Draft:
    draft = drafts.read(said, form)
    if place.is_local:
        draft.usual = await sharing.usual(request, who)
    elif draft.groups:
        draft.errors["groups"] = (
            f"share jobs on {place.nickname} from their page, once they are there"
        )
    return draft


async def _place(
    request: Request, tool: str, chosen: str, away: Collection[str] = ()
) -> tuple[Site, dict[str, Any]]:
    """Return a site that has the tool, and the tool; the one that is chosen if one is.

    `away` are those that won't do, if any will.

    Raises
    ------
    Invalid
        The tool can't be used.
    """
    sites = pages_of(request).sites
    if chosen == ANY or (not chosen and sites.local is None):
        place = await sites.any_that_can([tool], away)
    elif chosen:
        place = await sites.get(chosen)
    else:
        place = await _first_with(request, tool)
    said = await place.tool(tool)
    if not said["valid"]:
        raise Invalid(f"{tool} can't be used: {said['reason']}")
    return place, said


async def _first_with(request: Request, tool: str) -> Site:
    sites = pages_of(request).sites
    local = sites.local
    if local is not None and any(one["name"] == tool for one in await local.tools()):
        return local
    return await sites.any_that_can([tool])


async def _form(  # noqa: PLR0917  (what a form shows)
    request: Request,
    who: Principal,
    place: Site,
    draft: drafts.Draft,
    chosen: str,
    status: int = 200,
) -> Response:
    pages = pages_of(request)
    online = [each.nickname for each in await pages.sites.online()]
    typical = await pages.history.typical(place, who, [draft.tool["name"]])
    return page(
        request,
        "submit.html",
        who,
        status=status,
        section="submit",
        draft=draft,
        options=await _options(place, draft),
        sites=[*online, ANY] if len(online) > 1 else online,
        chosen=chosen or place.nickname,
        shared_on=pages.sites.local.nickname if pages.sites.local else "",
        typical=typical.get(draft.tool["name"]),
        crumbs=[("Submit", "/submit"), (draft.tool["name"], "")],
    )


async def _options(place: Site, draft: drafts.Draft) -> dict[str, dict[str, Any]]:
    """Return what each parameter may be; of one whose command is slow the static ones."""
    names = [one.said["name"] for one in draft.fields if one.said.get("dynamic")]
    tasks = {name: asyncio.ensure_future(place.options(draft.tool["name"], name)) for name in names}
    if tasks:
        await asyncio.wait(tasks.values(), timeout=PATIENCE)
    found: dict[str, dict[str, Any]] = {}
    for one in draft.fields:
        name = one.said["name"]
        if "options" not in one.said:
            continue
        found[name] = {"options": one.said["options"], "warning": "", "pending": name in tasks}
        task = tasks.get(name)
        if task is not None and task.done() and task.exception() is None:
            found[name] = {**task.result(), "pending": False}
        elif task is not None:
            task.cancel()
    return found
