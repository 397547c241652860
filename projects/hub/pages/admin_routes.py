"""What admins do: users, groups, and what was done lately."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.accounts import audit, schemas
from projects.hub.accounts.accounts import INVITATION_LIFETIME, accounts_of
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.routes import actor
from projects.hub.accounts.values import User
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http.access import Principal
from projects.jobs.http.body import read_form
from projects.jobs.http.refusals import Forbidden

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 200


@router.get("/admin")
async def admin(request: Request, who: Viewer, after: str = "") -> Response:
    """Show users, groups, and what was done lately."""
    return await _admin(request, who, after=after)


@router.post("/admin/users")
async def invite(request: Request, who: Actor) -> Response:
    """Make a user, with a link by which they log in and choose a password."""
    _check_admin(who)
    form = await read_form(request)
    accounts, by = accounts_of(request), actor(request, who)
    name = form.get("name").strip()

    def make() -> str:
        if accounts.user(name) is None:
            Directory(accounts).create(User(name, form.get("full_name").strip()), None, by)
        return accounts.make_link(name, by, lifetime=INVITATION_LIFETIME)

    secret = await run_in_threadpool(make)
    url = f"{request.url.scheme}://{request.url.netloc}/login?link={secret}"
    return await _admin(request, who, invited=name, link=url)


async def _admin(
    request: Request, who: Principal, *, after: str = "", invited: str = "", link: str = ""
) -> Response:
    _check_admin(who)
    accounts = accounts_of(request)
    directory = Directory(accounts)

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
        }

    told = await run_in_threadpool(read)
    return page(request, "admin.html", who, section="admin", invited=invited, link=link, **told)


def _check_admin(who: Principal) -> None:
    if not who.is_admin:
        raise Forbidden("this is for admins")
