"""`/login/oidc`: to the OpenID Connect provider and back; served where one is set."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.core.errors import TopgallantError
from projects.hub.accounts import sessions
from projects.hub.accounts.accounts import accounts_of
from projects.hub.accounts.cookies import cookie_name, is_encrypted, set_cookie
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.login_routes import local_path
from projects.hub.accounts.oidc import Attempt, Client, Provider
from projects.hub.accounts.values import Actor, User
from projects.jobs.http.access import address_of
from projects.jobs.http.refusals import Forbidden, Unauthorized

if TYPE_CHECKING:
    from projects.hub.accounts.accounts import Accounts

OPEN = ("/login/oidc", "/login/oidc/back")
"""The routes that need neither token nor session."""

router = APIRouter(include_in_schema=False)

_KEPT = 600
"""Seconds that somebody has at the provider."""

_SEEN = 303
_STRANGE = re.compile(r"[^a-z0-9._-]+")


@router.get(OPEN[0], response_class=Response)
async def begin(request: Request) -> Response:
    """Send the browser to the provider."""
    client = _client(request)
    onward = local_path(request.query_params.get("next", ""))
    try:
        where, attempt = await client.begin(_back(request, client.provider), onward)
    except TopgallantError:
        return _failed("provider")
    response = Response(status_code=_SEEN, headers={"Location": where})
    response.set_cookie(
        _cookie(request),
        attempt.text(),
        max_age=_KEPT,
        path=OPEN[0],
        httponly=True,
        samesite="lax",
        secure=_secure(request, client.provider),
    )
    return response


@router.get(OPEN[1], response_class=Response)
async def back(request: Request) -> Response:
    """Begin a session for whom the provider vouches."""
    client, query = _client(request), request.query_params
    attempt = Attempt.read(request.cookies.get(_cookie(request), ""))
    try:
        if attempt is None:
            raise Unauthorized("this log-in was begun elsewhere, or long ago: begin anew")
        claims = await client.finish(
            attempt, query.get("state", ""), query.get("code", ""), _back(request, client.provider)
        )
        secret = await run_in_threadpool(
            _session, accounts_of(request), client.provider, claims, request
        )
    except Forbidden:
        return _failed("unknown")
    except TopgallantError:
        return _failed("provider")
    response = Response(status_code=_SEEN, headers={"Location": local_path(attempt.onward)})
    set_cookie(request, response, secret, secure=_secure(request, client.provider))
    response.delete_cookie(_cookie(request), path=OPEN[0])
    return response


def _session(
    accounts: Accounts, provider: Provider, claims: dict[str, Any], request: Request
) -> str:
    subject = f"{provider.issuer} {claims['sub']}"
    name = _name(claims)
    actor = Actor(name, address_of(request))
    wanted = User(
        name,
        full_name=str(claims.get("name", ""))[:200],
        email=str(claims.get("email", ""))[:200] if claims.get("email_verified") is True else "",
        subject=subject,
    )
    here = accounts.session(sessions.digest(request.cookies.get(cookie_name(request), "")))
    known = here[1].name if here else None
    user = Directory(accounts).by_subject(wanted, actor, make=provider.register, known=known)
    return accounts.begin_session(user, actor, request.headers.get("user-agent", ""), "oidc")


def _name(claims: dict[str, Any]) -> str:
    """Return the name that somebody would get here."""
    given = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
    return _STRANGE.sub("-", given.partition("@")[0].lower()).strip("-._")[:63] or "user"


def _failed(why: str) -> Response:
    where = f"/login?{urlencode({'failed': why})}"
    return Response(status_code=_SEEN, headers={"Location": where})


def _back(request: Request, provider: Provider) -> str:
    base = provider.public_url.rstrip("/") or f"{request.url.scheme}://{request.url.netloc}"
    return base + OPEN[1]


def _secure(request: Request, provider: Provider) -> bool:
    return is_encrypted(request) or provider.public_url.startswith("https://")


def _cookie(request: Request) -> str:
    return f"{cookie_name(request)}_oidc"


def _client(request: Request) -> Client:
    client: Client = request.app.state.oidc
    return client
