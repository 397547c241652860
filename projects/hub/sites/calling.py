"""Calls of a satellite's `/api/v1`: with whose token, how long, how much, and what goes wrong."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
from pydantic_core import from_json

from projects.core.secrets import masking
from projects.hub.sites.shapes import Kind, checked
from projects.hub.sites.site import SiteAway
from projects.hub.sites.stream import Reader
from projects.jobs.http.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from projects.hub.sites.site import Json, Said
    from projects.jobs.http.access import Principal

CONNECT, READ = 2.0, 10.0
"""Seconds until a satellite counts as away."""

WHOLE = 30.0
"""Seconds that an answer takes at most, however it drips; a stream has them for its head."""

SILENCE = 45.0
"""A stream that says nothing for so many seconds, not even that it is there, is over."""

MOST_ANSWER = 32 << 20
LIFETIME = 12 * 3600.0
"""Seconds for which a token that acts for a user is good; half of it, it is used."""

_UNAUTHORIZED = 401
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Nothing of the call has reached the satellite."""

_TOKENS = "/tokens"
_WRONG = 400
_BROKEN = 500
_CREATED = 201
_MOST_SAID = 500
_MOST_FIELDS = 100


@dataclass(frozen=True, slots=True)
class _Acting:
    token: str
    until: float


