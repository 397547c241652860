"""A satellite far away: its `/api/v1`, asked with the credential that it handed over."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import httpx
from pydantic_core import from_json

from projects.core.secrets import masking
from projects.hub.sites.shapes import Kind, checked, fits
from projects.hub.sites.site import Download, Part, SiteAway
from projects.hub.sites.stream import Reader
from projects.jobs.http.refusals import Refusal
from projects.jobs.library.client import part as _part

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
_BAD_RANGE = 416
_WRONG = 400
_BROKEN = 500
_CREATED = 201
_FILE = (200, 206)
_MOST_SAID = 500
_MOST_FIELDS = 100
_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18})\Z")


@dataclass(frozen=True, slots=True)
class _Acting:
    token: str
    until: float


class RemoteSite:
    """`Site` over HTTP.

    For each user the satellite is asked for a token of that name: whose job is whose is then
    decided there, by the one rule that decides it everywhere.

    Parameters
    ----------
    credential
        A token of the satellite with the scope admin.
    since
        Says since when the satellite is offline, in words; empty while it is online.
    """

    is_local = False

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

    async def info(self) -> Json:
        """Return the server in short."""
        return await self._get("server", "/info")

    async def tools(self) -> list[Json]:
        """Return all tools."""
        return _items(await self._get("list of tools", "/tools"))

    async def tool(self, name: str) -> Json:
        """Return a tool."""
        found = await self._get("tool", f"/tools/{_part(name)}")
        if found["name"] != name:  # it becomes a part of addresses
            raise SiteAway(f"satellite {self.nickname} answered with another tool than {name}")
        return found

    async def options(self, tool: str, parameter: str) -> Json:
        """Return what a parameter may be."""
        path = f"/tools/{_part(tool)}/options/{_part(parameter)}"
        return await self._get("list of options", path)

    async def submit(self, who: Principal, request: Json) -> Json:
        """Submit jobs."""
        return await self._post("accepted submission", "/submissions", who, json=request)

    async def jobs(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of jobs."""
        return await self._get("list of jobs", "/jobs", who, params=query)

    async def job(self, who: Principal, job: str) -> Json:
        """Return a job."""
        return await self._get("job", f"/jobs/{_part(job)}", who)

    async def submissions(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of submissions."""
        return await self._get("list of submissions", "/submissions", who, params=query)

    async def submission(self, who: Principal, submission: str) -> Json:
        """Return a submission."""
        return await self._get("submission", f"/submissions/{_part(submission)}", who)

    async def counts(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return how many jobs there are."""
        return await self._get("count", "/counts", who, params=query)

    async def events_of(self, who: Principal, job: str) -> list[Json]:
        """Return what happened to a job."""
        return _items(await self._get("list of events", f"/jobs/{_part(job)}/events", who))

    async def uploads(self, who: Principal, job: str) -> list[Json]:
        """Return the results of a job that go to the hub."""
        return _items(await self._get("list of uploads", f"/jobs/{_part(job)}/uploads", who))

    async def cancel(self, who: Principal, job: str) -> Json:
        """Cancel a job."""
        return await self._post("job in short", f"/jobs/{_part(job)}/cancel", who)

    async def cancel_submission(self, who: Principal, submission: str) -> Json:
        """Cancel all jobs of a submission."""
        return await self._post("submission", f"/submissions/{_part(submission)}/cancel", who)

    async def retry(self, who: Principal, job: str) -> Json:
        """Run a job once more."""
        return await self._post("job in short", f"/jobs/{_part(job)}/retry", who)

    async def log(self, who: Principal, job: str, log: str, at: int | None, most: int) -> Part:
        """Return a piece of a log."""
        asked = f"bytes=-{most}" if at is None else f"bytes={at}-{at + most - 1}"
        path = f"/jobs/{_part(job)}/logs/{_part(log)}"
        answer = await self._send("GET", path, who, headers={"Range": asked})
        said = answer.headers.get("content-range", "")
        found = _RANGE.match(said)
        if said and not found:
            raise SiteAway(f"satellite {self.nickname} answered with a strange part of a log")
        start, total = (int(found[1] or 0), int(found[2])) if found else (0, 0)
        if answer.status_code == _BAD_RANGE:
            return Part(b"", total, total)
        self._check(answer)
        data = answer.content[:most]
        if not found:  # all of it: it is empty
            return Part(data, 0, len(answer.content))
        return Part(data, start, max(total, start + len(data)))

    async def follow_log(
        self, who: Principal, job: str, log: str, after: int
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what is added to a log."""
        path = f"/jobs/{_part(job)}/logs/{_part(log)}"
        headers = {"Last-Event-ID": str(after)}
        async for said in self._stream(path, who, {"follow": "true"}, headers):
            if said is None or (said.kind == "log" and fits("log", said.value)):
                yield said
            elif said.kind == "end" and fits("end", said.value):
                yield said
                return

    async def follow(
        self, who: Principal, after: int | None, owner: str | None = None
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what happens."""
        del owner
        params = {} if after is None else {"after": str(after)}
        async for said in self._stream("/events", who, params, {}):
            yield said

    async def artifacts(self, who: Principal, job: str) -> Json:
        """Return the files of a job."""
        return await self._get("list of files", f"/jobs/{_part(job)}/artifacts", who)

    async def artifact(self, who: Principal, job: str, path: str, asked: str | None) -> Download:
        """Return a file of a job."""
        headers = {"Range": asked} if asked else {}
        inside = "/".join(map(_part, path.split("/")))
        answer = await self._send(
            "GET", f"/jobs/{_part(job)}/artifacts/{inside}", who, headers=headers, streamed=True
        )
        if answer.status_code not in _FILE:
            await self._read_whole(answer)
            self._check(answer)
            raise SiteAway(
                f"satellite {self.nickname} answered with HTTP {answer.status_code}, not a file"
            )
        return Download(answer.status_code, dict(answer.headers), self._pieces(answer))

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


def _items(value: Any) -> list[Any]:
    items: list[Any] = value["items"]
    return items
