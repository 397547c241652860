"""A satellite on a socket, asked in-process and over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from projects.hub.sites.local import LocalSite
from projects.hub.sites.remote import RemoteSite
from projects.hub.sites.site import Said, Site
from projects.jobs.http.access import Principal
from tests.jobs.http.puppets import PATIENCE, World, served

Result = TypeVar("Result")


@dataclass
class Place:
    """A site, and the world in which its jobs are."""

    world: World
    make: Callable[[], Site]

    def do(self, what: Callable[[Site], Coroutine[Any, Any, Result]]) -> Result:
        """Do something with the site, in a loop of its own."""

        async def run() -> Result:
            site = self.make()
            try:
                async with asyncio.timeout(PATIENCE):
                    return await what(site)
            finally:
                if isinstance(site, RemoteSite):
                    await site.close()

        return asyncio.run(run())

    def submit(self, who: Principal, count: int = 1, **more: Any) -> list[str]:
        """Submit jobs; return their ids."""
        specs = [{"name": "example", "params": {"a": at}} for at in range(count)]
        done = self.do(lambda site: site.submit(who, {"job_specs": specs, **more}))
        ids: list[str] = done["job_ids"]
        return ids


@pytest.fixture(params=["local", "remote"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with served(tmp_path, ["satellite"]) as world:

        def make() -> Site:
            if request.param == "local":
                return LocalSite(world.services)
            return RemoteSite("nick", world.address, world.token("hub", ["admin"]))

        yield Place(world, make)


async def collected(
    source: AsyncGenerator[Said | None, None], until: Callable[[Said], bool]
) -> list[Said]:
    """Return what a stream says up to something."""
    found = []
    try:
        async for said in source:
            if said is not None:
                found.append(said)
                if until(said):
                    break
    finally:
        await source.aclose()
    return found
