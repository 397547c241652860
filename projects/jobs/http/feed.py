"""What happens, for those who listen: read from the store once, however many they are."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from projects.core.errors import TopgallantError
from projects.jobs.http import render
from projects.jobs.http.streams import message

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from projects.jobs.engine.listeners import News
    from projects.jobs.model.entities import Event

_logger = logging.getLogger(__name__)

KEPT = 5_000
"""So many of the newest events are shared; who is further behind reads from the store."""

PAGE = 500
QUIET = 1.0
"""The store is looked at so often, in seconds, also when nobody says that something happened."""

BREATH = 0.02
"""Between two looks at the store, in seconds, however much happens."""

MOST_NAMES = 20_000


class Feed:
    """Gives each listener the events after a number, from the store and then as they come.

    There is no queue for a listener: each has a place in what is shared, so one that doesn't
    read costs nothing, and one that comes back goes on where it was.
    """

    def __init__(self, store: Any, subscribe: Callable[[Any], Callable[[], None]]) -> None:
        self._store = store
        self._subscribe = subscribe
        self._tails: dict[str | None, _Tail] = {}
        self._names: OrderedDict[int, tuple[str, str]] = OrderedDict()
        self._unsubscribe: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.closed = asyncio.Event()

    async def follow(
        self, owner: str | None, after: int | None, heartbeat: float
    ) -> AsyncGenerator[bytes | None, None]:
        """Yield events as they are sent, those after number `after`, else from now on.

        Parameters
        ----------
        owner
            Events of the jobs of this owner; None: of all.
        heartbeat
            Yield None when nothing has happened for so many seconds.
        """
        last = await run_in_threadpool(self._store.last_event)
        after = last if after is None else min(after, last)
        tail = self._join(owner, last)
        try:
            while not self.closed.is_set():
                pieces, after = await self._next(tail, owner, after, heartbeat)
                yield b"".join(pieces) if pieces else None
        finally:
            self._leave(owner, tail)

    def close(self) -> None:
        """End all streams: the server stops."""
        self.closed.set()
        for tail in self._tails.values():
            tail.changed.set()
        self._stop_listening()

    async def _next(
        self, tail: _Tail, owner: str | None, after: int, heartbeat: float
    ) -> tuple[list[bytes], int]:
        """Return the events after a number, and where to go on; none if nothing happens."""
        ends = asyncio.get_running_loop().time() + heartbeat
        while not self.closed.is_set():
            if after < tail.floor:
                pieces, after = await self.page(owner, after)
            else:
                pieces, after = tail.after(after)
            left = ends - asyncio.get_running_loop().time()
            if pieces or left <= 0:
                return pieces, after
            if after >= tail.seq:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(tail.changed.wait(), left)
        return [], after

    async def page(self, owner: str | None, after: int) -> tuple[list[bytes], int]:
        """Return the next events after a number as they are sent, and where to go on."""
        events, seq = await run_in_threadpool(self._read, owner, after)
        return [piece for _, piece in events], seq

    def _read(self, owner: str | None, after: int) -> tuple[list[tuple[int, bytes]], int]:
        found = self._store.events(after=after, limit=PAGE, owner=owner)
        return [(event.seq, self._render(event)) for event in found.items], found.seq

    def _render(self, event: Event) -> bytes:
        job_id, submission_id = self._name(event.job)
        value = render.event(event) | {"job_id": job_id, "submission_id": submission_id}
        return message(event.type, value, event.seq)

    def _name(self, number: int) -> tuple[str, str]:
        known = self._names.get(number)
        if known is None:
            job = self._store.job(number)
            known = (job.id, job.submission_id) if job else ("", "")
            self._remember(number, known)
        return known

    def _remember(self, number: int, known: tuple[str, str]) -> None:
        self._names[number] = known
        while len(self._names) > MOST_NAMES:
            with contextlib.suppress(KeyError):
                self._names.popitem(last=False)

    def _join(self, owner: str | None, last: int) -> _Tail:
        tail = self._tails.get(owner)
        if tail is None:
            tail = self._tails[owner] = _Tail(last)
            tail.task = asyncio.ensure_future(self._run(tail, owner))
        if self._unsubscribe is None:
            self._loop = asyncio.get_running_loop()
            self._unsubscribe = self._subscribe(self._hear)
        tail.listeners += 1
        return tail

    def _leave(self, owner: str | None, tail: _Tail) -> None:
        tail.listeners -= 1
        if tail.listeners == 0:
            if tail.task:
                tail.task.cancel()
            self._tails.pop(owner, None)
        if not self._tails:
            self._stop_listening()

    def _stop_listening(self) -> None:
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe:
            unsubscribe()

    def _hear(self, news: Sequence[News], missed: int) -> None:
        """Take the names of jobs and wake the readers; a thread of the engine calls this."""
        del missed
        for one in news:
            self._remember(one.number, (one.id, one.submission_id))
        if self._loop and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed just now
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for tail in self._tails.values():
            tail.wanted.set()

    async def _run(self, tail: _Tail, owner: str | None) -> None:
        while True:
            tail.wanted.clear()
            try:
                events, seq = await run_in_threadpool(self._read, owner, tail.seq)
            except TopgallantError as error:  # a store that is away comes back
                _logger.warning("events can't be read: %s", error)
                await asyncio.sleep(QUIET)
                continue
            if seq > tail.seq:
                tail.add(events, seq)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(tail.wanted.wait(), QUIET)
            await asyncio.sleep(BREATH)


class _Tail:
    """The newest events that the listeners of one kind share: all from `floor` (excluded) on."""

    def __init__(self, seq: int) -> None:
        self.seq = self.floor = seq
        self.listeners = 0
        self.task: asyncio.Task[None] | None = None
        self.wanted = asyncio.Event()
        self.changed = asyncio.Event()
        self._events: deque[tuple[int, bytes]] = deque()

    def add(self, events: list[tuple[int, bytes]], seq: int) -> None:
        """Append the events up to number `seq`, and let the listeners know."""
        self._events.extend(events)
        self.seq = seq
        while len(self._events) > KEPT:
            self.floor = self._events.popleft()[0]
        self.changed.set()
        self.changed = asyncio.Event()

    def after(self, seq: int) -> tuple[list[bytes], int]:
        """Return the events after a number, at most a page, and where to go on."""
        newer: list[tuple[int, bytes]] = []
        for event in reversed(self._events):
            if event[0] <= seq:
                break
            newer.append(event)
        newer.reverse()
        if len(newer) > PAGE:
            del newer[PAGE:]
            return [piece for _, piece in newer], newer[-1][0]
        return [piece for _, piece in newer], max(seq, self.seq)
