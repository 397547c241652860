"""Users, groups and what is kept of them; moments are µs since the epoch, UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from projects.jobs.model import moment

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""Names of users and ids of groups: one spelling each, so that none looks like another."""

NAME_RULE = "1 to 63 of a-z 0-9 . _ -, beginning with a letter or digit"

IDLE = 12 * 3600 * moment.SECOND
"""A session ends when nothing came from it for so long."""

ABSOLUTE = 30 * 86400 * moment.SECOND
"""A session ends so long after it began."""

Registration = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who logs in; `password` is a hash, None where they don't use one."""

    name: str
    full_name: str = ""
    email: str = ""
    password: str | None = field(default=None, repr=False)
    admin: bool = False
    disabled: int | None = None
    autoshare: tuple[str, ...] = ()
    created: int = 0
    last_login: int | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Users who see what is shared with them."""

    id: str
    title: str
    created: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group; a manager adds and removes members."""

    group: str
    user: str
    manager: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that logged in."""

    id: str
    user: str
    created: int
    last_used: int
    address: str
    agent: str

    @property
    def ends(self) -> int:
        """When it ends if nothing comes from it any more."""
        return min(self.last_used + IDLE, self.created + ABSOLUTE)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and from where."""

    who: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that was done."""

    seq: int
    at: int
    who: str
    address: str
    action: str
    object: str
    detail: dict[str, Any] | None
