"""What the routes work with: handed over once, when the application is made."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread
from starlette.concurrency import run_in_threadpool

from projects.jobs.http.body import MOST_BYTES
from projects.jobs.http.refusals import Busy
from projects.jobs.tools.options import OptionProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fastapi import Request

    from projects.jobs.engine.engine import Engine
    from projects.jobs.http.access import Principal
    from projects.jobs.http.feed import Feed

Result = TypeVar("Result")

QUEUE = 5.0
"""Seconds that a call waits until it may try to write."""

MOST_STREAMS = 1000

MOST_WRITERS = 20
"""So many calls write, or wait until they can, at once; readers have threads of their own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the server presents itself, and its bounds."""

    version: str
    nickname: str = ""
    most_body: int = MOST_BYTES
    most_streams: int = MOST_STREAMS
    """So many followed logs and event streams at once, all clients together."""
    heartbeat: float = 15.0
    """Seconds between two comments on a stream on which nothing happens."""
    patience: float = 30.0
    """A client that takes nothing from its stream for so many seconds is dropped."""
    hub_database: str = ""
    """URL of the hub's database; empty: the file hub.db in the data directory."""
    hub_oidc: str = ""
    """File with the hub's OpenID Connect provider; empty: oidc.json in the data directory."""
    hub_quota: int | None = None
    """Bytes of artifacts that the hub keeps at most; None: any number."""
    user_quota: int | None = None
    """The same of a user who has no quota of their own."""
    keep_artifacts_days: float | None = None
    """Artifacts go after so many days; None: they stay."""
    keep_artifacts_last: int = 10
    """So many of each project stay however old they are."""


class Sharing(Protocol):
    """Which groups see what; kept elsewhere than the jobs are."""

    def to_share_with(self, who: Principal, wanted: Iterable[str] | None) -> Sequence[str]:
        """Return the groups that see a submission of `who`; None: those that they always name.

        Raises
        ------
        Invalid
            They aren't in one of them.
        """

    def share_submission(self, id_: str, with_groups: Iterable[str]) -> None:
        """Let groups see a submission and its jobs; durable. It may not be there yet."""

    def groups_of_submission(self, id_: str) -> Sequence[str]:
        """Return the groups that see a submission."""


@dataclass(slots=True)
class Services:
    """The engine, what it stores, the tools, and the settings of the server.

    `quick_reads`: a row is read at once, without a thread (an embedded database).
    """

    engine: Engine
    store: Any
    catalog: Any
    settings: Settings
    feed: Feed
    about: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    """What façades show of themselves beside that, by name: called each time."""
    options: OptionProvider = field(default_factory=OptionProvider)
    quick_reads: bool = True
    started: float = field(default_factory=time.monotonic)
    streams: int = 0
    sharing: Sharing | None = None
    """Knows which groups see a submission; None: only owners see theirs."""
    writers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MOST_WRITERS))

    _threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MOST_WRITERS))

    async def read(self, function: Callable[..., Result], *args: Any) -> Result:
        """Return what `function` reads: one row by its key."""
        if self.quick_reads:
            return function(*args)
        return await run_in_threadpool(function, *args)

    async def write(self, function: Callable[..., Result], *args: Any) -> Result:
        """Return what `function` returns, which may have to wait for a database that is locked.

        Raises
        ------
        Busy
            So many others do that the call didn't come in.
        """
        try:
            with fail_after(QUEUE):
                await self.writers.acquire()
        except TimeoutError:
            raise Busy(f"{MOST_WRITERS} calls write already, and more wait") from None
        try:
            return await to_thread.run_sync(function, *args, limiter=self._threads)
        finally:
            self.writers.release()


def services_of(request: Request) -> Services:
    """Return the services of the application that got `request`."""
    services: Services = request.app.state.services
    return services
