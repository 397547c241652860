"""Lists in pages, what narrows them, and where in the hub a page is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from projects.jobs.store.values import cursor

if TYPE_CHECKING:
    from fastapi import Request

    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal

PER_PAGE = 50


def given(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """Return what an address says of these names."""
    texts = {name: request.query_params.get(name, "").strip()[:200] for name in names}
    return {name: text for name, text in texts.items() if text}


async def page_of(request: Request, read: Any, who: Principal, wanted: dict[str, str]) -> Any:
    """Return a page of a list, with cursors for the ones before and after it."""
    at, before = request.query_params.get("cursor", ""), request.query_params.get("before", "")
    query = {**wanted, "limit": str(PER_PAGE)}
    if before:
        found = await read(who, {**query, "cursor": before, "oldest_first": "true"})
        items = list(reversed(found["items"]))
        more = found["next"] is not None
        older = cursor(items[-1]["number"]) if items else None
    else:
        found = await read(who, {**query, "cursor": at} if at else query)
        items, older = found["items"], found["next"]
        more = bool(at)
    newer = cursor(items[0]["number"]) if more and items else None
    return {"items": items, "newer": newer, "older": older, "is_first": not (at or before)}


def crumbs_of(site: Site, base: str, *rest: tuple[str, str]) -> list[tuple[str, str]]:
    """Return the way to a page, satellite first."""
    first = [("Satellites", "/satellites"), (site.nickname, base)] if base else []
    return [*first, *rest]


def narrowed(wanted: dict[str, str], **more: str) -> str:
    """Return a query that has what is `wanted`, but `more`."""
    return urlencode({name: text for name, text in {**wanted, **more}.items() if text})
