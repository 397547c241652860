"""Rules of notifications from a command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, unknown
from projects.hub.notifications.values import CHANNELS

if TYPE_CHECKING:
    from projects.jobs.library.client import Client

_ROOM = "/api/v1/notifications"


def make(client: Client, channel: str, target: str, more: dict[str, Any]) -> Any:
    """Make a rule; return it, with what signs a webhook's messages.

    Raises
    ------
    UsageError, Refused
        There is no such channel, or no target; the hub has another reason.
    """
    if channel not in CHANNELS:
        raise UsageError(unknown("channel", channel, CHANNELS))
    if not target:
        raise UsageError("where to? give it after the channel, or as --target=…")
    return client.post_json(f"{_ROOM}/rules", {"channel": channel, "target": target, **more})


def do(client: Client, action: str, number: str, limit: int) -> Any:
    """Do something with the rule `number`, or show what was told."""
    if action == "outbox":
        return client.get_json(f"{_ROOM}/outbox", limit=limit)["items"]
    if not number.isdecimal():
        raise UsageError(f"which rule? give its number after {action}, as the list shows it")
    path = f"{_ROOM}/rules/{number}"
    if action == "test":
        return client.post_json(f"{path}/test", {})
    if action == "remove":
        return client.send_json("DELETE", path)
    return client.send_json("PATCH", path, {"active": action == "resume"})
