"""The words of the tables that say who may call which route.

Each room has a module with a `TABLE` (method and path → `May`) and `THINGS` (name of a path
parameter → what makes one thing of that kind that belongs to `owner` and is shared with `team`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.hub.hub_world import Hub

Needs = Literal["nothing", "read", "submit", "admin", "upload", "satellite"]
"""The scope that opens a route."""

Whose = Literal["everybody's", "owner's", "team reads", "team changes"]
"""Whose thing the path names: nobody's in particular; its owner's (404 for all others, groups
too); the group's to see (404 for others); the group's to see, and this changes it (403 for its
members, 404 for others)."""


@dataclass(frozen=True)
class May:
    """Who may call a route.

    `body`: what is sent as JSON, or with `media` as it is. `query`: what is added to the address,
    filled in as a path is. `fresh`: the call uses its thing up, so each caller gets a new one.
    `other`: things that parameters of the path name here, where they usually name others.
    """

    needs: Needs
    whose: Whose = "everybody's"
    body: Any = None
    query: str = ""
    fresh: bool = False
    media: str = ""
    other: Mapping[str, str] = field(default_factory=dict)


Table = Mapping[tuple[str, str], May]
Things = Mapping[str, Callable[[Hub], str]]

CALLERS = ("nobody", "other", "member", "owner", "admin", "satellite")
"""Nobody has no token; `member` is in the group `team`; `satellite` has a token of that scope."""

_OPENED_BY_USERS = ("read", "submit", "upload")


def expected(may: May, caller: str) -> str:  # noqa: PLR0911  (a table in words)
    """Return what a caller gets: `yes`, `who?` (401), `no` (403), `absent` (404)."""
    if may.needs == "nothing":
        return "yes"
    if caller == "nobody":
        return "who?"
    if caller == "admin":
        return "yes"
    if caller == "satellite":
        if may.needs not in ("upload", "satellite"):
            return "no"
        return "absent" if may.whose == "owner's" else "yes"
    if may.needs not in _OPENED_BY_USERS:
        return "no"
    if caller == "owner" or may.whose == "everybody's":
        return "yes"
    if caller == "other" or may.whose == "owner's":
        return "absent"
    return "yes" if may.whose == "team reads" else "no"


def kind_of(status: int) -> str:
    """Return what a status says about access; what else is wrong is found after it was granted."""
    if status in (401, 403, 404):
        return {401: "who?", 403: "no", 404: "absent"}[status]
    return "yes" if status < 500 else str(status)
