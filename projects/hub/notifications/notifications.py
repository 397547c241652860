"""The room as the hub's application has it: rules, outbox, and the two threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.hub.notifications.channels import channels
from projects.hub.notifications.courier import Courier
from projects.hub.notifications.outbox import Outbox
from projects.hub.notifications.watcher import Watcher

if TYPE_CHECKING:
    from fastapi import Request

    from projects.hub.notifications.settings import Settings
    from projects.hub.notifications.watcher import Sources
    from projects.jobs.store.database import Database


class Notifications:
    """Watches, decides, delivers, from `start` to `close`."""

    def __init__(self, database: Database, settings: Settings, sources: Sources) -> None:
        self.settings = settings
        self.channels = channels(settings)
        self.outbox = Outbox(database)
        self.watcher = Watcher(self.outbox, sources, settings.url)
        self.courier = Courier(self.outbox, self.channels)

    def start(self) -> None:
        """Begin, with what an earlier server left."""
        self.courier.start()
        self.watcher.start()

    def close(self) -> None:
        """End; what waits is kept."""
        self.watcher.close()
        self.courier.close()


def notifications_of(request: Request) -> Notifications:
    """Return the room of the application that got `request`."""
    found: Notifications = request.app.state.notifications
    return found
