"""Who calls, and what they may do: the one place that says yes or no."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from projects.core.errors import TopgallantError
from projects.jobs.http import tokens
from projects.jobs.http.body import is_form
from projects.jobs.http.queries import check_names
from projects.jobs.http.refusals import (
    Absent,
    Elsewhere,
    Forbidden,
    TooManyAttempts,
    Unauthorized,
)
from projects.jobs.http.throttle import Throttle
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from projects.jobs.model.entities import Token

    StandingOf = Callable[[str], "Standing | None"]

CACHE_SECONDS = 1.0
"""A token that another process revokes opens at most this much longer."""

MOST_CACHED = 10_000
USED_INTERVAL = 60 * moment.SECOND
"""`last_used` is written at most this often, in µs."""

PRINCIPAL = "topgallant.principal"
"""Key in the scope of a call: who made it, once that is known."""


DONE_TO = "topgallant.done_to"
"""Key in the scope of a call: what it made or changed, where its address doesn't say so."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: the owner of what they submit, and what their token or session opens."""

    owner: str
    scopes: tuple[str, ...]
    token_id: str = ""
    """The token that they came with; empty: they came with a session."""
    groups: tuple[str, ...] = ()
    expires: int | None = None
    """When what they came with ends, in µs; None: never, or that doesn't concern others."""
    session_id: str = ""
    csrf: str = field(default="", repr=False)
    """What forms and scripts of this session's pages send back."""

    @property
    def is_admin(self) -> bool:
        """Whether they see and do everything."""
        return "admin" in self.scopes

    @property
    def sees(self) -> str | None:
        """The owner whose objects they see; None: everybody's."""
        return None if self.is_admin else self.owner

    def may_see(self, owner: str, groups: Iterable[str] = ()) -> bool:
        """Return whether objects of `owner`, shared with `groups`, exist for them."""
        return self.is_admin or owner == self.owner or not set(groups).isdisjoint(self.groups)

    def may_change(self, owner: str) -> bool:
        """Return whether they may change objects of `owner`: groups only look at them."""
        return self.is_admin or owner == self.owner


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a user beside their tokens."""

    admin: bool = False
    disabled: bool = False
    groups: tuple[str, ...] = ()


class Source(Protocol):
    """A way to say who one is."""

    async def principal(self, request: Request) -> Principal | None:
        """Return who calls; None: the call says nothing of this kind. Raises what the call gets."""

    def forget(self) -> None:
        """Look everybody up again."""


class Authenticator:
    """Asks its sources, in their order, who calls; people go to the page `login`, if any."""

    def __init__(self, sources: Sequence[Source], login: str = "") -> None:
        self._sources = sources
        self._login = login

    async def principal(self, request: Request) -> Principal:
        """Return who calls.

        Raises
        ------
        Unauthorized, Forbidden, TooManyAttempts
            The call has nothing that says so, or something wrong, once or too often.
        Elsewhere
            The same, where somebody looks at a page, or sends the form of one.
        """
        try:
            return await self._ask(request)
        except Unauthorized as error:
            if not self._login or not (_is_look(request) or _is_of_page(request)):
                raise
            onward = _address_of_look(request) if _is_look(request) else _page_before(request)
            where = f"{self._login}?{urlencode({'next': onward})}"
            raise Elsewhere(error.message, headers={"Location": where}) from None

    async def _ask(self, request: Request) -> Principal:
        for source in self._sources:
            who = await source.principal(request)
            if who is not None:
                request.scope[PRINCIPAL] = who
                return who
        raise Unauthorized(
            "this needs a token: send the header Authorization: Bearer TOKEN",
            headers=_challenge(request),
        )

    def forget(self) -> None:
        """Look everybody up again: a token was revoked, a user or a group changed."""
        for source in self._sources:
            source.forget()


class Bearer:
    """Finds the principal of a token in the store; remembers it for `CACHE_SECONDS`.

    `standing_of` knows users: one who is disabled gets in with no token, one who is no admin with
    none as such. Of an owner whom it doesn't know the token alone counts.
    """

    def __init__(
        self,
        store: Any,
        *,
        standing_of: StandingOf = lambda _: None,
        throttle: Throttle | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._standing_of = standing_of
        self._throttle = throttle or Throttle()
        self._clock = clock
        self._cache: dict[str, tuple[Token, Principal, float]] = {}
        self._used: dict[str, int] = {}

    async def principal(self, request: Request) -> Principal | None:
        """Return whose token it is; see `Authenticator.principal`."""
        text = _token_of(request)
        if text is None:
            return None
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
        standing = None if token is None else self._standing_of(token.owner)
        # The index compares a hash, of which time betrays nothing; this is for the eye.
        if (
            token is None
            or not hmac.compare_digest(token.hash, digest)
            or (standing is not None and standing.disabled)
        ):
            self._cache.pop(digest, None)
            return None
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        found = token, _principal_of(token, standing), self._clock()
        self._cache[digest] = found
        return found

    def _note_use(self, token_id: str, now: int) -> None:
        if len(self._used) >= MOST_CACHED:
            self._used.clear()
        self._used[token_id] = now
        with contextlib.suppress(TopgallantError):  # a store that is locked keeps nobody out
            self._store.touch_token(token_id, at=now)

    def _refusal(self, request: Request) -> Unauthorized | TooManyAttempts:
        address = address_of(request)
        wait = self._throttle.failed(address, self._clock())
        if wait is None:
            return Unauthorized(
                "the token is wrong, has expired or was revoked", headers=_challenge(request)
            )
        return TooManyAttempts(
            f"too many wrong tokens came from {address}; try again in {wait:.0f} s",
            headers={"Retry-After": str(max(1, round(wait)))},
        )


def _principal_of(token: Token, standing: Standing | None) -> Principal:
    scopes = tuple(token.scopes)
    if standing is None:
        return Principal(token.owner, scopes, token.id, expires=token.expires)
    if not standing.admin:
        scopes = tuple("submit" if scope == "admin" else scope for scope in scopes)
    return Principal(token.owner, scopes, token.id, standing.groups, token.expires)


def address_of(request: Request) -> str:
    """Return the address that a call comes from."""
    return request.client.host if request.client else ""


class Require(SecurityBase):
    """The dependency of every route that isn't open: a token with a scope, known parameters."""

    def __init__(self, scope: tokens.Wanted) -> None:
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


