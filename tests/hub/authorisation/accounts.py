"""Who may call the routes of accounts."""

from __future__ import annotations

from itertools import count

from projects.jobs.http import tokens
from tests.hub.authorisation.expected import May, Table, Things
from tests.hub.hub_world import Hub

_numbers = count()

TABLE: Table = {
    ("GET", "/login"): May("nothing"),
    ("POST", "/api/v1/login"): May("nothing", body={"name": 1}),
    ("POST", "/api/v1/register"): May("nothing", body={"name": 1}),
    ("POST", "/api/v1/logout"): May("read"),
    ("GET", "/api/v1/me"): May("read"),
    ("GET", "/api/v1/sessions"): May("read"),
    ("DELETE", "/api/v1/sessions/{session}"): May("submit", "owner's", fresh=True),
    ("GET", "/api/v1/users"): May("admin"),
    ("POST", "/api/v1/users"): May("admin", body={"name": 1}),
    ("GET", "/api/v1/users/{user}"): May("read", "owner's"),
    ("PATCH", "/api/v1/users/{user}"): May("submit", "owner's", body={"full_name": "Own R"}),
    ("PUT", "/api/v1/users/{user}/password"): May("submit", "owner's", body={"new": 1}),
    ("POST", "/api/v1/links"): May("admin", body={}),
    ("GET", "/api/v1/groups"): May("read"),
    ("POST", "/api/v1/groups"): May("admin", body={"id": 1}),
    ("GET", "/api/v1/groups/{group}"): May("read", "team reads"),
    ("PATCH", "/api/v1/groups/{group}"): May("submit", "team changes", body={"title": "t"}),
    ("DELETE", "/api/v1/groups/{group}"): May("admin", fresh=True),
    ("GET", "/api/v1/groups/{group}/members"): May("read", "team reads"),
    ("PUT", "/api/v1/groups/{group}/members/{user}"): May(
        "submit", "team changes", body={"manager": True}
    ),
    ("DELETE", "/api/v1/groups/{group}/members/{user}"): May("submit", "team changes", fresh=True),
    ("GET", "/api/v1/settings"): May("admin"),
    ("PATCH", "/api/v1/settings"): May("admin", body={"registration": "closed"}),
    ("GET", "/api/v1/audit"): May("admin"),
    ("POST", "/api/v1/tokens"): May("submit", body={"scopes": ["read"]}),
    ("GET", "/api/v1/tokens"): May("read"),
    ("DELETE", "/api/v1/tokens/{token}"): May("submit", "owner's", fresh=True),
    # Pages.
    ("POST", "/account/about"): May("submit"),
    ("POST", "/account/password"): May("submit"),
    ("POST", "/account/sessions/end"): May("submit"),
    ("POST", "/account/autoshare"): May("submit"),
    ("GET", "/groups"): May("read"),
    ("POST", "/groups"): May("admin"),
    ("GET", "/groups/{group}"): May("read", "team reads"),
    ("POST", "/groups/{group}/title"): May("submit", "team changes"),
    ("POST", "/groups/{group}/members"): May("submit", "team changes"),
    ("POST", "/groups/{group}/members/{user}/remove"): May("submit", "team changes", fresh=True),
    ("POST", "/groups/{group}/remove"): May("admin", fresh=True),
}


def _group(hub: Hub) -> str:
    """Make a group that `owner` manages and `member` is in."""
    return hub.group(f"g{next(_numbers)}", ["member"], ["owner"])


def _session(hub: Hub) -> str:
    hub.browser("owner")
    return hub.accounts.sessions_of("owner")[0].id


def _token(hub: Hub) -> str:
    _, token = tokens.issue("owner", ["read"])
    hub.world.store.add_token(token)
    return token.id


THINGS: Things = {
    "group": _group,
    "session": _session,
    "token": _token,
    "user": lambda _: "owner",
}
