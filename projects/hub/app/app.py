"""The hub as a part of the server: its rooms, and what they tell each other."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from projects.hub.store.database import open_hub_store
from projects.jobs.http.application import Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi import FastAPI

    from projects.jobs.http.services import Services
    from projects.jobs.store.database import Database

SYNC_SECONDS = 5.0
"""So often what was written without waiting for the disk is brought there."""


def create_part(services: Services) -> Part:
    """Return the hub: routes, ways to log in, what runs beside them.

    A room's line goes into each of these as it comes: its router, its object in `state` (found
    by its routes in `request.app.state`), its lifespan.
    """
    database = open_hub_store(_url(services))

    @contextlib.asynccontextmanager
    async def keep(app: FastAPI) -> AsyncGenerator[None, None]:
        del app
        task = asyncio.ensure_future(_sync(database))
        try:
            yield
        finally:
            task.cancel()
            database.close()

    return Part(lifespans=[keep], state={"hub_database": database})


async def _sync(database: Database) -> None:
    while True:
        await asyncio.sleep(SYNC_SECONDS)
        await asyncio.to_thread(database.sync)


def _url(services: Services) -> str:
    given = services.settings.hub_database
    return given or f"sqlite:///{services.engine.settings.data_directory}/hub.db"
