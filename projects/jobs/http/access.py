"""Who calls, and what they may do: the one place that says yes or no."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from projects.jobs.http import tokens
from projects.jobs.http.queries import check_names
from projects.jobs.http.refusals import Absent, Forbidden, TooManyAttempts, Unauthorized
from projects.jobs.http.throttle import Throttle
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.jobs.model.entities import Token

CACHE_SECONDS = 1.0
"""A token that another process revokes opens at most this much longer."""

MOST_CACHED = 10_000
USED_INTERVAL = 60 * moment.SECOND
"""`last_used` is written at most this often, in µs."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the owner of what they submit, and what their token opens."""

    owner: str
    scopes: tuple[str, ...]
    token_id: str

    @property
    def is_admin(self) -> bool:
        """Whether they see and do everything."""
        return "admin" in self.scopes

    @property
    def sees(self) -> str | None:
        """The owner whose objects they see; None: everybody's."""
        return None if self.is_admin else self.owner

    def may_see(self, owner: str) -> bool:
        """Return whether objects of `owner` exist for them."""
        return self.is_admin or owner == self.owner


class Authenticator:
    """Finds the principal of a token in the store; remembers it for `CACHE_SECONDS`."""

    def __init__(
        self,
        store: Any,
        *,
        throttle: Throttle | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._throttle = throttle or Throttle()
        self._clock = clock
        self._cache: dict[str, tuple[Token, Principal, float]] = {}
        self._used: dict[str, int] = {}

    async def principal(self, request: Request) -> Principal:
        """Return who calls.

        Raises
        ------
        Unauthorized, TooManyAttempts
            No token; a wrong, expired or revoked one, once or too often.
        """
        text = _token_of(request)
        if text is None:
            raise Unauthorized(
                "this needs a token: send the header Authorization: Bearer TOKEN",
                headers=_challenge(request),
            )
        digest = tokens.digest(text)
        known = self._cache.get(digest)
        if known is None or self._clock() - known[2] > CACHE_SECONDS:
            known = await run_in_threadpool(self._look_up, digest)
        now = moment.now()
        if known is None or not tokens.is_good(known[0], now):
            raise self._refusal(request)
        if now - (self._used.get(known[0].id) or known[0].last_used or 0) >= USED_INTERVAL:
            await run_in_threadpool(self._note_use, known[0].id, now)
        return known[1]

    def forget(self) -> None:
        """Look every token up again: one was revoked."""
        self._cache.clear()

    def _look_up(self, digest: str) -> tuple[Token, Principal, float] | None:
        token = self._store.token(digest)
        # The index compares a hash, of which time betrays nothing; this is for the eye.
        if token is None or not hmac.compare_digest(token.hash, digest):
            self._cache.pop(digest, None)
            return None
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        found = token, Principal(token.owner, tuple(token.scopes), token.id), self._clock()
        self._cache[digest] = found
        return found

    def _note_use(self, token_id: str, now: int) -> None:
        if len(self._used) >= MOST_CACHED:
            self._used.clear()
        self._used[token_id] = now
        self._store.touch_token(token_id, at=now)

    def _refusal(self, request: Request) -> Unauthorized | TooManyAttempts:
        address = request.client.host if request.client else ""
        wait = self._throttle.failed(address, self._clock())
        if wait is None:
            return Unauthorized(
                "the token is wrong, has expired or was revoked", headers=_challenge(request)
            )
        return TooManyAttempts(
            f"too many wrong tokens came from {address}; try again in {wait:.0f} s",
            headers={"Retry-After": str(max(1, round(wait)))},
        )


class Require(SecurityBase):
    """The dependency of every route that isn't open: a token with a scope, known parameters."""

    def __init__(self, scope: tokens.Scope) -> None:
        self.scope = scope
        self.model = HTTPBearer(description="`Authorization: Bearer TOKEN`")
        self.scheme_name = "token"

    async def __call__(self, request: Request) -> Principal:
        """Return who calls, if they may."""
        authenticator: Authenticator = request.app.state.authenticator
        who = await authenticator.principal(request)
        if not tokens.includes(who.scopes, self.scope):
            raise Forbidden(
                f"this needs a token with the scope {self.scope}; yours has"
                f" {', '.join(who.scopes) or 'none'}"
            )
        if request.scope["query_string"]:
            check_names(request)
        return who


def require(scope: tokens.Scope) -> Any:
    """Return the dependency that lets a caller with `scope` pass, as a `Principal`."""
    return Depends(_REQUIRED[scope])


_REQUIRED = {scope: Require(scope) for scope in tokens.SCOPES}

READ, SUBMIT, ADMIN = map(require, tokens.SCOPES)
"""For routes that needn't know who calls."""

Reader = Annotated[Principal, require("read")]
Submitter = Annotated[Principal, require("submit")]
Admin = Annotated[Principal, require("admin")]


def visible(who: Principal, thing: Any, what: str, name: object) -> Any:
    """Return `thing` (of an owner) if it exists for `who`; else the answer is the same 404.

    Raises
    ------
    Absent
        It isn't there, or is somebody else's.
    """
    if thing is None or not who.may_see(thing.owner):
        raise Absent(f"there is no {what} {name}")
    return thing


def _token_of(request: Request) -> str | None:
    kind, _, value = request.headers.get("authorization", "").strip().partition(" ")
    kind, value = kind.lower(), value.strip()
    if kind == "bearer":
        return value or None
    if kind == "basic" and request.method in ("GET", "HEAD"):
        return _password(value)
    return None


def _password(value: str) -> str | None:
    """Return the password of basic authentication: how a browser shows a token.

    Only where nothing is changed: browsers send it by themselves, also for other sites' forms.
    """
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (ValueError, binascii.Error):
        return ""  # a wrong token, not none
    return text.partition(":")[2]


def _challenge(request: Request) -> dict[str, str]:
    from_browser = "text/html" in request.headers.get("accept", "")
    if from_browser and request.method in ("GET", "HEAD"):
        return {"WWW-Authenticate": 'Basic realm="topgallant: the password is your token"'}
    return {"WWW-Authenticate": 'Bearer realm="topgallant"'}
