"""What happens, who wants to hear of it, and which of the two fit: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Kind(StrEnum):
    """What may be told."""

    FAILED = "failed"
    RECOVERED = "recovered"
    SLOWER = "slower"
    TEST = "test"


WANTED = (Kind.FAILED, Kind.RECOVERED, Kind.SLOWER)
"""The kinds that a rule names."""

CHANNELS = ("mail", "webhook", "slack", "github")


@dataclass(frozen=True, slots=True)
class Rule:
    """A user's wish to be told; `target` and `secret` may open something, so they aren't shown."""

    number: int
    owner: str
    name: str
    kinds: Sequence[str]
    pattern: str
    shared: bool
    channel: str
    target: str = field(repr=False)
    secret: str = field(repr=False)
    active: bool
    created: int


@dataclass(frozen=True, slots=True)
class Happening:
    """Something to be told; `id` is the same whenever the same thing is found again.

    `subject` is what a rule's pattern is about: the name of a test, or of a table as
    `system/name`. `path` leads to it on the hub.
    """

    kind: Kind
    id: str
    subject: str
    owner: str
    groups: Sequence[str]
    title: str
    text: str
    path: str
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends; `id` is the delivery's, the same in each attempt."""

    id: str
    event: str
    at: str
    title: str
    text: str
    url: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A line of the outbox; moments in µs, `next_at` None: it is over."""

    number: int
    rule: int
    event: str
    message: Mapping[str, Any]
    created: int
    attempts: int
    next_at: int | None
    delivered: int | None
    error: str

    @property
    def state(self) -> str:
        """`waiting`, `delivered` or `abandoned`."""
        if self.delivered is not None:
            return "delivered"
        return "abandoned" if self.next_at is None else "waiting"


def matches(rule: Rule, what: Happening, groups: Collection[str]) -> bool:
    """Return whether the owner of `rule`, who is in `groups`, is told by it."""
    seen = what.owner == rule.owner or (rule.shared and not set(what.groups).isdisjoint(groups))
    return (
        rule.active and seen and what.kind in rule.kinds and fnmatchcase(what.subject, rule.pattern)
    )
