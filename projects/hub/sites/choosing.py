"""Which satellite a submission goes to when any will do: a function of what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


class NoneCan(UsageError):
    """No satellite that is online has the tools."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Candidate:
    """A satellite that answered: its tools, and its jobs against what it runs at once."""

    nickname: str
    tools: Collection[str]
    running: int
    waiting: int
    capacity: int

    @property
    def load(self) -> float:
        """Jobs for each place."""
        return (self.running + self.waiting) / max(1, self.capacity)


def choose(candidates: Iterable[Candidate], tools: Collection[str]) -> str:
    """Return the nickname of the least busy one that has all `tools`; of equal ones the first.

    Raises
    ------
    NoneCan
        The message names the tools and who was asked.
    """
    asked = list(candidates)
    able = [each for each in asked if set(tools) <= set(each.tools)]
    if not able:
        names = ", ".join(each.nickname for each in asked) or "no satellite is online"
        raise NoneCan(f"no satellite has {', '.join(sorted(tools))}; asked: {names}")
    return min(able, key=lambda each: (each.load, each.nickname)).nickname
