"""The hub as a part of the server: its rooms, and what they tell each other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import TopgallantError, one_line
from projects.hub.accounts import login_routes, oidc, oidc_routes, routes
from projects.hub.accounts.accounts import Accounts
from projects.hub.accounts.cookies import SessionSource
from projects.hub.accounts.sharing import Sharing
from projects.hub.app import told, warming
from projects.hub.app.greeting import Greeting
from projects.hub.app.trail import Trail
from projects.hub.artifacts import retention
from projects.hub.artifacts import routes as artifacts_routes
from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.artifacts.quotas import Quotas
from projects.hub.artifacts.values import Retention
from projects.hub.notifications import routes as notifications_routes
from projects.hub.notifications.notifications import Notifications
from projects.hub.notifications.settings import FILE, read_settings
from projects.hub.pages import routes as pages_routes
from projects.hub.pages.places import Pages
from projects.hub.sites import routes as sites_routes
from projects.hub.sites import share_routes
from projects.hub.sites.local import LocalSite
from projects.hub.sites.satellites import Satellites
from projects.hub.sites.sites import Sites
from projects.hub.store.database import open_hub_store
from projects.hub.tables import routes as tables_routes
from projects.hub.tables import time_routes
from projects.hub.tables.names import WholeNames
from projects.jobs.http.application import Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from fastapi import FastAPI

    from projects.jobs.http.services import Services

SYNC_SECONDS = 5.0
"""So often what was written without waiting for the disk is brought there."""

CLEAN_SECONDS = 3600.0
"""So often artifacts that may go are removed."""

FIRST_SECONDS = 60.0
"""So soon for the first time: not every server runs for an hour."""

_log = logging.getLogger(__name__)


def create_part(services: Services) -> Part:
    """Return the hub: routes, ways to log in, what runs beside them.

    A room's line goes into each of these as it comes: its routers, its object in `state` (its
    routes find it in `request.app.state`), its lifespan.
    """
    database = open_hub_store(_url(services))
    accounts = Accounts(database, services.store)
    sharing = Sharing(accounts)
    services.sharing = sharing
    settings = services.settings
    data = services.engine.settings.data_directory
    provider = oidc.read_provider(Path(settings.hub_oidc or data / oidc.FILE))
    artifacts = Artifacts(
        database,
        data / "blobs",
        quotas=Quotas(database, settings.user_quota, settings.hub_quota),
        retention=Retention(settings.keep_artifacts_days, settings.keep_artifacts_last),
    )
    sites = Sites(LocalSite(services), Satellites(database), sharing)
    tables = tables_routes.state(database)
    notifications = Notifications(
        database,
        read_settings(data / FILE),
        told.sources(services.store, accounts, sharing, tables["tables"], tables["table_plots"]),
    )
    tables["tables"].subscribe(notifications.watcher.changed)

    def clean_artifacts() -> None:
        retention.clean(artifacts)

    @contextlib.asynccontextmanager
    async def keep(app: FastAPI) -> AsyncGenerator[None, None]:
        accounts.changed = app.state.authenticator.forget
        with contextlib.suppress(TopgallantError):  # else the first visitor waits for it
            await asyncio.to_thread(services.catalog.all)
        task = asyncio.ensure_future(repeat(database.sync, SYNC_SECONDS, SYNC_SECONDS))
        cleaning = asyncio.ensure_future(repeat(clean_artifacts, FIRST_SECONDS, CLEAN_SECONDS))
        measures = app.state.measures
        warm = asyncio.ensure_future(
            warming.warm(tables["tables"], tables["table_plots"], lambda: int(measures.calls))
        )
        unsubscribe = services.engine.subscribe(notifications.watcher.wake, most=1)
        notifications.start()
        try:
            yield
        finally:
            task.cancel()
            cleaning.cancel()
            warm.cancel()
            unsubscribe()
            await asyncio.to_thread(notifications.close)
            await sites.close()
            database.close()

    return Part(
        routers=[
            *(login_routes.router, routes.router),
            *([oidc_routes.router] if provider else []),
            *(sites_routes.router, share_routes.router, pages_routes.router),
            *(tables_routes.router, time_routes.router, artifacts_routes.router),
            notifications_routes.router,
        ],
        sources=[SessionSource(accounts)],
        standing_of=accounts.standing_of,
        login="/login",
        middleware=[(WholeNames, {}), (Trail, {"database": database})],
        lifespans=[keep],
        state={
            "hub_database": database,
            "accounts": accounts,
            "artifacts": artifacts,
            **({"oidc": oidc.Client(provider)} if provider else {}),
            "sites": sites,
            "notifications": notifications,
            "pages": Pages(sites),
            **tables,
        },
        greetings=[Greeting(accounts, _user_name())],
    )


async def repeat(what: Callable[[], object], first: float, seconds: float) -> None:
    """Do something after `first` seconds and then every `seconds`, whatever became of it before."""
    await asyncio.sleep(first)
    while True:
        try:
            await asyncio.to_thread(what)
        except Exception as error:  # the next turn tries again
            _log.warning("%s: %s", getattr(what, "__name__", what), one_line(error))
        await asyncio.sleep(seconds)


def _url(services: Services) -> str:
    given = services.settings.hub_database
    return given or f"sqlite:///{services.engine.settings.data_directory}/hub.db"


def _user_name() -> str:
    """Return the name of the user whose process this is, or the number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
