"""Jobs of a satellite that its hub shows to groups: the satellite knows their owner alone.

The hub keeps which groups see a submission of a satellite. Who is in one of them is shown its jobs
with the eyes of their owner, and no more than these: the token that is used can't change anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.jobs.http.access import Principal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from projects.hub.sites.site import Json

    SharedWith = Callable[[str], Awaitable[Iterable[str]]]
    """Returns the groups that see a submission, by `key_of`."""

MOST_KNOWN = 10_000


def key_of(nickname: str, submission: str, *, is_local: bool) -> str:
    """Return the name by which the groups of a submission are kept."""
    return submission if is_local else f"{nickname}/{submission}"


class Lending:
    """Says with whose eyes somebody looks at a job or submission of one satellite.

    `ask` returns a job or submission as the satellite's admin sees it: `("jobs", ID)`.
    """

    def __init__(
        self,
        nickname: str,
        ask: Callable[[str, str], Awaitable[Json]],
        shared_with: SharedWith | None,
    ) -> None:
        self._nickname = nickname
        self._ask = ask
        self._shared_with = shared_with
        self._known: dict[tuple[str, str], tuple[str, str]] = {}

    async def eyes(self, who: Principal, kind: str, name: str) -> Principal:
        """Return `who`, or the owner as a reader where `who` sees it through a group."""
        if self._shared_with is None or who.is_admin or not who.groups:
            return who
        known = self._known.get((kind, name))
        if known is None:
            known = self.note(kind, name, await self._ask(kind, name))
        owner, submission = known
        if owner == who.owner:
            return who
        key = key_of(self._nickname, submission, is_local=False)
        groups = await self._shared_with(key)
        return who if set(groups).isdisjoint(who.groups) else Principal(owner, ("read",))

    def note(self, kind: str, name: str, found: Any) -> tuple[str, str]:
        """Keep whose a job or submission is: that doesn't change."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        known = found["owner"], found["submission_id" if kind == "jobs" else "id"]
        self._known[kind, name] = known
        return known
