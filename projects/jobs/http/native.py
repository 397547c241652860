"""`/api/v1`: submissions, jobs, their logs and files, tools, what happens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.jobs.http import files, filters, operations, queue, render, schemas
from projects.jobs.http.access import READ, Reader, Submitter
from projects.jobs.http.answers import answer, page_answer
from projects.jobs.http.body import read_json
from projects.jobs.http.logs import MOST_LINES, LogName, log_answer
from projects.jobs.http.services import services_of
from projects.jobs.http.streams import EventStream

router = APIRouter(prefix="/api/v1", responses=schemas.COMMON_ERRORS)

_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"},
    206: {"content": {"application/octet-stream": {}}, "description": "the part in Range"},
}
_LOG: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/plain": {}, "text/event-stream": {}},
        "description": "the log; with follow, events `log` {at, text} and at last `end`",
    },
    206: {"content": {"text/plain": {}}, "description": "the part in Range"},
}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "events, as they happen"}
}


# ── submissions ──


@router.post(
    "/submissions",
    status_code=201,
    response_model=schemas.Submitted,
    openapi_extra=schemas.body_schema(schemas.SubmissionRequest),
    tags=["submissions"],
)
async def submit(request: Request, who: Submitter, parent: schemas.ParentHeader = None) -> Response:
    """Submit jobs. When this answers they are on disk."""
    services = services_of(request)
    wanted = await read_json(request, services.settings.most_body)
    submitted = await services.write(operations.submit, services, who, wanted, parent)
    where = {"Location": f"/api/v1/submissions/{submitted.submission.id}"}
    return answer(render.submitted(submitted), 201, where)


@router.get("/submissions", response_model=schemas.SubmissionPage, tags=["submissions"])
async def submissions(
    request: Request, who: Reader, query: Annotated[filters.SubmissionPageQuery, Query()]
) -> Response:
    """List submissions, the newest first."""
    services = services_of(request)
    page = await run_in_threadpool(
        services.store.submissions,
        query.filter(who),
        limit=query.limit,
        cursor=query.cursor,
        oldest_first=query.oldest_first,
    )
    waiting = await run_in_threadpool(queue.of_submissions, services, page.items)
    items = [render.submission(one) | said for one, said in zip(page.items, waiting, strict=True)]
    return page_answer(request, items, page.next)


@router.get("/submissions/{submission}", response_model=schemas.Submission, tags=["submissions"])
async def submission(request: Request, who: Reader, submission: str) -> Response:
    """Show a submission; its jobs are `/jobs?submission=…`."""
    services = services_of(request)
    found = await services.read(operations.submission_of, services, who, submission)
    waiting = await run_in_threadpool(queue.of_submission, services, found)
    return answer(render.submission(found) | waiting)


@router.post(
    "/submissions/{submission}/cancel", response_model=schemas.Submission, tags=["submissions"]
)
async def cancel_submission(request: Request, who: Submitter, submission: str) -> Response:
    """Cancel all of its jobs that haven't ended."""
    services = services_of(request)
    done = await services.write(operations.cancel_submission, services, who, submission)
    waiting = await run_in_threadpool(queue.of_submission, services, done)
    return answer(render.submission(done) | waiting)


# ── jobs ──


@router.get("/jobs", response_model=schemas.JobPage, tags=["jobs"])
async def jobs(
    request: Request, who: Reader, query: Annotated[filters.JobPageQuery, Query()]
) -> Response:
    """List jobs, the newest first."""
    services = services_of(request)
    page = await run_in_threadpool(
        services.store.jobs,
        await run_in_threadpool(operations.jobs_asked, services, who, query),
        limit=query.limit,
        cursor=query.cursor,
        oldest_first=query.oldest_first,
    )
    return page_answer(request, [render.job(one) for one in page.items], page.next)


@router.get("/jobs/{job}", response_model=schemas.JobDetail, tags=["jobs"])
async def job(request: Request, who: Reader, job: str) -> Response:
    """Show a job, by its id or number."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    return answer(render.job(found) | await run_in_threadpool(queue.of_job, services, found))


@router.get("/jobs/{job}/uploads", response_model=schemas.UploadList, tags=["jobs"])
async def uploads(request: Request, who: Reader, job: str) -> Response:
    """List the results of a job that go to the hub, and how far each has come."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    items = await run_in_threadpool(services.store.uploads_of, found.number)
    return answer({"items": [render.upload(one) for one in items]})


@router.post("/jobs/{job}/cancel", response_model=schemas.Job, tags=["jobs"])
async def cancel_job(request: Request, who: Submitter, job: str) -> Response:
    """Cancel a job; one that runs is stopped, and ends a little later."""
    services = services_of(request)
    return answer(render.job(await services.write(operations.cancel_job, services, who, job)))


