"""What a site is to the pages: the jobs of this machine, or those of a satellite far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from projects.jobs.http.access import Principal

    Json = dict[str, Any]


class SiteAway(InfrastructureError):
    """A satellite can't be asked now; the message says since when it is offline.

    `arrived`: whether it may have done what it was asked for; None: nobody knows.
    """

    http_status = 503

    def __init__(self, message: str, *, arrived: bool | None = False) -> None:
        self.arrived = arrived
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file: the bytes from `at` on, of `size` in all."""

    data: bytes
    at: int
    size: int

    @property
    def end(self) -> int:
        """Where the piece ends."""
        return self.at + len(self.data)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a stream: its type, its number if it has one, its value."""

    kind: str
    value: Any
    number: int | None = None


@dataclass(slots=True)
class Download:
    """A file on its way: its headers and its bytes, which are to be read to the end or closed."""

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]


class Site(Protocol):
    """Where jobs run. Values are those of `/api/v1`; errors are those of its routes.

    `who` is asked everywhere: what isn't theirs isn't there.

    Raises
    ------
    SiteAway
        The site doesn't answer: every method may.
    """

    nickname: str
    is_local: bool

    async def info(self) -> Json:
        """Return the server in short."""

    async def tools(self) -> list[Json]:
        """Return all tools, those that can't be used as well."""

    async def tool(self, name: str) -> Json:
        """Return a tool with its parameters."""

    async def options(self, tool: str, parameter: str) -> Json:
        """Return what a parameter may be now: `options` and `warning`."""

    async def submit(self, who: Principal, request: Json) -> Json:
        """Submit jobs; the answer has `id` and `job_ids`."""

    async def jobs(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of jobs: `items` and `next`."""

    async def job(self, who: Principal, job: str) -> Json:
        """Return a job, with `waits_for`."""

    async def submissions(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of submissions."""

    async def submission(self, who: Principal, submission: str) -> Json:
        """Return a submission."""

    async def counts(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return how many jobs there are."""

    async def events_of(self, who: Principal, job: str) -> list[Json]:
        """Return what happened to a job."""

    async def uploads(self, who: Principal, job: str) -> list[Json]:
        """Return the results of a job that go to the hub."""

    async def cancel(self, who: Principal, job: str) -> Json:
        """Cancel a job."""

    async def cancel_submission(self, who: Principal, submission: str) -> Json:
        """Cancel all jobs of a submission."""

    async def retry(self, who: Principal, job: str) -> Json:
        """Run a job once more."""

    async def log(self, who: Principal, job: str, log: str, at: int | None, most: int) -> Part:
        """Return at most `most` bytes of a log from `at` on; None: the last ones."""

    def follow_log(
        self, who: Principal, job: str, log: str, after: int
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what is added to a log after a byte (`log`: at, text), then how it ended (`end`).

        None is nothing new, now and then.
        """

    def follow(
        self, who: Principal, after: int | None, owner: str | None = None
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what happens to jobs that `who` lists; None is nothing new, now and then.

        `owner`: instead what happens to all jobs of this owner, one of whose jobs `who` may see;
        only the caller knows which.
        """

    async def artifacts(self, who: Principal, job: str) -> Json:
        """Return the files of a job: `items` and `complete`."""

    async def artifact(self, who: Principal, job: str, path: str, asked: str | None) -> Download:
        """Return a file of a job; `asked` is a `Range` header."""
