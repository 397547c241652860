"""A value that follows the context, through copied threads and asyncio tasks."""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")


class Entry(Generic[T]):
    """What `Ambient.enter` did, to be undone by `Ambient.leave`."""

    __slots__ = ("previous", "value")

    def __init__(self, value: T, previous: T | None) -> None:
        self.value = value
        self.previous = previous


class Ambient(Generic[T]):
    """The innermost entered value of this context.

    A thread or executor that was started without a copy of the context knows no value of its
    own: it sees the innermost one that the main thread entered outside of any event loop. Values
    entered inside a loop belong to one task of several, so they are nobody's fallback.
    """

    __slots__ = ("_entered", "_in_context", "_innermost")

    def __init__(self, name: str) -> None:
        self._in_context: ContextVar[T | None] = ContextVar(name, default=None)
        self._entered: list[Entry[T]] = []
        self._innermost: T | None = None

    def get(self) -> T | None:
        """Return the value of this context, else the main thread's, else None."""
        value = self._in_context.get()
        return self._innermost if value is None else value

    def enter(self, value: T) -> Entry[T]:
        """Make `value` the current one until `leave` is called with what this returns."""
        entry = Entry(value, self._in_context.get())
        self._in_context.set(value)
        if _in_plain_main_thread():
            self._entered.append(entry)
            self._innermost = value
        return entry

    def leave(self, entry: Entry[T]) -> None:
        """Return to the value before `entry`; leaving out of order or elsewhere is harmless."""
        # Not ContextVar.reset: it refuses when a generator is finished from another context.
        self._in_context.set(entry.previous)
        if entry in self._entered:
            self._entered.remove(entry)
            self._innermost = self._entered[-1].value if self._entered else None


def _in_plain_main_thread() -> bool:
    if threading.get_ident() != threading.main_thread().ident:
        return False
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:  # never imported: then no loop can be running
        return True
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False
