"""`/satellite`: the same verbs as `/api/v1`, in the satellite's envelope.

Logs and files are what they are, without an envelope: parts of them can be asked for.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.jobs.http import files, filters, operations, render, schemas
from projects.jobs.http.access import READ, Principal, Reader, Submitter
from projects.jobs.http.answers import answer, link_to_next
from projects.jobs.http.body import read_json
from projects.jobs.http.logs import MOST_LINES, LogName, log_answer
from projects.jobs.http.services import services_of
from projects.jobs.store.values import JobFilter, SubmissionFilter
from projects.satellite.envelope import statuses, views
from projects.satellite.envelope.envelope import enveloped

PREFIX = "/satellite"
FIRST_JOBS = 1000
"""So many ids of jobs are shown with a submission; `/satellite/jobs?submission=…` has all."""


class Enveloped(BaseModel):
    """Every answer."""

    timestamp: str = Field(description="local time", examples=["2020-05-26 17:07:22.844929"])
    version: str
    data: Any


class _PageQuery(BaseModel):
    status: str | None = Field(None, description="PENDING, RUNNING, DONE, …", max_length=200)
    limit: int = Field(100, ge=1, le=filters.MOST_ITEMS)
    cursor: str | None = Field(None, description="`next` of the page before", max_length=100)


class _JobPageQuery(_PageQuery):
    submission: str | None = Field(None, description="its id", max_length=100)
    name: str | None = Field(None, description="names of tests", max_length=1000)
    verbose: bool = False


_ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Enveloped, "description": "data is {error: {code, message, fields?}}"},
    "503": {"model": Enveloped, "description": "not now"},
}
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "the file"},
    206: {"content": {"application/octet-stream": {}}, "description": "the part in Range"},
}
_LOG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {}, "text/event-stream": {}}, "description": "the log"},
    206: {"content": {"text/plain": {}}, "description": "the part in Range"},
}

router = APIRouter(prefix=PREFIX, responses=_ERRORS, tags=["satellite"])


def _data(
    request: Request, data: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    version = services_of(request).settings.version
    return answer(enveloped(data, version), status, headers)


@router.post(
    "/submissions",
    status_code=201,
    response_model=Enveloped,
    openapi_extra=schemas.body_schema(schemas.SubmissionRequest),
)
async def submit(request: Request, who: Submitter, parent: schemas.ParentHeader = None) -> Response:
    """Submit jobs. When this answers they are on disk."""
    services = services_of(request)
    wanted = await read_json(request, services.settings.most_body)
    submitted = await services.write(operations.submit, services, who, wanted, parent)
    where = f"{PREFIX}/submissions/{submitted.submission.id}"
    return _data(request, views.submitted(submitted), 201, {"Location": where})


@router.get("/submissions", response_model=Enveloped)
async def submissions(
    request: Request, who: Reader, query: Annotated[_PageQuery, Query()]
) -> Response:
    """List submissions, the newest first."""
    wanted = SubmissionFilter(phases=statuses.phases(query.status), owners=_owners(who))
    page = await run_in_threadpool(
        services_of(request).store.submissions, wanted, limit=query.limit, cursor=query.cursor
    )
    data = {"submissions": [views.submission(one) for one in page.items], "next": page.next}
    return _data(request, data, headers=link_to_next(request, page.next))


@router.get("/submissions/{submission}", response_model=Enveloped)
async def submission(request: Request, who: Reader, submission: str) -> Response:
    """Show a submission with the ids of its jobs."""
    services = services_of(request)
    found = await services.read(operations.submission_of, services, who, submission)
    first = await run_in_threadpool(
        services.store.jobs,
        JobFilter(submission=found.number),
        limit=FIRST_JOBS,
        oldest_first=True,
    )
    return _data(request, views.submission_with_jobs(found, first.items))


@router.post("/submissions/{submission}/cancel", response_model=Enveloped)
async def cancel_submission(request: Request, who: Submitter, submission: str) -> Response:
    """Cancel all of its jobs that haven't ended."""
    services = services_of(request)
    done = await services.write(operations.cancel_submission, services, who, submission)
    return _data(request, views.submission(done))


