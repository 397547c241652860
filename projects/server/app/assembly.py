"""The parts of a server, and the application that is made of them."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, unknown, unreadable
from projects.jobs.http.application import Part, create
from projects.jobs.http.feed import Feed
from projects.jobs.http.services import MOST_STREAMS, Services, Settings
from projects.server.app import local_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastapi import FastAPI

    from projects.server.app.options import Options


def _satellite(services: Services) -> Part:
    from projects.satellite.api.routes import PREFIX, router
    from projects.satellite.envelope.envelope import error_form

    return Part([router], {PREFIX: error_form(services.settings.version)})


def _hub(services: Services) -> Part:
    from projects.hub.app.app import create_part

    return create_part(services)


APPS: dict[str, Callable[[Services], Part]] = {"hub": _hub, "satellite": _satellite}
"""The apps that a server can serve beside `/api/v1`."""


def check_apps(apps: Sequence[str]) -> None:
    """Raise UsageError, with the nearest name, for an app that there isn't."""
    for name in apps:
        if name not in APPS:
            raise UsageError(unknown("app", name, APPS))


def create_app(services: Services, apps: Sequence[str]) -> FastAPI:
    """Return the application with `/api/v1` and the routes of `apps`."""
    check_apps(apps)
    return create(services, [APPS[name](services) for name in apps])


@contextlib.contextmanager
def running_services(options: Options) -> Iterator[Services]:
    """Open the store, start the engine; at the end stop it, with jobs left running.

    Raises
    ------
    UsageError
        There is no directory of test scripts.
    InfrastructureError
        Another server has the data directory, or it can't be used.
    """
    from projects.jobs.engine.engine import Engine
    from projects.jobs.process.backend import ProcessBackend
    from projects.jobs.store.store import open_store
    from projects.jobs.tools.catalog import Catalog

    catalog = Catalog(options.test_scripts, options.checkout)
    catalog.check()
    data = options.engine.data_directory
    try:
        os.makedirs(data, mode=0o700, exist_ok=True)
    except OSError as error:
        raise unreadable(data, error) from error
    store = open_store(options.database_url)
    try:
        backend: Any = ProcessBackend(str(options.engine.run))
        engine = Engine(store, backend, catalog, options.engine)
        engine.start()
        try:
            yield services_for(engine, store, catalog, options)
        finally:
            engine.stop()
    finally:
        store.close()


@contextlib.contextmanager
def registered(options: Options, port: int, services: Services) -> Iterator[None]:
    """Tell the hub, if there is one, that this satellite is there.

    Raises
    ------
    UsageError
        The hub's address is none.
    """
    hub = options.engine.hub_url
    if hub is None or "satellite" not in options.apps:
        services.about = {"hub": lambda: None}
        yield
        return
    from projects.jobs.tools.tool import Tool
    from projects.satellite.registration import export
    from projects.satellite.registration.registration import Registration

    credential = local_token.hand_over(services.store, hub)

    def announcement() -> dict[str, Any]:
        return {
            "nickname": options.nickname or socket.gethostname(),
            "url": export.url(options.scheme, options.host, port, options.export_host, hub),
            "version": options.version,
            "tools": [tool.name for tool in services.catalog.all() if isinstance(tool, Tool)],
            "token": credential,
        }

    registration = Registration(hub, announcement, options.engine.hub_token)
    services.about = {"hub": registration.shown}
    registration.start()
    try:
        yield
    finally:
        registration.stop()


def most_streams(files: int) -> int:
    """Return how many streams may be open at once, of a process that may have so many `files`.

    A followed log is a connection and a file. Half of the files are left for the others who call,
    and above all for jobs: one that can't open its logs fails.
    """
    if files == resource.RLIM_INFINITY:
        return MOST_STREAMS
    return min(MOST_STREAMS, files // 4)


def services_for(engine: Any, store: Any, catalog: Any, options: Options) -> Services:
    """Return what the routes work with."""
    settings = Settings(
        version=options.version,
        nickname=options.nickname,
        patience=options.patience,
        most_streams=most_streams(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        hub_database=options.hub_database_url,
        hub_quota=options.hub_quota,
        user_quota=options.user_quota,
        keep_artifacts_days=options.keep_artifacts_days,
        keep_artifacts_last=options.keep_artifacts_last,
    )
    return Services(
        engine=engine,
        store=store,
        catalog=catalog,
        settings=settings,
        feed=Feed(store, engine.subscribe),
        quick_reads=options.database_url.startswith("sqlite:"),
    )
