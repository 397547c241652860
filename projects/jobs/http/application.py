"""The application that all façades are part of: who may call, errors, documentation."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from projects.jobs.http import failures, native, status, token_routes
from projects.jobs.http.access import Authenticator
from projects.jobs.http.measures import Measures

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from fastapi.routing import APIRoute

    from projects.jobs.http.services import Services


def create(
    services: Services,
    routers: Sequence[APIRouter] = (),
    forms: Mapping[str, failures.Form] | None = None,
) -> FastAPI:
    """Return the application: `/api/v1`, health, figures, documentation, and more `routers`.

    Parameters
    ----------
    forms
        What errors below a prefix look like, for façades with a form of their own.
    """
    app = FastAPI(
        title="Topgallant",
        version=services.settings.version,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_name,
        lifespan=_lifespan,
    )
    app.state.services = services
    app.state.authenticator = Authenticator(services.store)
    app.state.measures = Measures(services.store)
    failures.install(app, forms)
    for router in (native.router, token_routes.router, *routers, status.router):
        app.include_router(router)
    return app


def _name(route: APIRoute) -> str:
    facade = route.path.split("/")[1]
    return route.name if facade == "api" else f"{facade.partition('.')[0]}_{route.name}"


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    services: Services = app.state.services
    measures: Measures = app.state.measures
    unsubscribe = services.engine.subscribe(measures.hear)
    lag = asyncio.ensure_future(measures.watch_lag())
    try:
        yield
    finally:
        lag.cancel()
        unsubscribe()
        services.feed.close()
