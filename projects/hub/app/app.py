"""The hub as a part of the server: its rooms, and what they tell each other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import TopgallantError
from projects.hub.accounts import login_routes, oidc, oidc_routes, routes
from projects.hub.accounts.accounts import Accounts
from projects.hub.accounts.cookies import SessionSource
from projects.hub.accounts.sharing import Sharing
from projects.hub.app import told
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
    from collections.abc import AsyncGenerator

    from fastapi import FastAPI

    from projects.jobs.http.services import Services
    from projects.jobs.store.database import Database

SYNC_SECONDS = 5.0
"""So often what was written without waiting for the disk is brought there."""

CLEAN_SECONDS = 3600.0
"""So often artifacts that may go are removed."""


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

    @contextlib.asynccontextmanager
    async def keep(app: FastAPI) -> AsyncGenerator[None, None]:
        accounts.changed = app.state.authenticator.forget
        task = asyncio.ensure_future(_sync(database))
        cleaning = asyncio.ensure_future(_clean(artifacts))
        unsubscribe = services.engine.subscribe(notifications.watcher.wake, most=1)
        notifications.start()
        try:
            yield
        finally:
            task.cancel()
            cleaning.cancel()
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


async def _sync(database: Database) -> None:
    while True:
        await asyncio.sleep(SYNC_SECONDS)
        with contextlib.suppress(TopgallantError):  # the next write says what is wrong
            await asyncio.to_thread(database.sync)


async def _clean(artifacts: Artifacts) -> None:
    while True:
        await asyncio.sleep(CLEAN_SECONDS)
        with contextlib.suppress(TopgallantError):  # the next turn tries again
            await asyncio.to_thread(retention.clean, artifacts)


def _url(services: Services) -> str:
    given = services.settings.hub_database
    return given or f"sqlite:///{services.engine.settings.data_directory}/hub.db"


def _user_name() -> str:
    """Return the name of the user whose process this is, or the number."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
