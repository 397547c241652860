"""The application that all façades are part of: who may call, errors, documentation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI

from projects.jobs.http import failures, native, status, token_routes
from projects.jobs.http.access import Authenticator, Bearer, Source, Standing
from projects.jobs.http.measures import Measures

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi.routing import APIRoute

    from projects.jobs.http.services import Services


@dataclass(frozen=True, slots=True)
class Part:
    """What an app brings to the application."""

    routers: Sequence[APIRouter] = ()
    forms: Mapping[str, failures.Form] = field(default_factory=dict)
    """What errors below a prefix look like, for façades with a form of their own."""
    sources: Sequence[Source] = ()
    """Further ways to say who calls; asked after the one with tokens."""
    standing_of: Callable[[str], Standing | None] | None = None
    """Knows users by their names."""
    login: str = ""
    """The page to which people go who aren't logged in."""
    middleware: Sequence[tuple[Any, Mapping[str, Any]]] = ()
    """Classes of ASGI middleware with their arguments, the outermost first."""
    lifespans: Sequence[Callable[[FastAPI], AbstractAsyncContextManager[None]]] = ()
    """Entered when the server starts, left when it stops."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What routes of the app find in `request.app.state`."""
    greetings: Sequence[Callable[[str, bool], Sequence[str]]] = ()
    """Lines for whoever starts the server: called with its address, and whether that is reached
    from this machine only."""


def create(services: Services, parts: Sequence[Part] = ()) -> FastAPI:
    """Return the application: `/api/v1`, health, figures, documentation, and more `parts`."""
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
    app.state.authenticator = _authenticator(services, parts)
    app.state.measures = Measures(services.store)
    app.state.lifespans = [each for part in parts for each in part.lifespans]
    app.state.greetings = [each for part in parts for each in part.greetings]
    for part in parts:
        for name, value in part.state.items():
            setattr(app.state, name, value)
        for kind, arguments in reversed(part.middleware):
            app.add_middleware(kind, **arguments)
    failures.install(app, {prefix: form for part in parts for prefix, form in part.forms.items()})
    further = [router for part in parts for router in part.routers]
    for router in (native.router, token_routes.router, *further, status.router):
        app.include_router(router)
    return app


def _authenticator(services: Services, parts: Sequence[Part]) -> Authenticator:
    knowing = [part.standing_of for part in parts if part.standing_of is not None]

    def standing_of(name: str) -> Standing | None:
        found = (each(name) for each in knowing)
        return next((one for one in found if one is not None), None)

    bearer = Bearer(services.store, standing_of=standing_of)
    sources = [bearer, *(source for part in parts for source in part.sources)]
    return Authenticator(sources, next((part.login for part in parts if part.login), ""))


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
        async with contextlib.AsyncExitStack() as stack:
            for lifespan in app.state.lifespans:
                await stack.enter_async_context(lifespan(app))
            yield
    finally:
        lag.cancel()
        unsubscribe()
        services.feed.close()
