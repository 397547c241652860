"""Groups: those that one is in, who else is, and what managers and admins do with them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.hub.accounts import schemas
from projects.hub.accounts.accounts import accounts_of
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.routes import actor
from projects.hub.accounts.values import Member
from projects.hub.pages import forms
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http.access import Principal
from projects.jobs.http.body import read_form, read_model
from projects.jobs.http.refusals import Absent, Forbidden, Refusal

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 500
"""Groups of the list, and users that the field of a new member offers to admins."""

_NEW = ("id", "title")
_DONE = {
    "made": "The group is made. Add who is to see what is shared with it.",
    "share": "Saved.",
    "title": "Saved.",
    "removed": "The group is removed.",
    "left": "You are not in the group any more.",
}


@router.get("/groups")
async def groups(request: Request, who: Viewer, done: str = "") -> Response:
    """List the groups that one is in; for admins all."""
    return await _groups(request, who, done=_DONE.get(done, ""))


@router.post("/groups")
async def make_group(request: Request, who: Actor) -> Response:
    """Make a group; for admins, who are its first managers unless they say otherwise."""
    if not who.is_admin:
        raise Forbidden("admins make groups: ask one")
    form = await read_form(request)
    given = {name: form.get(name).strip() for name in _NEW}
    directory, by = Directory(accounts_of(request)), actor(request, who)
    joins = bool(form.get("join")) and accounts_of(request).user(who.owner) is not None

    def make() -> str:
        wanted = read_model(schemas.NewGroup, given)
        made = directory.create_group(wanted.id, wanted.title, by)
        if joins:
            directory.put_member(who, Member(made.id, who.owner, manager=True), by)
        return made.id

    try:
        made = await run_in_threadpool(make)
    except Refusal as refusal:
        return await _groups(request, who, new=forms.refused(form, refusal, _NEW))
    return RedirectResponse(f"{_place(made)}?done=made", 303)


@router.post("/account/autoshare")
async def change_autoshare(request: Request, who: Actor) -> Response:
    """Say which groups see what one submits, unless a submission says otherwise."""
    form = await read_form(request)
    directory, by = Directory(accounts_of(request)), actor(request, who)
    given = {"autoshare": form.all_of("group")}
    await run_in_threadpool(directory.change, who.owner, given, by)
    return RedirectResponse("/groups?done=share", 303)


@router.get("/groups/{group}")
async def group(request: Request, who: Viewer, group: str, done: str = "") -> Response:
    """Show a group and who is in it."""
    return await _group(request, who, group, done=_DONE.get(done, ""))


@router.post("/groups/{group}/title")
async def rename_group(request: Request, who: Actor, group: str) -> Response:
    """Give a group another title; for its managers."""
    directory = Directory(accounts_of(request))
    await run_in_threadpool(_check_managed, directory, who, group)
    form = await read_form(request)
    title = form.get("title").strip()

    def rename() -> None:
        read_model(schemas.GroupChange, {"title": title})
        directory.rename_group(who, group, title, actor(request, who))

    try:
        await run_in_threadpool(rename)
    except Refusal as refusal:
        return await _group(request, who, group, about=forms.refused(form, refusal, ("title",)))
    return RedirectResponse(f"{_place(group)}?done=title", 303)


@router.post("/groups/{group}/members")
async def put_member(request: Request, who: Actor, group: str) -> Response:
    """Make a user a member, or another kind of member; for managers of the group."""
    directory = Directory(accounts_of(request))
    await run_in_threadpool(_check_managed, directory, who, group)
    form = await read_form(request)
    name = form.get("user").strip()

    def put() -> None:
        new = Member(group, name, bool(form.get("manager")))
        directory.put_member(who, new, actor(request, who))

    try:
        await run_in_threadpool(put)
    except Absent as refusal:
        said = {"user": refusal.message}
        return await _group(request, who, group, new=forms.wrong(form, said))
    return RedirectResponse(_place(group), 303)


@router.post("/groups/{group}/members/{user}/remove")
async def remove_member(request: Request, who: Actor, group: str, user: str) -> Response:
    """Take a user out of a group; for its managers, and for the user."""
    directory, by = Directory(accounts_of(request)), actor(request, who)
    await run_in_threadpool(directory.remove_member, who, group, user, by)
    stays = who.is_admin or user != who.owner
    return RedirectResponse(_place(group) if stays else "/groups?done=left", 303)


@router.post("/groups/{group}/remove")
async def remove_group(request: Request, who: Actor, group: str) -> Response:
    """Remove a group; for admins."""
    if not who.is_admin:
        raise Forbidden("admins remove groups: ask one")
    directory, by = Directory(accounts_of(request)), actor(request, who)
    await run_in_threadpool(directory.remove_group, group, by)
    return RedirectResponse("/groups?done=removed", 303)


async def _groups(
    request: Request, who: Principal, *, done: str = "", new: forms.Filled = forms.EMPTY
) -> Response:
    accounts = accounts_of(request)
    directory = Directory(accounts)

    def read() -> dict[str, Any]:
        user = accounts.user(who.owner)
        found = directory.groups_page(who, MOST, "")
        return {
            "groups": [schemas.group(one) for one in found],
            "counts": directory.member_counts(one.id for one in found),
            "user": None if user is None else schemas.user(user),
        }

    return page(
        request,
        "groups.html",
        who,
        status=new.status,
        section="account",
        tab="groups",
        done=done,
        new=new,
        **await run_in_threadpool(read),
    )


async def _group(
    request: Request,
    who: Principal,
    id_: str,
    *,
    done: str = "",
    new: forms.Filled = forms.EMPTY,
    about: forms.Filled = forms.EMPTY,
) -> Response:
    directory = Directory(accounts_of(request))

    def read() -> dict[str, Any]:
        found, members = directory.group(who, id_)
        known = directory.page(MOST, "") if who.is_admin else []
        names = {one.user for one in members}
        return {
            "group": schemas.group(found, members),
            "is_manager": who.is_admin or Member(id_, who.owner, manager=True) in members,
            "others": [one.name for one in known if one.name not in names],
        }

    return page(
        request,
        "group.html",
        who,
        status=max(new.status, about.status),
        section="account",
        tab="groups",
        done=done,
        new=new,
        about=about,
        **await run_in_threadpool(read),
    )


def _check_managed(directory: Directory, who: Principal, id_: str) -> None:
    _, members = directory.group(who, id_)
    if not who.is_admin and Member(id_, who.owner, manager=True) not in members:
        raise Forbidden(f"only managers of the group {id_}, and admins, may do this")


def _place(id_: str) -> str:
    return f"/groups/{quote(id_, safe='')}"
