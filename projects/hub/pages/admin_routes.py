"""What admins do: users, groups, and what was done lately."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.core.errors import unknown
from projects.hub.accounts import audit, schemas
from projects.hub.accounts.accounts import INVITATION_LIFETIME, accounts_of
from projects.hub.accounts.cookies import own_address
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.routes import actor
from projects.hub.accounts.values import User
from projects.hub.pages import forms
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http.access import DONE_TO, Principal
from projects.jobs.http.body import read_form, read_model
from projects.jobs.http.refusals import Forbidden, Invalid, Refusal
from projects.jobs.tools import texts, units

if TYPE_CHECKING:
    from projects.hub.artifacts.artifacts import Artifacts

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 200
MOST_USAGES = 20
_WORDS = ("", "none")
"""What a quota may be beside a size: everybody's, or none at all."""


@router.get("/admin")
async def admin(request: Request, who: Viewer, after: str = "", done: str = "") -> Response:
    """Show users, groups, what is kept, and what was done lately."""
    return await _admin(request, who, after=after, done="Saved." if done == "quota" else "")


@router.post("/admin/users")
async def invite(request: Request, who: Actor) -> Response:
    """Make a user, with a link by which they log in and choose a password."""
    _check_admin(who)
    form = await read_form(request)
    accounts, by = accounts_of(request), actor(request, who)
    name, full_name = form.get("name").strip(), form.get("full_name").strip()

    def make() -> str:
        known = accounts.user(name)
        if known is None:
            wanted = read_model(schemas.NewUser, {"name": name, "full_name": full_name})
            Directory(accounts).create(User(wanted.name, wanted.full_name), None, by)
        elif known.disabled is not None:
            said = f"{name} is disabled: no link would work"
            raise Invalid(said, fields={"name": said})
        return accounts.make_link(name, by, lifetime=INVITATION_LIFETIME)

    try:
        secret = await run_in_threadpool(make)
    except Refusal as refusal:
        return await _admin(request, who, new=forms.refused(form, refusal, ("name", "full_name")))
    url = f"{own_address(request)}/login?link={secret}"
    return await _admin(request, who, invited=name, link=url)


@router.post("/admin/quotas")
async def set_quota(request: Request, who: Actor) -> Response:
    """Give a user a quota of their own, or that of everybody again; for admins."""
    _check_admin(who)
    form = await read_form(request)
    user, text = form.get("user").strip(), form.get("quota").strip().lower()
    quotas, accounts = _artifacts_of(request).quotas, accounts_of(request)
    try:
        size = None if text in _WORDS else units.size(text)
    except texts.Invalid as error:
        said = {"quota": f"{error}; or none, or nothing"}
        return await _admin(request, who, quota=forms.wrong(form, said))

    def keep() -> str:
        if accounts.user(user) is None and not quotas.usage(user).bytes:
            known = [one.name for one in Directory(accounts).page(MOST, "")]
            return unknown("user", user[:70], known)
        if text:
            quotas.set_own(user, size)
        else:
            quotas.drop_own(user)
        return ""

    if wrong := await run_in_threadpool(keep):
        return await _admin(request, who, quota=forms.wrong(form, {"user": wrong}))
    request.scope[DONE_TO] = user
    return RedirectResponse("/admin?done=quota#artifacts", 303)


async def _admin(
    request: Request,
    who: Principal,
    *,
    after: str = "",
    invited: str = "",
    link: str = "",
    done: str = "",
    new: forms.Filled = forms.EMPTY,
    quota: forms.Filled = forms.EMPTY,
) -> Response:
    _check_admin(who)
    accounts = accounts_of(request)
    directory = Directory(accounts)
    artifacts = _artifacts_of(request)

    def read() -> dict[str, Any]:
        with accounts.database.read() as connection:
            entries = audit.page(connection, limit=50)
        users = directory.page(MOST + 1, after)
        return {
            "users": [schemas.user(one) for one in users[:MOST]],
            "next": users[MOST - 1].name if len(users) > MOST else None,
            "groups": [schemas.group(one) for one in directory.groups_page(who, MOST, "")],
            "entries": [schemas.audit_entry(one) for one in entries],
            "registration": directory.registration(),
            "whole": artifacts.quotas.usage_of_hub(),
            "usages": artifacts.quotas.largest(MOST_USAGES),
        }

    told = await run_in_threadpool(read)
    return page(
        request,
        "admin.html",
        who,
        status=max(new.status, quota.status),
        section="admin",
        invited=invited,
        link=link,
        done=done,
        new=new,
        quota=quota,
        of_user=artifacts.quotas.of_user,
        retention=artifacts.retention,
        **told,
    )


def _artifacts_of(request: Request) -> Artifacts:
    found: Artifacts = request.app.state.artifacts
    return found


def _check_admin(who: Principal) -> None:
    if not who.is_admin:
        raise Forbidden("this is for admins")