@router.post("/jobs/{job}/retry", response_model=schemas.Job, tags=["jobs"])
async def retry_job(request: Request, who: Submitter, job: str) -> Response:
    """Run a job that has ended once more."""
    services = services_of(request)
    return answer(render.job(await services.write(operations.retry_job, services, who, job)))


@router.get("/jobs/{job}/events", response_model=schemas.EventList, tags=["jobs"])
async def job_events(request: Request, who: Reader, job: str) -> Response:
    """List what happened to a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    events = await run_in_threadpool(services.store.events_of, found.number)
    return answer({"items": [render.event(one) for one in events]})


@router.get("/jobs/{job}/logs/{log}", response_class=Response, responses=_LOG, tags=["jobs"])
async def job_log(  # noqa: PLR0917  (a route)
    request: Request,
    who: Reader,
    job: str,
    log: LogName,
    follow: bool = False,
    tail: Annotated[int | None, Query(ge=0, le=MOST_LINES, description="the last lines")] = None,
) -> Response:
    """Show what a job printed: all, the part in `Range`, the last lines, or as it comes."""
    services = services_of(request)
    return await log_answer(services, who, request, job, log, follow=follow, tail=tail)


@router.get("/jobs/{job}/artifacts", response_model=schemas.ArtifactList, tags=["jobs"])
async def artifacts(request: Request, who: Reader, job: str) -> Response:
    """List the files in the directory of a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    directory = operations.directory_of(services, found)
    items, complete = await run_in_threadpool(files.listing, directory)
    return answer({"items": [render.artifact(one) for one in items], "complete": complete})


@router.get(
    "/jobs/{job}/artifacts/{path:path}", response_class=Response, responses=_BYTES, tags=["jobs"]
)
async def artifact(request: Request, who: Reader, job: str, path: str) -> Response:
    """Download a file of a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    directory = operations.directory_of(services, found)
    file = await run_in_threadpool(files.open_inside, directory, path)
    return files.attachment(file, path, request.headers.get("range"))


# ── tools ──


@router.get("/tools", response_model=schemas.ToolList, tags=["tools"], dependencies=[READ])
async def tools(request: Request) -> Response:
    """List what can be run, and what can't and why."""
    found = await run_in_threadpool(operations.tools_of, services_of(request))
    return answer({"items": [render.tool(one) for one in found]})


@router.get("/tools/{tool}", response_model=schemas.ToolDetail, tags=["tools"], dependencies=[READ])
async def tool(request: Request, tool: str) -> Response:
    """Show a tool: its parameters as a form has them, and their JSON schema."""
    found = await run_in_threadpool(operations.tool_of, services_of(request), tool)
    more = {"params_schema": found.json_schema()} if hasattr(found, "json_schema") else {}
    return answer(render.tool(found) | more)


@router.get(
    "/tools/{tool}/options/{parameter}",
    response_model=schemas.OptionList,
    tags=["tools"],
    dependencies=[READ],
)
async def options(request: Request, tool: str, parameter: str) -> Response:
    """List what a parameter may be now, with what its command adds."""
    services = services_of(request)
    return answer(await run_in_threadpool(operations.options_of, services, tool, parameter))


# ── the whole ──


@router.get("/counts", response_model=schemas.Counts, tags=["server"])
async def counts(
    request: Request, who: Reader, query: Annotated[filters.JobQuery, Query()]
) -> Response:
    """Count jobs."""
    services = services_of(request)
    which = await run_in_threadpool(operations.jobs_asked, services, who, query)
    found = await run_in_threadpool(services.store.counts, which)
    return answer(render.counts(found))


@router.get("/info", response_model=schemas.Info, tags=["server"], dependencies=[READ])
async def info(request: Request) -> Response:
    """Show the server in short."""
    return answer(await run_in_threadpool(operations.info, services_of(request)))


@router.get("/events", response_class=Response, responses=_STREAM, tags=["server"])
async def events(
    request: Request,
    who: Reader,
    after: Annotated[int | None, Query(ge=0, lt=1 << 62, description="begin after it")] = None,
) -> Response:
    """Follow what happens. `Last-Event-ID` or `after` says what was seen already."""
    services = services_of(request)
    last = request.headers.get("last-event-id", "")
    if last.isascii() and last.isdecimal() and len(last) <= 18:  # noqa: PLR2004  (within 64 bits)
        after = int(last)
    source = services.feed.follow(who.sees, after, services.settings.heartbeat)
    return EventStream(services, source)
