"""Rules as requests make and change them, whether they come from a page or a program."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from projects.hub.notifications.values import WANTED, Happening, Kind
from projects.jobs.http.body import read_model
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.notifications.notifications import Notifications
    from projects.hub.notifications.values import Delivery, Rule
    from projects.jobs.http.access import Principal

_Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Pattern = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Kind = Literal["failed", "recovered", "slower"]
_Kinds = Annotated[list[_Kind], Field(min_length=1, max_length=3)]


class RuleChange(BaseModel):
    """What is changed of a rule; another target is another rule."""

    model_config = ConfigDict(extra="forbid")

    name: _Line | None = None
    on: _Kinds | None = None
    pattern: _Pattern | None = Field(None, description="of names of tests, or `system/name`")
    shared: bool | None = Field(None, description="also what one's groups see")
    active: bool | None = None


class NewRule(BaseModel):
    """Whom to tell of what."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["mail", "webhook", "slack", "github"]
    target: Annotated[str, Field(min_length=1, max_length=2000)]
    name: _Line = ""
    on: _Kinds = ["failed", "recovered", "slower"]
    pattern: _Pattern = "*"
    shared: bool = False


def make(room: Notifications, owner: str, value: Any) -> tuple[Rule, str]:
    """Make the rule that a request describes; return it, and what signs a webhook's messages.

    Raises
    ------
    Invalid
        It isn't one; the hub hasn't set up such a channel; the owner has as many as possible.
    """
    wanted = read_model(NewRule, value)
    channel = room.channels.get(wanted.channel)
    if channel is None:
        said = f"the hub has no {wanted.channel} set up; it has {', '.join(room.channels)}"
        raise Invalid(f"channel: {said}", fields={"channel": said})
    if wrong := channel.wrong(wanted.target):
        raise Invalid(f"target: {wrong}", fields={"target": wrong})
    secret = secrets.token_urlsafe(32) if wanted.channel == "webhook" else ""
    values = wanted.model_dump(exclude={"on"}) | {
        "owner": owner,
        "kinds": in_order(wanted.on),
        "secret": secret,
        "active": True,
    }
    return room.outbox.add_rule(values), secret


def find(room: Notifications, who: Principal, number: int) -> Rule:
    """Return a rule that `who` may change.

    Raises
    ------
    Absent
        It isn't there, or is somebody else's.
    """
    found = room.outbox.rule(number)
    if found is None or not who.may_change(found.owner):
        raise absent(number)
    return found


def absent(number: int) -> Absent:
    """Return the answer for a rule that isn't there."""
    return Absent(f"there is no rule {number}")


def try_out(room: Notifications, who: Principal, which: Rule) -> Delivery:
    """Put a test message of a rule into the outbox; raises TooManyAttempts."""
    what = Happening(
        Kind.TEST,
        f"test:{secrets.token_hex(8)}",
        "",
        which.owner,
        (),
        "A test from Topgallant",
        f"{who.owner} asked for it: this is where notifications arrive.",
        "/notifications",
        moment.now(),
    )
    return room.outbox.test(which, what, room.settings.url)


def in_order(kinds: list[Any]) -> list[str]:
    """Return kinds as rules keep them."""
    return [str(kind) for kind in WANTED if kind in kinds]


def shown(room: Notifications, one: Rule) -> dict[str, Any]:
    """Return what is shown of a rule: of its target no more than where it is."""
    channel = room.channels.get(one.channel)
    return {
        "number": one.number,
        "owner": one.owner,
        "name": one.name,
        "on": list(map(str, one.kinds)),
        "pattern": one.pattern,
        "shared": one.shared,
        "channel": one.channel,
        "target": channel.shown(one.target) if channel else "***",
        "active": one.active,
        "created": moment.iso(one.created),
    }


def of_delivery(one: Delivery) -> dict[str, Any]:
    """Return a line of the outbox."""
    return {
        "number": one.number,
        "rule": one.rule,
        "state": one.state,
        "event": one.message["event"],
        "title": one.message["title"],
        "created": moment.iso(one.created),
        "attempts": one.attempts,
        "next_at": None if one.next_at is None else moment.iso(one.next_at),
        "delivered": None if one.delivered is None else moment.iso(one.delivered),
        "error": one.error,
    }
