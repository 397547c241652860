"""Who may call the routes of notifications."""

from __future__ import annotations

from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

ONE = "/api/v1/notifications/rules/{rule}"

TABLE: Table = {
    ("GET", "/api/v1/notifications/rules"): May("read"),
    ("POST", "/api/v1/notifications/rules"): May("submit", body={"channel": "pigeon"}),
    ("GET", ONE): May("read", "owner's"),
    ("PATCH", ONE): May("submit", "owner's", body={"name": "night"}),
    ("DELETE", ONE): May("submit", "owner's", fresh=True),
    ("POST", ONE + "/test"): May("submit", "owner's"),
    ("GET", "/api/v1/notifications/outbox"): May("read"),
    # Pages.
    ("GET", "/notifications"): May("read"),
    ("POST", "/notifications"): May("submit"),
    ("POST", "/notifications/{rule}/test"): May("submit", "owner's"),
    ("POST", "/notifications/{rule}/active"): May("submit", "owner's"),
    ("POST", "/notifications/{rule}/remove"): May("submit", "owner's", fresh=True),
}


def _rule(hub: Hub) -> str:
    body = {"channel": "webhook", "target": "http://127.0.0.1:9/hook"}
    made = hub.client("owner").post("/api/v1/notifications/rules", json=body).raise_for_status()
    return str(made.json()["number"])


THINGS: Things = {"rule": _rule}
