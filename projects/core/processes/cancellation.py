"""Stopping: a tree of scopes that can be cancelled, deadlines, and waits that notice both."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from projects.core import errors
from projects.core.artifacts.ambient import Ambient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from projects.core.artifacts.ambient import Entry

GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL of a process group."""

CLEANUP = 60.0
"""Seconds that an expired deadline leaves to `finally` blocks before it is raised again."""

# One lock for all trees: every section below is a few dictionary operations. Reentrant, because a
# signal handler may come while the main thread holds it.
_lock = threading.RLock()
MAIN_THREAD = threading.main_thread().ident


class Cause(NamedTuple):
    """Why a scope was cancelled; `signum` when a signal of the user was the reason."""

    reason: str
    signum: int | None

    def error(self) -> BaseException:
        """Return `Interrupted` for a signal, if this is the main thread, else `Cancelled`."""
        if self.signum is not None and threading.get_ident() == MAIN_THREAD:
            return errors.Interrupted(self.signum)
        return errors.Cancelled(self.reason)


class Scope:
    """A part of the program that is cancelled as one, with everything below it.

    Cancelling is delivered once: whoever waits in the scope at that moment (a process, a sleep)
    is woken, and otherwise the next `checkpoint` raises. After that, new commands work normally,
    so that `finally` blocks can clean up.
    """

    def __init__(self, name: str, parent: Scope | None = None, grace: float | None = None) -> None:
        self.name = name
        inherited = parent.grace if parent else GRACE
        self.grace: float = inherited if grace is None else grace
        self.cause: Cause | None = None
        self._parent = parent
        self.pending: Cause | None = None
        self.closed = False
        self.children: set[Scope] = set()
        self.watches: set[Watch] = set()
        self._entries: list[Entry[Scope]] = []
        if parent is not None:
            with _lock:
                parent.children.add(self)
                # Cancelled between its parent's last checkpoint and now.
                self.cause = self.pending = parent.pending
                self.closed = parent.closed

    def __enter__(self) -> Self:
        self._entries.append(_current.enter(self))
        return self

    def __exit__(self, *exception: object) -> None:
        _current.leave(self._entries.pop())
        if self._parent is not None:
            with _lock:
                self._parent.children.discard(self)

    def cancel(self, reason: str, signum: int | None = None) -> None:
        """Stop everything in this scope and below: SIGTERM to the process groups, waits wake up.

        Each process is followed by the thread that runs it, which sends SIGKILL after `grace`
        seconds. A scope that has been cancelled before goes on cleaning up.
        """
        cause = Cause(reason, signum)
        with _lock:
            for scope in self.tree():
                if scope.cause is None:
                    scope.cause = scope.pending = cause
                    for watch in tuple(scope.watches):
                        watch.wake(cause, signal.SIGTERM)

    def kill(self, reason: str, signum: int | None = None) -> None:
        """Like `cancel`, but with SIGKILL at once, and for clean-ups that are running as well."""
        cause = Cause(reason, signum)
        with _lock:
            for scope in self.tree():
                scope.cause = scope.pending = cause
                for watch in tuple(scope.watches):
                    watch.wake(cause, signal.SIGKILL)

    def close(self) -> None:
        """Kill what still runs in the scope and below; nothing new can be started there."""
        with _lock:
            for scope in self.tree():
                scope.closed = True
            self.kill(f"{self.name} is over")

    def take(self) -> Cause | None:
        """Return the cause that waits for delivery, which counts as delivered by that."""
        if self.pending is None:
            return None
        with _lock:
            cause, self.pending = self.pending, None
            if self.closed:
                self.pending = cause
            return cause

    def checkpoint(self) -> None:
        """Raise `Cancelled` or `Interrupted` if the scope was cancelled, once."""
        cause = self.take()
        if cause is not None:
            raise cause.error()

    def tree(self) -> Iterator[Scope]:
        """Yield this scope and all below it."""
        yield self
        for child in tuple(self.children):
            yield from child.tree()


_current: Ambient[Scope] = Ambient("cancellation_scope")
_root = Scope("the program")


def current() -> Scope:
    """Return the scope of this context; outside of any, one that the whole process shares."""
    return _current.get() or _root


def checkpoint() -> None:
    """Raise if this context was cancelled or its deadline has passed; cheap, call it in loops.

    Errors
    ------
    Cancelled, Interrupted
        Once per cancellation.
    DeadlineExceeded
        Once per deadline, and again `CLEANUP` seconds later.
    """
    current().checkpoint()
    limit = _deadline.get()
    if limit is not None:
        limit.check()


