"""How often somebody may fail to log in: each failure makes the next wait longer."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from projects.jobs.http.refusals import TooManyAttempts

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 10_000
"""So many addresses and so many names are remembered; the ones longest ago are forgotten first."""

FORGOTTEN = 3600.0
"""Seconds after the last failure when all of them are forgotten."""


class Waits:
    """For each key: `free` failures cost nothing, then one costs 1 s, 2 s, 4 s … `longest`."""

    def __init__(self, free: int, longest: float) -> None:
        self.free = free
        self.longest = longest
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def left(self, key: str, now: float) -> float:
        """Return how many seconds are left to wait."""
        count, last = self._known.get(key, (0, now))
        if count < self.free or now - last > FORGOTTEN:
            return 0.0
        return max(0.0, last + min(self.longest, 2.0 ** min(count - self.free, 30)) - now)

    def failed(self, key: str, now: float) -> None:
        """Note a failure."""
        count, last = self._known.pop(key, (0, now))
        self._known[key] = (1 if now - last > FORGOTTEN else count + 1, now)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def undo(self, key: str, *, whole: bool) -> None:
        """Take the last failure back, or all of them."""
        count, last = self._known.pop(key, (0, 0.0))
        if count > 1 and not whole:
            self._known[key] = (count - 1, last)


class Guard:
    """Bounds guesses per name and per address.

    A try counts as failed until it succeeds, so that many at once gain nothing. The waits for a
    name stay short: whoever fails on purpose should not keep its owner out. One who has a name
    of their own doesn't clear their address by logging in.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # a count that is read by two at once is one too low
        self._names = Waits(free=5, longest=60.0)
        self._addresses = Waits(free=20, longest=900.0)

    def begin(self, address: str, name: str) -> None:
        """Begin a try.

        Raises
        ------
        TooManyAttempts
            It comes too soon after others that failed.
        """
        with self._lock:
            now = self._clock()
            wait = max(self._names.left(name, now), self._addresses.left(address, now))
            if wait <= 0:
                self._names.failed(name, now)
                self._addresses.failed(address, now)
                return
        seconds = max(1, round(wait))
        raise TooManyAttempts(
            f"too many log-ins failed; try again in {seconds} s",
            headers={"Retry-After": str(seconds)},
        )

    def succeeded(self, address: str, name: str) -> None:
        """End a try well."""
        with self._lock:
            self._names.undo(name, whole=True)
            self._addresses.undo(address, whole=False)
