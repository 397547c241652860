"""Logging in, and one's account: password, browsers, tokens."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from projects.hub.accounts import login_routes, passwords, schemas
from projects.hub.accounts.accounts import accounts_of
from projects.hub.accounts.cookies import check_origin, set_cookie
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.login_routes import local_path
from projects.hub.accounts.routes import actor
from projects.hub.pages import forms
from projects.hub.pages.page_route import Actor, PageRoute, Viewer
from projects.hub.pages.rendering import page
from projects.jobs.http import render, tokens
from projects.jobs.http.access import DONE_TO, Principal
from projects.jobs.http.body import Form, read_form, read_model
from projects.jobs.http.refusals import Absent, Forbidden, Refusal
from projects.jobs.http.services import services_of
from projects.jobs.model import moment

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST = 200
DAY = 86_400.0
_FAILED = {
    "password": "The name or the password is wrong.",
    "link": "This link was used already, or is too old: ask for a new one.",
    "wait": "Too many log-ins failed: wait a little.",
    "provider": "Your organisation's log-in didn't work: try again.",
    "unknown": "You are not a user of this hub, or your name here is taken: ask an admin.",
}
_DONE = {
    "about": "Saved.",
    "password": "Your password is changed. Other browsers were logged out.",
    "sessions": "All other browsers were logged out.",
}
_ABOUT = ("full_name", "email")
_PASSWORD = ("old", "new", "again")


@router.get("/login")
async def log_in(request: Request, failed: str = "", link: str = "", seconds: str = "") -> Response:
    """Show how to log in; a link is taken by the button, not by looking at it."""
    said = _FAILED.get(failed, "")
    if failed == "wait" and seconds.isdecimal() and len(seconds) < 6:  # noqa: PLR2004
        said = f"Too many log-ins failed: try again in {seconds} s."
    onward = local_path(request.query_params.get("next", ""))
    return await _log_in_page(request, said=said, link=link[:200], onward=onward)


@router.post("/register")
async def register(request: Request) -> Response:
    """Make oneself a user, where the admins of the hub let everybody; begins a session."""
    check_origin(request, needed=False)
    form = await read_form(request)
    given = {name: form.get(name) for name in schemas.Registrant.model_fields}
    try:
        wanted = read_model(schemas.Registrant, given)
        secret = await run_in_threadpool(
            login_routes.register_user, accounts_of(request), wanted, request
        )
    except Refusal as refusal:
        return await _log_in_page(request, new=forms.refused(form, refusal, tuple(given)))
    response = RedirectResponse("/", 303)
    set_cookie(request, response, secret)
    return response


async def _log_in_page(
    request: Request,
    *,
    said: str = "",
    link: str = "",
    onward: str = "/",
    new: forms.Filled = forms.EMPTY,
) -> Response:
    directory = Directory(accounts_of(request))
    return page(
        request,
        "login.html",
        None,
        status=new.status,
        said=said or new.said,
        link=link,
        onward=onward,
        new=new,
        shortest=passwords.SHORTEST,
        by_provider=hasattr(request.app.state, "oidc"),
        is_open=await run_in_threadpool(directory.registration) == "open",
    )


@router.get("/account")
async def account(request: Request, who: Viewer, done: str = "") -> Response:
    """Show one's account."""
    return await _account(request, who, done=_DONE.get(done, ""))


@router.post("/account/about")
async def change_about(request: Request, who: Actor) -> Response:
    """Change one's full name and mail address."""
    form = await read_form(request)
    given = {name: form.get(name).strip() for name in _ABOUT}
    directory, by = Directory(accounts_of(request)), actor(request, who)
    try:
        read_model(schemas.OwnChange, given)
        await run_in_threadpool(directory.change, who.owner, given, by)
    except Refusal as refusal:
        return await _account(request, who, about=forms.refused(form, refusal, _ABOUT))
    return RedirectResponse("/account?done=about", 303)


@router.post("/account/password")
async def change_password(request: Request, who: Actor) -> Response:
    """Change one's password; other browsers are logged out."""
    form = await read_form(request)
    old, new = form.get("old"), form.get("new")
    if form.get("again") != new:
        said = {"again": "this is not the same as above"}
        return await _account(request, who, password=forms.wrong(form, said))
    directory, by = Directory(accounts_of(request)), actor(request, who)
    try:
        await run_in_threadpool(directory.change_own_password, who, old, new, by)
    except Refusal as refusal:
        return await _account(request, who, password=_refused_password(form, refusal))
    return RedirectResponse("/account?done=password", 303)


def _refused_password(form: Form, refusal: Refusal) -> forms.Filled:
    if "password" in refusal.fields:
        refusal.fields["new"] = refusal.fields["password"]
    return forms.refused(form, refusal, _PASSWORD)


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


@router.post("/account/sessions/end")
async def end_other_sessions(request: Request, who: Actor) -> Response:
    """Log all of one's browsers out but this one."""
    await run_in_threadpool(
        accounts_of(request).end_other_sessions, who.owner, who.session_id, actor(request, who)
    )
    return RedirectResponse("/account?done=sessions", 303)


@router.post("/account/sessions/{session}/end")
async def end_session(request: Request, who: Actor, session: str) -> Response:
    """Log one of one's browsers out."""
    accounts = accounts_of(request)
    if not await run_in_threadpool(accounts.end_session, who.sees, session, actor(request, who)):
        raise Absent(f"there is no session {session[:70]}")
    return RedirectResponse("/account", 303)


async def _account(
    request: Request,
    who: Principal,
    *,
    made: str = "",
    done: str = "",
    about: forms.Filled = forms.EMPTY,
    password: forms.Filled = forms.EMPTY,
) -> Response:
    accounts = accounts_of(request)
    user = await run_in_threadpool(accounts.user, who.owner)
    sessions = await run_in_threadpool(accounts.sessions_of, who.owner)
    known = await run_in_threadpool(services_of(request).store.tokens, who.owner)
    usage = await run_in_threadpool(request.app.state.artifacts.quotas.usage, who.owner)
    now = moment.now()
    return page(
        request,
        "account.html",
        who,
        status=max(about.status, password.status),
        section="account",
        tab="account",
        user=None if user is None else schemas.user(user),
        usage=usage,
        sessions=[schemas.session(one, who.session_id) for one in sessions],
        tokens=[render.token(one) for one in reversed(known) if tokens.is_good(one, now)][:MOST],
        scopes=[each for each in tokens.SCOPES if each != "admin" or who.is_admin],
        made=made,
        done=done,
        about=about,
        password=password,
    )


def _lifetime(days: str, who: Principal) -> float | None:
    """Return the seconds for which a token is good; what made it ends no sooner than it does."""
    known = days.isascii() and days.isdecimal() and len(days) <= 4  # noqa: PLR2004  (years)
    lifetime = (int(days) if known else 90) * DAY or None
    if who.expires is None:
        return lifetime
    left = (who.expires - moment.now()) / moment.SECOND
    return left if lifetime is None else min(left, lifetime)
