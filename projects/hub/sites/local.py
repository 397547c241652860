"""The site of this machine: the services of this very process, asked without a detour."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from projects.hub.sites.site import Download, Part
from projects.hub.sites.stream import Reader
from projects.jobs.http import files, filters, operations, queue, render
from projects.jobs.http.logs import followed, open_log
from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
    from typing import TypeVar

    from projects.hub.sites.site import Json, Said
    from projects.jobs.http.access import Principal
    from projects.jobs.http.services import Services
    from projects.jobs.store.values import SubmissionView

    Query = TypeVar("Query", filters.JobQuery, filters.JobPageQuery, filters.SubmissionPageQuery)


class LocalSite:
    """`Site` over `Services`."""

    is_local = True

    def __init__(self, services: Services, nickname: str = "") -> None:
        self._services = services
        self.nickname = nickname or services.settings.nickname or "here"

    async def info(self) -> Json:
        """Return the server in short."""
        return await run_in_threadpool(operations.info, self._services)

    async def tools(self) -> list[Json]:
        """Return all tools."""
        found = await run_in_threadpool(operations.tools_of, self._services)
        return [render.tool(one) for one in found]

    async def tool(self, name: str) -> Json:
        """Return a tool."""
        return render.tool(await run_in_threadpool(operations.tool_of, self._services, name))

    async def options(self, tool: str, parameter: str) -> Json:
        """Return what a parameter may be."""
        return await run_in_threadpool(operations.options_of, self._services, tool, parameter)

    async def submit(self, who: Principal, request: Json) -> Json:
        """Submit jobs."""
        done = await run_in_threadpool(operations.submit, self._services, who, request)
        return render.submitted(done)

    async def jobs(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of jobs."""
        read = _read(filters.JobPageQuery, query)
        which = await run_in_threadpool(operations.jobs_asked, self._services, who, read)
        return await self._page(self._services.store.jobs, render.job, which, read)

    async def job(self, who: Principal, job: str) -> Json:
        """Return a job."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        return render.job(found) | await run_in_threadpool(queue.of_job, self._services, found)

    async def submissions(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return a page of submissions."""
        read = _read(filters.SubmissionPageQuery, query)
        which = read.filter(who)
        page = await self._page(self._services.store.submissions, lambda one: one, which, read)
        items = await run_in_threadpool(self._shown, page["items"])
        return {"items": items, "next": page["next"]}

    async def submission(self, who: Principal, submission: str) -> Json:
        """Return a submission."""
        services = self._services
        found = await services.read(operations.submission_of, services, who, submission)
        return (await run_in_threadpool(self._shown, [found]))[0]

    async def counts(self, who: Principal, query: Mapping[str, str]) -> Json:
        """Return how many jobs there are."""
        read = _read(filters.JobQuery, query)
        which = await run_in_threadpool(operations.jobs_asked, self._services, who, read)
        return render.counts(await run_in_threadpool(self._services.store.counts, which))

    async def events_of(self, who: Principal, job: str) -> list[Json]:
        """Return what happened to a job."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        events = await run_in_threadpool(self._services.store.events_of, found.number)
        return [render.event(one) for one in events]

    async def uploads(self, who: Principal, job: str) -> list[Json]:
        """Return the results of a job that go to the hub."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        items = await run_in_threadpool(self._services.store.uploads_of, found.number)
        return [render.upload(one) for one in items]

    async def cancel(self, who: Principal, job: str) -> Json:
        """Cancel a job."""
        return render.job(await run_in_threadpool(operations.cancel_job, self._services, who, job))

    async def cancel_submission(self, who: Principal, submission: str) -> Json:
        """Cancel all jobs of a submission."""
        services = self._services
        done = await run_in_threadpool(operations.cancel_submission, services, who, submission)
        return (await run_in_threadpool(self._shown, [done]))[0]

    async def retry(self, who: Principal, job: str) -> Json:
        """Run a job once more."""
        return render.job(await run_in_threadpool(operations.retry_job, self._services, who, job))

    async def log(self, who: Principal, job: str, log: str, at: int | None, most: int) -> Part:
        """Return a piece of a log."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        return await run_in_threadpool(_piece, self._services, found, log, at, most)

    async def follow_log(
        self, who: Principal, job: str, log: str, after: int
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what is added to a log."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        async for said in _said(followed(self._services, found, log, None, after)):
            yield said

    async def follow(
        self, who: Principal, after: int | None, owner: str | None = None
    ) -> AsyncGenerator[Said | None, None]:
        """Yield what happens."""
        heartbeat = self._services.settings.heartbeat
        whose = who.sees if owner is None else owner
        async for said in _said(self._services.feed.follow(whose, after, heartbeat)):
            yield said

    async def artifacts(self, who: Principal, job: str) -> Json:
        """Return the files of a job."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        directory = operations.directory_of(self._services, found)
        items, complete = await run_in_threadpool(files.listing, directory)
        return {"items": [render.artifact(one) for one in items], "complete": complete}

    async def artifact(self, who: Principal, job: str, path: str, asked: str | None) -> Download:
        """Return a file of a job."""
        found = await self._services.read(operations.job_of, self._services, who, job)
        directory = operations.directory_of(self._services, found)
        file = await run_in_threadpool(files.open_inside, directory, path)
        answer: Any = files.attachment(file, path, asked)
        return Download(answer.status_code, dict(answer.headers), _body(answer))

    def _shown(self, found: Sequence[SubmissionView]) -> list[Json]:
        waiting = queue.of_submissions(self._services, found)
        return [render.submission(one) | said for one, said in zip(found, waiting, strict=True)]

    async def _page(
        self,
        read: Callable[..., Any],
        shown: Callable[[Any], Any],
        which: Any,
        query: Any,
    ) -> Json:
        page = await run_in_threadpool(
            read,
            which,
            limit=query.limit,
            cursor=query.cursor,
            oldest_first=query.oldest_first,
        )
        return {"items": [shown(one) for one in page.items], "next": page.next}


def _read(model: type[Query], query: Mapping[str, str]) -> Query:
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        fields = {str(one["loc"][0]): str(one["msg"]) for one in error.errors()}
        said = "; ".join(f"{name}: {what}" for name, what in fields.items())
        raise Invalid(said, fields=fields) from None


def _piece(services: Services, job: Any, log: str, at: int | None, most: int) -> Part:
    file = open_log(services, job, log)
    try:
        start = max(0, file.size - most) if at is None else min(at, file.size)
        return Part(os.pread(file.descriptor, most, start), start, file.size)
    finally:
        file.close()


async def _said(
    source: AsyncGenerator[bytes | None, None],
) -> AsyncGenerator[Said | None, None]:
    reader = Reader()
    try:
        async for piece in source:
            if piece is None:
                yield None
            else:
                for said in reader.feed(piece):
                    yield said
    finally:
        await source.aclose()


async def _body(answer: Any) -> AsyncGenerator[bytes, None]:
    async for piece in answer.body_iterator:
        yield piece
