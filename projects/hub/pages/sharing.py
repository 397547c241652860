"""With which groups a submission is shared: what a form offers, and what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from projects.hub.accounts.accounts import accounts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from projects.jobs.http.access import Principal


async def usual(request: Request, who: Principal) -> tuple[str, ...]:
    """Return the groups that `who` shares with unless they say otherwise."""
    user = await run_in_threadpool(accounts_of(request).user, who.owner)
    return tuple(each for each in user.autoshare if each in who.groups) if user else ()


async def offered(
    request: Request, who: Principal, owner: str, seen_by: Sequence[str]
) -> Sequence[str]:
    """Return the groups that a submission of `owner` may be shared with, or is; for who may."""
    if not who.may_change(owner):
        return ()
    standing = await run_in_threadpool(accounts_of(request).standing_of, owner)
    return sorted({*seen_by, *(standing.groups if standing else ())})