class Calling:
    """Calls one satellite: `credential` is a token of it with the scope admin.

    `since` says since when it is offline, in words; empty while it is online.
    """

    def __init__(
        self,
        nickname: str,
        url: str,
        credential: str,
        *,
        since: Callable[[], str] = lambda: "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.nickname = nickname
        self.url = url.rstrip("/")
        self._since = since
        self._credential = credential
        self._acting: dict[tuple[str, str], _Acting] = {}
        if credential:
            masking.register(credential, f"credential of the satellite {nickname}")
        self._http = httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            timeout=httpx.Timeout(READ, connect=CONNECT),
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=10),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _pieces(self, answer: httpx.Response) -> AsyncGenerator[bytes, None]:
        try:
            async for piece in answer.aiter_raw():
                yield piece
        except httpx.HTTPError as error:
            raise self._away(error) from None
        finally:
            await answer.aclose()

    async def _stream(
        self, path: str, who: Principal, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> AsyncGenerator[Said | None, None]:
        answer = await self._send(
            "GET", path, who, params=params, headers=dict(headers), streamed=True
        )
        if answer.status_code >= _WRONG:
            await self._read_whole(answer)
        reader = Reader()
        try:
            self._check(answer)
            async for piece in answer.aiter_raw():
                messages = list(reader.feed(piece))
                if not messages:
                    yield None
                for said in messages:
                    yield said
        except httpx.HTTPError as error:
            raise self._away(error) from None
        finally:
            await answer.aclose()

    async def _ask(self, method: str, path: str, who: Principal | None = None, **more: Any) -> Json:
        answer = await self._send(method, path, who, **more)
        self._check(answer)
        return self._object(answer)

    async def _get(self, kind: Kind, path: str, who: Principal | None = None, **more: Any) -> Json:
        value = await self._ask("GET", path, who, **more)
        return cast("Json", checked(self.nickname, kind, value))

    async def _post(self, kind: Kind, path: str, who: Principal, **more: Any) -> Json:
        value = await self._ask("POST", path, who, **more)
        try:
            return cast("Json", checked(self.nickname, kind, value))
        except SiteAway as error:
            raise SiteAway(error.message, arrived=None) from None

    def _object(self, answer: httpx.Response) -> Json:
        try:
            value = from_json(answer.content, allow_inf_nan=False)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise SiteAway(f"satellite {self.nickname} answered something that isn't an object")
        return value

    async def _send(
        self, method: str, path: str, who: Principal | None = None, **more: Any
    ) -> httpx.Response:
        token = await self._token(who)
        answer = await self._once(method, path, token, **more)
        if answer.status_code == _UNAUTHORIZED and who is not None:
            await answer.aclose()  # it was revoked, or the satellite began anew
            self._acting.clear()
            answer = await self._once(method, path, await self._token(who), **more)
        return answer

    async def _once(
        self, method: str, path: str, token: str, *, streamed: bool = False, **more: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        headers |= more.pop("headers", {})
        changes = method if path != _TOKENS else "GET"
        if streamed:
            more["timeout"] = httpx.Timeout(READ, connect=CONNECT, read=SILENCE)
        try:
            async with asyncio.timeout(WHOLE):
                request = self._http.build_request(method, path, headers=headers, **more)
                answer = await self._http.send(request, stream=True)
                if not streamed:
                    await self._read(answer)
        except TimeoutError:
            raise self._away(f"its answer isn't whole after {WHOLE:.0f} s", changes) from None
        except _UNSENT as error:
            raise self._away(error) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(error, changes) from None
        return answer

    async def _read_whole(self, answer: httpx.Response) -> None:
        try:
            async with asyncio.timeout(WHOLE):
                await self._read(answer)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._away(error) from None

    async def _read(self, answer: httpx.Response) -> None:
        pieces, size = [], 0
        try:
            if answer.headers.get("content-encoding", "identity") != "identity":
                # It could be a thousand times as large.
                raise SiteAway(f"satellite {self.nickname} answered packed, which wasn't asked for")
            async for piece in answer.aiter_bytes():
                size += len(piece)
                if size > MOST_ANSWER:
                    said = f"more than {MOST_ANSWER >> 20} MiB"
                    raise SiteAway(f"satellite {self.nickname} answered {said}")
                pieces.append(piece)
        finally:
            await answer.aclose()
        answer._content = b"".join(pieces)  # noqa: SLF001  (httpx reads without a bound)

    async def _token(self, who: Principal | None) -> str:
        if not self._credential:
            raise SiteAway(
                f"satellite {self.nickname} has handed over no credential: it is seen, not asked"
            )
        if who is None:
            return self._credential
        scope = "admin" if who.is_admin else "submit" if "submit" in who.scopes else "read"
        known = self._acting.get((who.owner, scope))
        if known is not None and known.until > time.monotonic():
            return known.token
        wanted = {"owner": who.owner, "scopes": [scope], "label": "hub", "lifetime": LIFETIME}
        answer = await self._once("POST", _TOKENS, self._credential, json=wanted)
        if answer.status_code != _CREATED:
            raise SiteAway(
                f"satellite {self.nickname} doesn't let the hub act for its users"
                f" (HTTP {answer.status_code}): its credential needs the scope admin"
            )
        text = str(checked(self.nickname, "token", self._object(answer))["token"])
        masking.register(text, f"token for the satellite {self.nickname}")
        self._acting[who.owner, scope] = _Acting(text, time.monotonic() + LIFETIME / 2)
        return text

    def _check(self, answer: httpx.Response) -> None:
        """Raise the error that an answer is."""
        status = answer.status_code
        if status < _WRONG:
            return
        message, fields = _said(answer)
        if status >= _BROKEN or status == _UNAUTHORIZED:
            raise SiteAway(f"satellite {self.nickname}: {message}", arrived=None)
        refusal = Refusal(message, fields=fields)
        refusal.http_status = status
        raise refusal

    def _away(self, error: Exception | str, method: str = "GET") -> SiteAway:
        """Return what is told; `method` is that of a call which may have arrived."""
        since = self._since()
        reason = str(error) or type(error).__name__
        state = f"is offline since {since}" if since else "doesn't answer"
        said = f"satellite {self.nickname} {state} ({reason})"
        if method == "GET":
            return SiteAway(said)
        return SiteAway(f"{said}: look there first whether it took what was sent", arrived=None)


def _said(answer: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return the message of an error, and what is wrong where."""
    try:
        error = from_json(answer.content)["error"]
        fields = dict(error.get("fields") or {})
        shown = [(str(name), str(said)) for name, said in fields.items()][:_MOST_FIELDS]
        return (
            str(error["message"])[:_MOST_SAID],
            {name[:_MOST_SAID]: said[:_MOST_SAID] for name, said in shown},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {answer.status_code}", {}
