"""Logging in, one's account, and what admins do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.hub.accounts import audit, schemas
from projects.hub.accounts.accounts import INVITATION_LIFETIME, accounts_of
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.login_routes import local_path
from projects.hub.accounts.routes import actor
from projects.hub.accounts.values import User
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http import render, tokens
from projects.jobs.http.access import DONE_TO, Principal
from projects.jobs.http.body import read_form
from projects.jobs.http.refusals import Absent, Forbidden
from projects.jobs.http.services import services_of
from projects.jobs.model import moment

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 200
DAY = 86_400.0
_SAID = {
    "password": "The name or the password is wrong.",
    "link": "This link was used already, or is too old: ask for a new one.",
    "wait": "Too many log-ins failed: wait a little.",
}


@router.get("/login")
async def log_in(request: Request, failed: str = "", link: str = "", seconds: str = "") -> Response:
    """Show how to log in; a link is taken by the button, not by looking at it."""
    directory = Directory(accounts_of(request))
    said = _SAID.get(failed, "")
    if failed == "wait" and seconds.isdecimal() and len(seconds) < 6:  # noqa: PLR2004
        said = f"Too many log-ins failed: try again in {seconds} s."
    return page(
        request,
        "login.html",
        None,
        said=said,
        link=link[:200],
        onward=local_path(request.query_params.get("next", "")),
        is_open=await run_in_threadpool(directory.registration) == "open",
    )


@router.get("/account")
async def account(request: Request, who: Viewer) -> Response:
    """Show one's account."""
    return await _account(request, who)


@router.post("/account/tokens")
async def make_token(request: Request, who: Actor) -> Response:
    """Make a token; its text is on the page that answers and nowhere else."""
    form = await read_form(request)
    scope = form.get("scope")
    scopes = [each for each in tokens.SCOPES if each == scope]
    if not scopes or (scope == "admin" and not who.is_admin):
        raise Forbidden(f"you can't make a token of the kind {scope[:20]!r}")
    lifetime = _lifetime(form.get("days", "90"), who)
    text, token = tokens.issue(who.owner, scopes, label=form.get("label")[:200], lifetime=lifetime)
    await run_in_threadpool(services_of(request).store.add_token, token)
    request.scope[DONE_TO] = token.id
    return await _account(request, who, made=text)


@router.post("/account/tokens/{token}/revoke")
async def revoke_token(request: Request, who: Actor, token: str) -> Response:
    """Revoke a token."""
    store = services_of(request).store
    if token not in {one.id for one in await run_in_threadpool(store.tokens, who.sees)}:
        raise Absent(f"there is no token with the id {token[:60]}")
    await run_in_threadpool(lambda: store.revoke_token(token, at=moment.now()))
    request.app.state.authenticator.forget()
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/{session}/end")
async def end_session(request: Request, who: Actor, session: str) -> Response:
    """Log one of one's browsers out."""
    accounts = accounts_of(request)
    if not await run_in_threadpool(accounts.end_session, who.sees, session, actor(request, who)):
        raise Absent(f"there is no session {session[:70]}")
    return RedirectResponse("/account", 303)


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


async def _account(request: Request, who: Principal, made: str = "") -> Response:
    accounts = accounts_of(request)
    user = await run_in_threadpool(accounts.user, who.owner)
    sessions = await run_in_threadpool(accounts.sessions_of, who.owner)
    known = await run_in_threadpool(services_of(request).store.tokens, who.owner)
    now = moment.now()
    return page(
        request,
        "account.html",
        who,
        section="account",
        user=user,
        sessions=[schemas.session(one, who.session_id) for one in sessions],
        tokens=[render.token(one) for one in reversed(known) if tokens.is_good(one, now)][:MOST],
        scopes=[each for each in tokens.SCOPES if each != "admin" or who.is_admin],
        made=made,
    )


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


def _lifetime(days: str, who: Principal) -> float | None:
    """Return the seconds for which a token is good; what made it ends no sooner than it does."""
    known = days.isascii() and days.isdecimal() and len(days) <= 4  # noqa: PLR2004  (years)
    lifetime = (int(days) if known else 90) * DAY or None
    if who.expires is None:
        return lifetime
    left = (who.expires - moment.now()) / moment.SECOND
    return left if lifetime is None else min(left, lifetime)


def _check_admin(who: Principal) -> None:
    if not who.is_admin:
        raise Forbidden("this is for admins")