def require(scope: tokens.Wanted) -> Any:
    """Return the dependency that lets a caller with `scope` pass, as a `Principal`."""
    return Depends(_REQUIRED[scope])


_REQUIRED = {scope: Require(scope) for scope in tokens.ENOUGH}

READ, SUBMIT, ADMIN = require("read"), require("submit"), require("admin")
"""For routes that needn't know who calls."""

Reader = Annotated[Principal, require("read")]
Submitter = Annotated[Principal, require("submit")]
Admin = Annotated[Principal, require("admin")]
Uploader = Annotated[Principal, require("upload")]
"""Who sends results: users and satellites."""
Satellite = Annotated[Principal, require("satellite")]
"""Who registers: satellites, and admins for them."""


def visible(
    who: Principal, thing: Any, what: str, name: object, groups: Callable[[], Iterable[str]] = tuple
) -> Any:
    """Return `thing` (of an owner) if it exists for `who`; else the answer is the same 404.

    `groups` are those it is shared with, beside its own `groups` where it has them; asked for
    only if they matter.

    Raises
    ------
    Absent
        It isn't there, or is somebody else's.
    """
    if thing is not None and who.may_see(thing.owner):
        return thing
    if thing is not None and who.groups:
        shared_with = (*getattr(thing, "groups", ()), *groups())
        if who.may_see(thing.owner, shared_with):
            return thing
    raise Absent(f"there is no {what} {name}")


def changeable(who: Principal, thing: Any) -> None:
    """Refuse a change of a visible `thing` to those whose groups may only look at it.

    Raises
    ------
    Forbidden
        It is somebody else's.
    """
    if not who.may_change(thing.owner):
        raise Forbidden(f"it belongs to {thing.owner}, who shares it with you for reading")


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


def _is_look(request: Request) -> bool:
    """Return whether a person looks at this in a browser."""
    wants_page = "text/html" in request.headers.get("accept", "")
    return wants_page and request.method in ("GET", "HEAD")


def _is_of_page(request: Request) -> bool:
    """Return whether a person sends the form of a page."""
    return "text/html" in request.headers.get("accept", "") and is_form(request)


def _address_of_look(request: Request) -> str:
    path: str = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    return path + (f"?{request.url.query}" if request.url.query else "")


def _page_before(request: Request) -> str:
    """Return the page on which a form was, as the browser says."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if parts.netloc != request.headers.get("host") or not parts.path:
        return "/"
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _challenge(request: Request) -> dict[str, str]:
    if _is_look(request):
        return {"WWW-Authenticate": 'Basic realm="topgallant: the password is your token"'}
    return {"WWW-Authenticate": 'Bearer realm="topgallant"'}
