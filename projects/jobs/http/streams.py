"""Answers that don't end by themselves: server-sent events, to clients that take them.

Source: HTML Living Standard §9.2 (server-sent events).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from projects.core.errors import TopgallantError
from projects.jobs.http.access import PRINCIPAL
from projects.jobs.http.refusals import Busy

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from starlette.types import Receive, Scope, Send

    from projects.jobs.http.access import Principal
    from projects.jobs.http.services import Services

LOOKS = 5.0
"""Seconds after which it is looked again, before something is sent, who the client is."""

HEARTBEAT = b": still here\n\n"
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


def message(kind: str, value: Mapping[str, Any], number: int | None = None) -> bytes:
    """Return one event; `number` is what a client says in Last-Event-ID to go on after it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    head = f"event: {kind}\n" if number is None else f"id: {number}\nevent: {kind}\n"
    return f"{head}data: {text}\n\n".encode("utf-8", "backslashreplace")


class EventStream(Response):
    """Sends what `source` yields; None is nothing new for a heartbeat.

    A client that takes nothing for `patience` seconds is dropped: what waits for it is never more
    than one piece and the connection's own buffers. One whose session or token ended meanwhile,
    or opens other things than at first (another role, other groups), gets nothing more: it has to
    come anew. So has one for whom `still`, which is asked as often, raises an error.

    Raises
    ------
    Busy
        There are `most_streams` of them already.
    """

    def __init__(
        self,
        services: Services,
        source: AsyncGenerator[bytes | None, None],
        *,
        still: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__()
        self._services = services
        self._source = source
        self._still = still
        if services.streams >= services.settings.most_streams:
            raise Busy(f"{services.streams} streams are open, and more are not begun; try later")
        services.streams += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the source ends, the client goes or doesn't take what is sent."""
        sending = asyncio.ensure_future(self._send(scope, send))
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._services.streams -= 1
            for task in (sending, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, TimeoutError, OSError):
                    await task

    async def _send(self, scope: Scope, send: Send) -> None:
        patience = self._services.settings.patience
        start = {"type": "http.response.start", "status": 200, "headers": list(_HEADERS)}
        await send(start)
        await send({"type": "http.response.body", "body": HEARTBEAT, "more_body": True})
        looked, who = time.monotonic(), scope.get(PRINCIPAL)
        async with contextlib.aclosing(self._source) as source:
            async for piece in source:
                if time.monotonic() - looked >= LOOKS:
                    if not await self._is_welcome(scope, who):
                        break
                    looked = time.monotonic()
                body = HEARTBEAT if piece is None else piece
                more = {"type": "http.response.body", "body": body, "more_body": True}
                await asyncio.wait_for(send(more), patience)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _is_welcome(self, scope: Scope, who: Principal | None) -> bool:
        """Return whether what the client came with still opens what it did."""
        try:
            now = await scope["app"].state.authenticator.principal(Request(scope))
            if self._still is not None:
                await self._still()
        except TopgallantError:
            return False
        return bool(now == who)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
