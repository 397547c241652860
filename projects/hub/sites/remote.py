"""A satellite far away: its `/api/v1`, asked with the credential that it handed over."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from projects.hub.sites.calling import Calling
from projects.hub.sites.lending import Lending
from projects.hub.sites.shapes import fits
from projects.hub.sites.site import Download, Part, SiteAway
from projects.jobs.http.access import Principal
from projects.jobs.http.refusals import Refusal
from projects.jobs.library.client import part as _part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    import httpx

    from projects.hub.sites.lending import SharedWith
    from projects.hub.sites.site import Json, Said
_BAD_RANGE = 416
_FILE = (200, 206)
_RANGE = re.compile(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(\d{1,18})\Z")


class RemoteSite(Calling):
    """`Site` over HTTP.

    For each user the satellite is asked for a token of that name: whose job is whose is then
    decided there, by the one rule that decides it everywhere.

    Parameters
    ----------
    credential
        A token of the satellite with the scope admin.
    since
        Says since when the satellite is offline, in words; empty while it is online.
    shared_with
        Knows which groups see a submission of a satellite here; None: only owners see theirs.
    """

    is_local = False

    def __init__(
        self,
        nickname: str,
        url: str,
        credential: str,
        *,
        since: Callable[[], str] = lambda: "",
        shared_with: SharedWith | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(nickname, url, credential, since=since, transport=transport)
        self._lending = Lending(nickname, self._as_admin, shared_with)

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
        return await self._get(
            "list of jobs", "/jobs", await self._lister(who, query), params=query
        )

    async def job(self, who: Principal, job: str) -> Json:
        """Return a job."""
        return await self._get("job", f"/jobs/{_part(job)}", await self._viewer(who, job))

    async def submissions(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of submissions."""
        return await self._get("list of submissions", "/submissions", who, params=query)

    async def submission(self, who: Principal, submission: str) -> Json:
        """Return a submission."""
        viewer = await self._lending.eyes(who, "submissions", submission)
        return await self._get("submission", f"/submissions/{_part(submission)}", viewer)

    async def counts(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return how many jobs there are."""
        return await self._get("count", "/counts", await self._lister(who, query), params=query)

    async def events_of(self, who: Principal, job: str) -> list[Json]:
        """Return what happened to a job."""
        viewer = await self._viewer(who, job)
        return _items(await self._get("list of events", f"/jobs/{_part(job)}/events", viewer))

    async def uploads(self, who: Principal, job: str) -> list[Json]:
        """Return the results of a job that go to the hub."""
        viewer = await self._viewer(who, job)
        return _items(await self._get("list of uploads", f"/jobs/{_part(job)}/uploads", viewer))

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
        viewer = await self._viewer(who, job)
        answer = await self._send("GET", path, viewer, headers={"Range": asked})
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
        viewer = await self._viewer(who, job)
        async for said in self._stream(path, viewer, {"follow": "true"}, headers):
            if said is None or (said.kind == "log" and fits("log", said.value)):
                yield said
            elif said.kind == "end" and fits("end", said.value):
                yield said
                return

    async def follow(
        self, who: Principal, after: int | None, owner: str | None = None
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what happens."""
        if owner not in (None, who.owner) and not who.is_admin:
            who = Principal(str(owner), ("read",))
        params = {} if after is None else {"after": str(after)}
        async for said in self._stream("/events", who, params, {}):
            yield said

    async def artifacts(self, who: Principal, job: str) -> Json:
        """Return the files of a job."""
        viewer = await self._viewer(who, job)
        return await self._get("list of files", f"/jobs/{_part(job)}/artifacts", viewer)

    async def artifact(self, who: Principal, job: str, path: str, asked: str | None) -> Download:
        """Return a file of a job."""
        headers = {"Range": asked} if asked else {}
        inside = f"/jobs/{_part(job)}/artifacts/" + "/".join(map(_part, path.split("/")))
        viewer = await self._viewer(who, job)
        answer = await self._send("GET", inside, viewer, headers=headers, streamed=True)
        if answer.status_code not in _FILE:
            await self._read_whole(answer)
            self._check(answer)
            raise SiteAway(
                f"satellite {self.nickname} answered with HTTP {answer.status_code}, not a file"
            )
        return Download(answer.status_code, dict(answer.headers), self._pieces(answer))

    async def _viewer(self, who: Principal, job: str) -> Principal:
        return await self._lending.eyes(who, "jobs", job)

    async def _lister(self, who: Principal, query: Mapping[str, str]) -> Principal:
        """Return who lists: of a submission that is shared with them they see all jobs."""
        submission = query.get("submission")
        if not submission or query.get("owner", who.owner) != who.owner:
            return who
        try:
            return await self._lending.eyes(who, "submissions", submission)
        except Refusal:  # there is none: the list is empty
            return who

    async def _as_admin(self, kind: str, name: str) -> Json:
        return await self._get("job" if kind == "jobs" else "submission", f"/{kind}/{_part(name)}")


def _items(value: Any) -> list[Any]:
    items: list[Any] = value["items"]
    return items
