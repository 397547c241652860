"""Whether the server lives and works, its figures, and its documentation."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from projects.core.errors import TopgallantError
from projects.core.secrets.masking import mask
from projects.jobs.http import schemas
from projects.jobs.http.access import READ
from projects.jobs.http.answers import answer
from projects.jobs.http.services import Services, services_of

OPEN = ("/healthz", "/readyz")
"""The routes that need no token; they show nothing that belongs to anyone."""

router = APIRouter(tags=["server"])

_Responses = dict[int | str, dict[str, Any]]
_METRICS: _Responses = {
    200: {"content": {"text/plain": {}}, "description": "in Prometheus' text format"}
}
_PAGE: _Responses = {200: {"content": {"text/html": {}}, "description": "a page"}}
_READY: _Responses = {503: {"model": schemas.Health, "description": "not ready"}}
_PLACE = re.compile(r"\w[\w+.-]*://[^\s,;]*[^\s,;:.]|(?<![^\s'\"(])/[^\s:,;'\")]+")
"""An address or an absolute path in a message."""

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@router.get("/healthz", response_model=schemas.Health)
async def healthz() -> Response:
    """Say that the process lives."""
    return answer({"status": "ok", "problems": []})


@router.get("/readyz", response_model=schemas.Health, responses=_READY)
async def readyz(request: Request) -> Response:
    """Say whether jobs are taken and run, and what is wrong."""
    problems = await run_in_threadpool(problems_of, services_of(request))
    status = "not ready" if problems else "ok"
    return answer({"status": status, "problems": problems}, 503 if problems else 200)


def problems_of(services: Services) -> list[str]:
    """Return what keeps the server from its work."""
    health = services.engine.health()
    problems = list(health.problems)
    if not health.ready and not problems:
        problems.append("the engine isn't ready")
    try:
        services.store.ping()
    except TopgallantError as error:
        problems.append(error.message)
    # Addresses and paths are for the log of the server: anyone may ask this.
    return [_PLACE.sub("…", mask(problem)) for problem in problems]


@router.get(
    "/metrics",
    response_class=Response,
    responses=_METRICS | schemas.COMMON_ERRORS,
    dependencies=[READ],
)
async def metrics(request: Request) -> Response:
    """Show figures for Prometheus."""
    measures = request.app.state.measures
    return Response(await run_in_threadpool(measures.text), media_type=measures.content_type)


@router.get("/openapi.json", include_in_schema=False, dependencies=[READ])
async def openapi(request: Request) -> Response:
    """Show the description of all routes."""
    return answer(await run_in_threadpool(request.app.openapi))


@router.get(
    "/docs", response_class=Response, responses=_PAGE, include_in_schema=False, dependencies=[READ]
)
async def docs(request: Request) -> Response:
    """Show the description of all routes as a page; it loads nothing from anywhere."""
    from projects.jobs.http.docs_page import page

    text = page(await run_in_threadpool(request.app.openapi))
    headers = {"Content-Security-Policy": _PAGE_POLICY}
    return Response(text, headers=headers, media_type="text/html; charset=utf-8")
