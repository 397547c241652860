"""Sessions of browsers as a way to say who calls; cookies change nothing without a second proof.

A browser sends cookies by itself, also when another site's page makes it call us. So a call that
may change something needs the session's CSRF token, too (header `X-CSRF-Token` or the field
`csrf_token` of a form), which only our pages know, and must say that it comes from our origin.
"""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool

from projects.hub.accounts import sessions
from projects.hub.accounts.values import ABSOLUTE
from projects.jobs.http.access import CACHE_SECONDS, MOST_CACHED, USED_INTERVAL, Principal
from projects.jobs.http.body import is_form, read_form
from projects.jobs.http.refusals import Forbidden, Unauthorized
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request
    from starlette.responses import Response

    from projects.hub.accounts.accounts import Accounts
    from projects.hub.accounts.values import Session

SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

_HEADER, _FIELD = "x-csrf-token", "csrf_token"


class SessionSource:
    """Finds the principal of a session's cookie; remembers it for `CACHE_SECONDS`."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._clock = clock
        self._cache: dict[str, tuple[Session, Principal, float]] = {}

    async def principal(self, request: Request) -> Principal | None:
        """Return whose session it is, None without a cookie.

        Raises
        ------
        Unauthorized
            The session is over.
        Forbidden
            The call may change something, and doesn't prove that one of our pages made it.
        """
        secret = request.cookies.get(cookie_name(request))
        if not secret:
            return None
        hash_ = sessions.digest(secret)
        known = self._cache.get(hash_)
        if known is None or self._clock() - known[2] > CACHE_SECONDS:
            known = await run_in_threadpool(self._look_up, hash_, sessions.csrf_of(secret))
        now = moment.now()
        if known is None or now >= known[0].ends:
            raise Unauthorized("the session is over: log in again")
        if request.method not in SAFE:
            await _check(request, known[1].csrf)
        if now - known[0].last_used >= USED_INTERVAL:
            self._cache.pop(hash_, None)
            await run_in_threadpool(self._accounts.touch, hash_, now)
        return known[1]

    def forget(self) -> None:
        """Look every session up again."""
        self._cache.clear()

    def _look_up(self, hash_: str, csrf: str) -> tuple[Session, Principal, float] | None:
        found = self._accounts.session(hash_)
        if found is None:
            self._cache.pop(hash_, None)
            return None
        session, user, groups = found
        who = Principal(
            user.name,
            ("admin",) if user.admin else ("submit",),
            groups=groups,
            session_id=session.id,
            csrf=csrf,
        )
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        known = session, who, self._clock()
        self._cache[hash_] = known
        return known


def cookie_name(request: Request) -> str:
    """Return the name of the session's cookie.

    Browsers send cookies of a host to each of its ports: two servers on one machine would end
    each other's sessions if theirs had one name.
    """
    return f"topgallant_{request.url.port or 'session'}"


def set_cookie(request: Request, response: Response, secret: str, *, secure: bool = False) -> None:
    """Hand the secret of a session to the browser; `secure`: it is known to come by HTTPS."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=ABSOLUTE // moment.SECOND,
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure or is_encrypted(request),
    )


def clear_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the session."""
    secure = is_encrypted(request)
    response.delete_cookie(
        cookie_name(request), path="/", httponly=True, samesite="lax", secure=secure
    )


def own_address(request: Request) -> str:
    """Return the address of this server as who calls it has it."""
    return f"{'https' if is_encrypted(request) else 'http'}://{request.url.netloc}"


def check_origin(request: Request, *, needed: bool) -> None:
    """Refuse a call that a page of another site makes.

    Raises
    ------
    Forbidden
        It says so; or says nothing of its origin, and that is `needed`.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site == "same-origin"
    elif origin is not None:
        ours = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    else:
        ours = not needed
    if not ours:
        raise Forbidden("this comes from a page of another site, or doesn't say where it is from")


async def _check(request: Request, csrf: str) -> None:
    check_origin(request, needed=True)
    given = request.headers.get(_HEADER)
    if given is None and is_form(request):
        given = (await read_form(request)).get(_FIELD)
    if not hmac.compare_digest((given or "").encode(), csrf.encode()):
        raise Forbidden(
            "the CSRF token is missing or wrong: load the page anew"
            f" (header X-CSRF-Token, or the field {_FIELD} of a form)"
        )


def is_encrypted(request: Request) -> bool:
    """Return whether the browser came by HTTPS: to us, or to a proxy, as its Origin then says."""
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.startswith("https://")
