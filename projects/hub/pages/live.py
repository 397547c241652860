"""Live pages: browsers are told that something changed, and ask for what it is by themselves."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from projects.hub.sites.site import Said

CHANGE, TICK = b"event: change\ndata: 1\n\n", b"event: tick\ndata: 1\n\n"

SOON = 0.25
"""Seconds between the beginning and the first word: what happened before is not missed."""
OFTEN = 1.0
"""Least seconds between two changes, however much happens."""
PULSE = 5.0
"""Seconds between two ticks, by which what runs is drawn anew."""


async def changes(
    source: AsyncGenerator[Said | None, None], fits: Callable[[Said], bool] = lambda _: True
) -> AsyncGenerator[bytes | None, None]:
    """Yield a change once at the beginning and whenever something that `fits` has happened."""
    changed = asyncio.Event()
    changed.set()

    async def listen() -> None:
        async with contextlib.aclosing(source) as messages:
            async for said in messages:
                if said is not None and fits(said):
                    changed.set()

    listening = asyncio.ensure_future(listen())
    try:
        await asyncio.sleep(SOON)
        while not listening.done():
            try:
                await asyncio.wait_for(changed.wait(), PULSE)
            except TimeoutError:
                yield TICK
                continue
            changed.clear()
            yield CHANGE
            await asyncio.wait({listening}, timeout=OFTEN)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await listening


def html_event(kind: str, html: str, number: int | None = None) -> bytes:
    """Return a message whose value is HTML, which may have several lines."""
    head = f"event: {kind}\n" if number is None else f"id: {number}\nevent: {kind}\n"
    lines = "".join(f"data: {line}\n" for line in html.split("\n"))
    return f"{head}{lines}\n".encode("utf-8", "backslashreplace")
