"""`/api/v1/login`, `/logout`, `/register`: how one comes and goes; open to all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.hub.accounts import schemas, sessions
from projects.hub.accounts.accounts import accounts_of
from projects.hub.accounts.cookies import check_origin, clear_cookie, set_cookie
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.values import Actor, User
from projects.jobs.http.access import Reader, address_of
from projects.jobs.http.answers import answer
from projects.jobs.http.body import is_form, read_form, read_json, read_model
from projects.jobs.http.refusals import Refusal, TooManyAttempts
from projects.jobs.http.schemas import COMMON_ERRORS, body_schema

if TYPE_CHECKING:
    from projects.hub.accounts.accounts import Accounts

OPEN = ("/api/v1/login", "/api/v1/register")
"""The routes that need neither token nor session."""

router = APIRouter(prefix="/api/v1", responses=COMMON_ERRORS, tags=["accounts"])

_MOST_BODY = 64 << 10
_SEEN = 303
"""See Other: the browser goes on with GET."""

_START = "/"
_LOGIN = "/login"


@router.post(
    "/login",
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.LoginRequest),
)
async def login(request: Request) -> Response:
    """Log in with a name and a password, or with the secret of a link: begin a session.

    Takes JSON, or a form of a page: that is answered with the way to the address `next`, or back
    to the page with the field `failed`.
    """
    check_origin(request, needed=False)
    if is_form(request):
        return await _login_by_form(request)
    wanted = read_model(schemas.LoginRequest, await read_json(request, _MOST_BODY))
    return await _session_answer(request, await _log_in(request, wanted))


@router.post("/logout", status_code=204, response_class=Response)
async def logout(request: Request, who: Reader) -> Response:
    """End the session, here and now: its cookie opens nothing any more."""
    actor = Actor(who.owner, address_of(request))
    accounts = accounts_of(request)
    if who.session_id:
        await run_in_threadpool(accounts.end_session, who.owner, who.session_id, actor)
    response = Response(status_code=204)
    if is_form(request):
        response = Response(status_code=_SEEN, headers={"Location": _LOGIN})
    clear_cookie(request, response)
    return response


@router.post(
    "/register",
    status_code=201,
    response_model=schemas.Anything,
    openapi_extra=body_schema(schemas.Registrant),
)
async def register(request: Request) -> Response:
    """Make oneself a user, where the admins of the hub let everybody; begins a session."""
    check_origin(request, needed=False)
    wanted = read_model(schemas.Registrant, await read_json(request, _MOST_BODY))
    secret = await run_in_threadpool(register_user, accounts_of(request), wanted, request)
    return await _session_answer(request, secret, 201)


def register_user(accounts: Accounts, wanted: schemas.Registrant, request: Request) -> str:
    """Make a user; return the secret of their session. See `Directory.register`."""
    actor = Actor(wanted.name, address_of(request))
    new = User(wanted.name, wanted.full_name, wanted.email)
    made = Directory(accounts).register(new, wanted.password, actor)
    return accounts.begin_session(made, actor, _agent(request), "registration")


async def _log_in(request: Request, wanted: schemas.LoginRequest) -> str:
    accounts = accounts_of(request)
    actor = Actor("", address_of(request))
    if wanted.link:
        return await run_in_threadpool(accounts.log_in_by_link, wanted.link, actor, _agent(request))
    return await run_in_threadpool(
        accounts.log_in, wanted.name.strip(), wanted.password, actor, _agent(request)
    )


async def _login_by_form(request: Request) -> Response:
    form = await read_form(request, _MOST_BODY)
    onward = local_path(form.get("next"))
    fields = {name: form.get(name) for name in schemas.LoginRequest.model_fields}
    try:
        secret = await _log_in(request, read_model(schemas.LoginRequest, fields))
    except Refusal as refusal:
        said = {"failed": "link" if fields["link"] else "password"}
        if isinstance(refusal, TooManyAttempts):
            said = {"failed": "wait", "seconds": refusal.headers.get("Retry-After", "")}
        where = f"{_LOGIN}?{urlencode(said | {'next': onward})}"
        return Response(status_code=_SEEN, headers={"Location": where})
    response = Response(status_code=_SEEN, headers={"Location": onward})
    set_cookie(request, response, secret)
    return response


async def _session_answer(request: Request, secret: str, status: int = 200) -> Response:
    accounts = accounts_of(request)
    found = await run_in_threadpool(accounts.session, sessions.digest(secret))
    shown: dict[str, Any] = {"csrf_token": sessions.csrf_of(secret)}
    if found is not None:
        session, user, groups = found
        shown |= {
            "user": schemas.user(user, groups),
            "session": schemas.session(session, session.id),
        }
    response = answer(shown, status)
    set_cookie(request, response, secret)
    return response


def local_path(text: str) -> str:
    """Return an address of this server, the first page if `text` leads anywhere else."""
    ours = text.startswith("/") and not text.startswith(("//", "/\\"))
    clean = text.isascii() and text.isprintable() and "\\" not in text
    return text if ours and clean else _START


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")
