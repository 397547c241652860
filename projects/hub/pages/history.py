"""How long jobs of a tool take, from those that ran: what progress and ETA are told by."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from typing import TYPE_CHECKING, Any

from projects.hub.pages import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from projects.hub.sites.site import Site
    from projects.jobs.http.access import Principal

KEPT = 30.0
"""Seconds for which an answer is taken again."""
MOST_KEPT = 2000
SAMPLE = 15
"""So many of the newest jobs are looked at."""


class History:
    """Typical seconds of each tool on each site, for each who may see its jobs."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], tuple[float, float]] = {}

    async def typical(self, site: Site, who: Principal, tools: Iterable[str]) -> dict[str, float]:
        """Return the median seconds of successful jobs; tools without any are left out."""
        names = sorted(set(tools))
        found = await asyncio.gather(*(self._one(site, who, name) for name in names))
        return {n: seconds for n, seconds in zip(names, found, strict=True) if seconds is not None}

    async def _one(self, site: Site, who: Principal, tool: str) -> float | None:
        key = site.nickname, who.sees or "", tool
        known = self._known.get(key)
        if known is not None and time.monotonic() - known[0] < KEPT:
            return known[1]
        query = {"tool": tool, "outcome": "SUCCESS", "limit": str(SAMPLE)}
        page = await site.jobs(who, query)
        spans = [
            seconds
            for job in page["items"]
            if (seconds := words.seconds_between(job["started"], job["finished"], 0)) is not None
        ]
        if not spans:
            return None  # asked again the next time: the first one that is good is told at once
        found = statistics.median(spans)
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key] = time.monotonic(), found
        return found


def remaining(
    submission: Mapping[str, Any], typical: Iterable[float], at_once: int, begun: Iterable[float]
) -> float | None:
    """Return the seconds that a begun submission may still take, from what its jobs usually do.

    `begun` are the seconds for which jobs of it have run by now. None where nothing can be told,
    also because the last ones take longer than usual.
    """
    usual = list(typical)
    ended: int = sum(submission["states"].get(name, 0) for name in ("DONE", "ARCHIVED"))
    if submission["phase"] != "running" or not usual:
        return None
    rounds: int = math.ceil((submission["jobs"] - ended) / max(1, at_once))
    each = statistics.mean(usual)
    return (rounds - 1) * each + max(0.0, each - statistics.mean([*begun] or [0.0])) or None


def progress(job: Mapping[str, Any], typical: float | None, now: int) -> dict[str, Any] | None:
    """Return how far a running job is: seconds, the seconds it may take, and words for it."""
    elapsed = words.seconds_between(job["started"], None, now)
    if elapsed is None or job["finished"]:
        return None
    if not typical:
        return {"elapsed": elapsed, "typical": None, "words": f"{words.duration(elapsed)} so far"}
    left = typical - elapsed
    said = (
        f"about {words.duration(left)} left"
        if left > 0
        else f"{words.duration(-left)} longer than usual"
    )
    return {"elapsed": elapsed, "typical": typical, "words": said}
