"""The attempts in a server's hands, and what is to be reported of them: no effects."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from projects.jobs.model import moment
from projects.jobs.process.orders import Ended, Returned, Unknown

if TYPE_CHECKING:
    from projects.jobs.process.links import Key
    from projects.jobs.process.orders import Order, Report


class Assignments:
    """What was asked for and isn't known to be a process yet.

    Attributes
    ----------
    orders
        By attempt, until its start or its end is known.
    waiting
        Those that no runner has.
    stops
        Why an attempt is to be stopped that couldn't be told so, or whose end hasn't come.
    reports
        What the engine hears next.
    """

    def __init__(self) -> None:
        self.orders: dict[Key, Order] = {}
        self.waiting: deque[Key] = deque()
        self.stops: dict[Key, str] = {}
        self.reports: list[Report] = []

    def began(self, key: Key) -> bool:
        """Forget an order: it is a process, or over; return whether it was here."""
        return self.orders.pop(key, None) is not None

    def withdraw(self, key: Key, reason: str) -> bool:
        """Stop an attempt that no runner has; False: one does, or did."""
        if key not in self.waiting:
            return False
        self.waiting.remove(key)
        self._never_began(key, reason)
        return True

    def come_back(self, key: Key) -> None:
        """Tell that what was to follow is not going to."""
        if key in self.stops:
            self._never_began(key, self.stops.pop(key))
        else:
            del self.orders[key]
            self.reports.append(Returned(*key))

    def queue_again(self, key: Key) -> bool:
        """Let an order wait whose runner died before it began; False: it is over."""
        if key not in self.orders:
            text = "its runner was killed before the process was started"
            self.reports.append(Unknown(*key, started=False, reason=text, at=moment.now()))
            return False
        if key in self.stops:
            self._never_began(key, self.stops.pop(key))
            return False
        self.waiting.append(key)
        return True

    def refuse_waiting(self, why: str) -> None:
        """End all that no runner has: there will be none."""
        for key in self.waiting:
            self.not_started(key, why)
        self.waiting.clear()

    def not_started(self, key: Key, why: str) -> None:
        """End an attempt that can't be a process."""
        del self.orders[key]
        self.reports.append(Ended(*key, None, None, f"not started: {why}", moment.now(), None, ()))

    def _never_began(self, key: Key, reason: str) -> None:
        del self.orders[key]
        notes = (reason, "it had not begun")
        self.reports.append(Ended(*key, None, None, "stopped", moment.now(), None, notes))

    def collected(self) -> list[Report]:
        """Return what is to be reported, once."""
        reports, self.reports = self.reports, []
        return reports
