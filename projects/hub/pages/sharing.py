"""With which groups a submission is shared: what a form offers, and what its page says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from projects.hub.accounts.accounts import accounts_of
from projects.jobs.http.services import services_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal


async def usual(request: Request, who: Principal) -> tuple[str, ...]:
    """Return the groups that `who` shares with unless they say otherwise."""
    user = await run_in_threadpool(accounts_of(request).user, who.owner)
    return tuple(each for each in user.autoshare if each in who.groups) if user else ()


async def seen_by(request: Request, site: Site, submission: str) -> Sequence[str]:
    """Return the groups that see a submission; what runs on a satellite is its owner's alone."""
    known = services_of(request).sharing
    if known is None or not site.is_local:
        return ()
    return await run_in_threadpool(known.groups_of_submission, submission)
