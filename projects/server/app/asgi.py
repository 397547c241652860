"""The ASGI server: uvicorn, saying when it is ready, ending streams, leaving us the signals."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from types import FrameType

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from projects.jobs.http.gate import Gate
    from projects.jobs.http.services import Services

GRACE = 5
"""Seconds that calls under way have when the server stops."""

KEEP_ALIVE = 30
"""Seconds that a connection stays open without a call: until the head of one has come whole."""

SLOWEST = 500
"""Bytes of a body a second that a client sends at least, on the average of all after the first
`KEEP_ALIVE` seconds. Time in which we don't read doesn't count."""

_logger = logging.getLogger(__name__)


class Connection(H11Protocol):
    """A connection that is closed if no call comes, or the body of one doesn't get on.

    Uvicorn's own waits for ever for the first one, and for the rest of a head or a body that comes
    in drips: a thousand such connections, and nobody else gets in. No token is needed for that.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._body: RequestResponseCycle | None = None
        self._body_timer: asyncio.TimerHandle | None = None
        self._body_ends = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first call."""
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        """Take data; only a whole head ends the waiting, in `handle_events`."""
        self.conn.receive_data(data)
        self.handle_events()
        self._watch_body(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the body that was waited for."""
        super().connection_lost(exc)
        self._watch_body(0)

    def _watch_body(self, came: int) -> None:
        """Wait for the rest of a body: not long for the next bytes, nor for few of them."""
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None
        cycle = self.cycle
        if cycle is None or not cycle.more_body or cycle.response_complete or cycle.disconnected:
            self._body = None
            return
        now, longest = self.loop.time(), self.timeout_keep_alive
        if self._body is not cycle:
            self._body, self._body_ends = cycle, now + longest
        self._body_ends += came / SLOWEST
        wait = min(self._body_ends - now, longest)
        self._body_timer = self.loop.call_later(max(wait, 0.0), self._body_is_late)

    def _body_is_late(self) -> None:
        if self.flow.read_paused:  # it is us who are late
            self._body_ends += self.timeout_keep_alive
            self._watch_body(0)
        elif not self.transport.is_closing():
            self.transport.close()

    def _should_upgrade(self) -> bool:
        return False  # and nothing in the log about it: anybody can ask


class Server(uvicorn.Server):
    """Serves `gate`; calls `ready` once it listens. `more` are settings of uvicorn, as for TLS."""

    def __init__(
        self, gate: Gate, services: Services, ready: Callable[[], None], **more: Any
    ) -> None:
        config = uvicorn.Config(
            gate,
            http=Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            # From a proxy on this machine, or in $FORWARDED_ALLOW_IPS: whom it serves, and how.
            proxy_headers=True,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=GRACE,
            lifespan="on",
            ws="none",
            **more,
        )
        super().__init__(config)
        self._services = services
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        """Listen."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; asked ten times a second."""
        return bool(self._services.engine.lost) or await super().on_tick(counter)

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop: streams first, which would not end by themselves."""
        self._services.feed.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM, at once on a second one; then they mean what they did before.

        Uvicorn would raise them again at the end: our caller still has an engine to stop.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def heard(number: int, frame: FrameType | None) -> None:
            del frame
            _logger.info("stopping: %s", signal.Signals(number).name)
            self.should_exit, self.force_exit = True, self.should_exit

        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, heard) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
