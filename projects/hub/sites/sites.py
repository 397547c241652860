"""All sites of a hub by nickname: the local one, and a connection to each satellite."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from projects.core.errors import UsageError, unknown
from projects.hub.sites.choosing import Candidate, choose
from projects.hub.sites.site import SiteAway
from projects.jobs.http.refusals import Absent
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from projects.hub.sites.local import LocalSite
    from projects.hub.sites.remote import RemoteSite
    from projects.hub.sites.satellites import Announcement, Satellite, Satellites
    from projects.hub.sites.site import Site
    from projects.jobs.http.services import Sharing

PATIENCE = 1.5
"""Seconds that a satellite has to say how busy it is when one is looked for."""


class Sites:
    """The local site, if the server runs jobs itself, and those of the satellites."""

    def __init__(
        self,
        local: LocalSite | None,
        satellites: Satellites | None,
        sharing: Sharing | None = None,
    ) -> None:
        self.local = local
        self._sharing = sharing
        self.satellites = satellites
        self._remote: dict[str, tuple[tuple[str, str], RemoteSite]] = {}

    async def note(self, said: Announcement, owner: str, *, admin: bool) -> Satellite:
        """Keep a heartbeat.

        Raises
        ------
        Taken, Absent
            The nickname is somebody else's, or this server's; satellites are not kept here.
        """
        if self.satellites is None:
            raise Absent("this server keeps no satellites")
        if self.local is not None and said.nickname == self.local.nickname:
            raise UsageError(f"{said.nickname} is the nickname of the hub's own satellite")
        return await run_in_threadpool(self.satellites.note, said, owner, admin=admin)

    async def known(self) -> list[Satellite]:
        """Return what is known of the satellites."""
        return await run_in_threadpool(self.satellites.all) if self.satellites else []

    async def get(self, nickname: str = "") -> Site:
        """Return a site; the local one if no nickname is given.

        Raises
        ------
        Absent
            There is none of this name.
        """
        if self.local is not None and nickname in ("", self.local.nickname):
            return self.local
        found = None
        if self.satellites is not None:
            found = await run_in_threadpool(self.satellites.get, nickname)
        if found is None:
            names = [each.nickname for each in await self.known()]
            raise Absent(unknown("satellite", nickname[:100], names))
        return await self._connection(found)

    async def online(self) -> list[Site]:
        """Return the local site and those of which heartbeats come."""
        now = moment.now()
        here: list[Site] = [] if self.local is None else [self.local]
        there = [await self._connection(each) for each in await self.known() if each.is_online(now)]
        return [*here, *there]

    async def any_that_can(self, tools: Collection[str], without: Collection[str] = ()) -> Site:
        """Return the least busy site that has all `tools`; one that doesn't answer is left out.

        So are those `without` whom one wants to do, by nickname.

        Raises
        ------
        NoneCan
            None has them.
        """
        sites = {one.nickname: one for one in await self.online() if one.nickname not in without}
        asked = await asyncio.gather(*(_candidate(each) for each in sites.values()))
        return sites[choose([each for each in asked if each], tools)]

    async def close(self) -> None:
        """Let go of all connections."""
        remote, self._remote = self._remote, {}
        for _, site in remote.values():
            await site.close()

    async def _connection(self, one: Satellite) -> RemoteSite:
        from projects.hub.sites.remote import RemoteSite  # its client is slow to import

        assert self.satellites is not None  # noqa: S101  (it is where `one` is from)
        token = await run_in_threadpool(self.satellites.credential, one.nickname)
        known = self._remote.get(one.nickname)
        if known is not None and known[0] == (one.url, token):
            return known[1]
        satellites = self.satellites

        def since() -> str:
            found, now = satellites.get(one.nickname), moment.now()
            if found is None or found.is_online(now):
                return ""
            return moment.iso(found.seen)[:19].replace("T", " ") + " UTC"

        shared_with = self._shared_with if self._sharing else None
        site = RemoteSite(one.nickname, one.url, token, since=since, shared_with=shared_with)
        self._remote[one.nickname] = (one.url, token), site
        return site  # the one before closes with its last call

    async def _shared_with(self, key: str) -> Sequence[str]:
        assert self._sharing is not None  # noqa: S101  (asked for where there is)
        return await run_in_threadpool(self._sharing.groups_of_submission, key)


async def _candidate(site: Site) -> Candidate | None:
    try:
        async with asyncio.timeout(PATIENCE):
            info, tools = await asyncio.gather(site.info(), site.tools())
    except (TimeoutError, SiteAway):
        return None
    limits = info["limits"]
    capacity = limits["capacity"] or limits["parallel_submissions"] * limits["parallel_jobs"]
    usable = [tool["name"] for tool in tools if tool["valid"]]
    return Candidate(site.nickname, usable, info["running"], info["waiting"], capacity)
