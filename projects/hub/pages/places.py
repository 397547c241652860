"""What pages work with, handed over by `app`; and which site an address is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.hub.pages.history import History
from projects.hub.pages.slower import Slower

if TYPE_CHECKING:
    from fastapi import Request

    from projects.hub.sites.site import Site
    from projects.hub.sites.sites import Sites


@dataclass(slots=True)
class Pages:
    """The rooms behind the pages."""

    sites: Sites
    slower: Slower | None = None
    """None: nobody measures."""
    history: History = field(default_factory=History)


def pages_of(request: Request) -> Pages:
    """Return what the pages of this application work with."""
    state = request.app.state
    pages: Pages = state.pages
    if pages.slower is None and getattr(state, "tables", None) is not None:
        pages.slower = Slower(state.tables, state.table_plots)
    return pages


async def site_of(request: Request) -> tuple[Site, str]:
    """Return the site that an address is about, and what addresses of its pages begin with."""
    nickname = request.path_params.get("nickname", "")
    site = await pages_of(request).sites.get(nickname)
    return site, f"/satellites/{nickname}" if nickname else ""