@router.get("/jobs", response_model=Enveloped)
async def jobs(request: Request, who: Reader, query: Annotated[_JobPageQuery, Query()]) -> Response:
    """List jobs, the newest first."""
    states, outcomes = statuses.states_and_outcomes(query.status)
    services = services_of(request)
    asked = filters.JobQuery.model_validate({"submission": query.submission, "tool": query.name})
    wanted = replace(
        await run_in_threadpool(operations.jobs_asked, services, who, asked),
        states=states,
        outcomes=outcomes,
    )
    page = await run_in_threadpool(
        services.store.jobs,
        wanted,
        limit=query.limit,
        cursor=query.cursor,
    )
    view = views.verbose_job if query.verbose else views.job
    data = {"jobs": [view(one) for one in page.items], "next": page.next}
    return _data(request, data, headers=link_to_next(request, page.next))


@router.get("/jobs/{job}", response_model=Enveloped)
async def job(request: Request, who: Reader, job: str, verbose: bool = False) -> Response:
    """Show a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    return _data(request, views.verbose_job(found) if verbose else views.job(found))


@router.post("/jobs/{job}/cancel", response_model=Enveloped)
async def cancel_job(request: Request, who: Submitter, job: str) -> Response:
    """Cancel a job; one that runs is stopped, and ends a little later."""
    services = services_of(request)
    done = await services.write(operations.cancel_job, services, who, job)
    return _data(request, views.job(done))


@router.post("/jobs/{job}/retry", response_model=Enveloped)
async def retry_job(request: Request, who: Submitter, job: str) -> Response:
    """Run a job that has ended once more."""
    services = services_of(request)
    done = await services.write(operations.retry_job, services, who, job)
    return _data(request, views.job(done))


@router.get("/jobs/{job}/logs/{log}", response_class=Response, responses=_LOG)
async def job_log(  # noqa: PLR0917  (a route)
    request: Request,
    who: Reader,
    job: str,
    log: LogName,
    follow: bool = False,
    tail: Annotated[int | None, Query(ge=0, le=MOST_LINES)] = None,
) -> Response:
    """Show what a job printed: all, the part in `Range`, the last lines, or as it comes."""
    services = services_of(request)
    return await log_answer(services, who, request, job, log, follow=follow, tail=tail)


@router.get("/jobs/{job}/artifacts", response_model=Enveloped)
async def artifacts(request: Request, who: Reader, job: str) -> Response:
    """List the files in the directory of a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    directory = operations.directory_of(services, found)
    items, complete = await run_in_threadpool(files.listing, directory)
    listed = [render.artifact(one) for one in items]
    return _data(request, {"artifacts": listed, "complete": complete})


@router.get("/jobs/{job}/artifacts/{path:path}", response_class=Response, responses=_BYTES)
async def artifact(request: Request, who: Reader, job: str, path: str) -> Response:
    """Download a file of a job."""
    services = services_of(request)
    found = await services.read(operations.job_of, services, who, job)
    directory = operations.directory_of(services, found)
    file = await run_in_threadpool(files.open_inside, directory, path)
    return files.attachment(file, path, request.headers.get("range"))


@router.get("/tests", response_model=Enveloped, dependencies=[READ])
async def tests(request: Request) -> Response:
    """List the test scripts, and those that can't be used with the reason."""
    found = await run_in_threadpool(operations.tools_of, services_of(request))
    return _data(request, {"tests": [render.tool(one) for one in found]})


@router.get("/tests/{test}", response_model=Enveloped, dependencies=[READ])
async def test(request: Request, test: str) -> Response:
    """Show a test script: its parameters as a form has them."""
    found = await run_in_threadpool(operations.tool_of, services_of(request), test)
    return _data(request, render.tool(found))


@router.get("/tests/{test}/options/{parameter}", response_model=Enveloped, dependencies=[READ])
async def options(request: Request, test: str, parameter: str) -> Response:
    """List what a parameter may be now, with what its command adds."""
    services = services_of(request)
    found = await run_in_threadpool(operations.options_of, services, test, parameter)
    return _data(request, found)


@router.get("/info", response_model=Enveloped, dependencies=[READ])
async def info(request: Request) -> Response:
    """Show the satellite in short."""
    services = services_of(request)
    shown = await run_in_threadpool(operations.info, services)
    return _data(request, shown | {name: say() for name, say in services.about.items()})


def _owners(who: Principal) -> list[str]:
    return [] if who.sees is None else [who.sees]