class Watch:
    """Somebody who waits in the current scope, to be woken when it is cancelled.

    `fileno` becomes readable then; `group`, a process group, gets the signal at once, whatever
    the waiting thread is doing; `on_wake` is called from whichever thread cancels.

    Errors
    ------
    Cancelled, Interrupted
        On entering, if a cancellation waits for delivery.
    """

    __slots__ = ("_group", "_on_wake", "_reader", "_sent", "_wanted", "_writer", "cause", "scope")

    def __init__(self, on_wake: Callable[[], object] | None = None) -> None:
        self.scope = current()
        self.cause: Cause | None = None
        self._on_wake = on_wake
        self._group: int | None = None
        self._wanted = self._sent = 0
        self._reader = self._writer = -1

    def __enter__(self) -> Self:
        with _lock:
            self.scope.checkpoint()
            self._reader, self._writer = os.pipe()
            self.scope.watches.add(self)
        return self

    def __exit__(self, *exception: object) -> None:
        with _lock:
            self._group = None
            self.scope.watches.discard(self)
            os.close(self._reader)
            os.close(self._writer)

    def fileno(self) -> int:
        """Return the descriptor that is readable once the scope was cancelled."""
        return self._reader

    def wake(self, cause: Cause, signum: int) -> None:
        """Tell the waiting side; `signum` goes to its process group."""
        self.cause, self._wanted = cause, signum
        os.write(self._writer, b"!")
        self.signal_group(signum)
        if self._on_wake is not None:
            self._on_wake()

    def follow_group(self, group: int) -> None:
        """Take over a process group; a cancellation that came before is made up for."""
        with _lock:
            self._group = group
            if self.cause is not None:
                self.signal_group(self._wanted)

    def leave_group(self) -> None:
        """Forget the group. To be called before its leader is reaped: then its id may be reused."""
        with _lock:
            self._group = None

    def signal_group(self, signum: int) -> None:
        """Send `signum` to the group unless it got this one, or SIGKILL, before."""
        with _lock:
            if self._group is None or self._sent in (signum, signal.SIGKILL):
                return
            self._sent = signum
            # Nobody left; or all of them run as another user, which the waiting side reports.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signum)

    def raise_cause(self) -> None:
        """Raise why this was woken, if it was; that delivers the cancellation of the scope."""
        if self.cause is not None:
            self.scope.take()
            raise self.cause.error()

    def wait(self, seconds: float) -> None:
        """Wait so long, or raise as `checkpoint` does as soon as there is a reason."""
        end = time.monotonic() + seconds
        limit = _deadline.get()
        poll = select.poll()
        poll.register(self._reader, select.POLLIN)
        while True:
            self.raise_cause()
            if limit is not None:
                limit.check()
            left = end - time.monotonic()
            if left <= 0:
                return
            if limit is not None:
                left = min(left, limit.left())
            # Rounded up: a wait that ends too early would spin. A day is the most poll() is given.
            poll.poll(min(max(left, 0.0) * 1000 + 1, 86_400_000))


def sleep(seconds: float) -> None:
    """Sleep, but wake up and raise when the scope is cancelled or the deadline passes."""
    with Watch() as watch:
        watch.wait(seconds)


class Deadline:
    """A moment by which a block has to be done; see `deadline`."""

    __slots__ = ("_again", "end", "outer", "seconds", "what")

    def __init__(self, seconds: float, what: str, outer: Deadline | None) -> None:
        self.seconds = seconds
        self.what = what
        self.outer = outer
        self.end = time.monotonic() + seconds
        # Scopes that know already, and when they are told again. The key keeps the scope alive.
        self._again: dict[Scope, float] = {}

    def left(self) -> float:
        """Return the seconds until this context is told; those of the outer deadlines count too."""
        mine = self._again.get(current(), self.end) - time.monotonic()
        return mine if self.outer is None else min(mine, self.outer.left())

    def passed(self) -> bool:
        """Tell whether this or an outer deadline is over, delivered or not."""
        return time.monotonic() >= self.end or (self.outer is not None and self.outer.passed())

    def check(self) -> None:
        """Raise `DeadlineExceeded` if there is one to tell this context about."""
        if self.outer is not None:
            self.outer.check()
        now = time.monotonic()
        scope = current()
        if now >= self._again.get(scope, self.end):
            self._again[scope] = now + CLEANUP
            raise errors.DeadlineExceeded(self.message())

    def told(self) -> bool:
        """Tell whether this context knows that the deadline is over."""
        return current() in self._again

    def message(self) -> str:
        """Return the sentence for the user."""
        return f"{self.what or 'this'} was not done within its deadline of {self.seconds:g} s"


_deadline: Ambient[Deadline] = Ambient("deadline")


def deadline(seconds: float, what: str = "") -> AbstractContextManager[None]:
    """Give the `with` block so many seconds; the nearest of nested deadlines counts.

    Commands, sleeps, waits and `checkpoint` notice it. Once it was raised, `finally` blocks have
    `CLEANUP` seconds. A block that ends too late without having noticed fails as well.

    Errors
    ------
    DeadlineExceeded
        `what` was not done in time.
    """
    return within(Deadline(seconds, what, _deadline.get()))


@contextmanager
def within(limit: Deadline) -> Iterator[None]:
    """Put the block under a deadline that exists already; see `deadline`."""
    entry = _deadline.enter(limit)
    try:
        yield
    finally:
        _deadline.leave(entry)
    if time.monotonic() >= limit.end and not limit.told():
        raise errors.DeadlineExceeded(limit.message())


@contextmanager
def no_deadline() -> Iterator[None]:
    """Suspend the deadlines of this context: what has to happen whatever the time is."""
    entry = _deadline.enter(Deadline(float("inf"), "", None))
    try:
        yield
    finally:
        _deadline.leave(entry)


def nearest_deadline() -> Deadline | None:
    """Return the innermost deadline of this context, or None."""
    return _deadline.get()
