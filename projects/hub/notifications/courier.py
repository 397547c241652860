"""The thread that empties the outbox."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING

from projects.core.errors import one_line
from projects.hub.notifications.posting import Result
from projects.hub.notifications.values import Message
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projects.hub.notifications.channels import Channel
    from projects.hub.notifications.outbox import Outbox
    from projects.hub.notifications.values import Delivery

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 3600.0
"""Seconds between two attempts: doubled each time, up to an hour."""

PATIENCE = 3 * 86_400 * moment.SECOND
"""What couldn't be delivered for so long (µs) is abandoned."""

_log = logging.getLogger(__name__)
_CLEAN = 3600.0


def pause(attempts: int, jitter: float, after: float | None = None) -> float:
    """Return seconds until the next attempt after `attempts` of them; `jitter` is from [0, 1).

    Between half of and the whole of an exponentially growing time, at least what is asked for.
    """
    longest = min(FIRST_PAUSE * 2.0 ** min(max(attempts - 1, 0), 20), LONGEST_PAUSE)
    return max(longest * (0.5 + jitter / 2), after or 0.0)


class Courier:
    """Delivers, one after the other."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        clock: Callable[[], int] = moment.now,
    ) -> None:
        self._outbox = outbox
        self._channels = channels
        self._clock = clock
        self._due = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        outbox.filled = self._due.set

    def start(self) -> None:
        """Begin: what an earlier server left undelivered comes first."""
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """End; an attempt that is under way is made again by the next server."""
        self._closing.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        cleaned = 0
        while not self._closing.is_set():
            self._due.clear()
            try:
                if self._clock() >= cleaned + _CLEAN * moment.SECOND:
                    self._outbox.clean()
                    cleaned = self._clock()
                wait = self.deliver()
            except Exception as error:  # the store is away: it says so elsewhere
                if self._closing.is_set():
                    return
                _log.warning("notifications wait: %s", one_line(error))
                wait = 10.0
            self._due.wait(wait)

    def deliver(self) -> float:
        """Deliver what is due; return the seconds until there may be more to do."""
        failed: set[int] = set()
        for one in self._outbox.due():
            if self._closing.is_set():
                return 0.0
            if one.rule not in failed and not self._deliver(one):
                failed.add(one.rule)
        due = self._outbox.next_at()
        if due is None:
            return _CLEAN
        return min(max((due - self._clock()) / moment.SECOND, 0.0), _CLEAN)

    def _deliver(self, one: Delivery) -> bool:
        """Try once; return whether others of the same rule may be tried now."""
        result = self._attempt(one)
        if result.delivered:
            self._outbox.delivered(one)
            return True
        if result.refused:
            self._outbox.abandoned(one, result.error)
            return True
        wait = pause(self._outbox.failures(one.rule) + 1, random.random(), result.after)  # noqa: S311
        at = self._clock() + round(wait * moment.SECOND)
        if at > one.created + PATIENCE:
            self._outbox.abandoned(one, f"given up after 3 days: {result.error}")
        else:
            self._outbox.postponed(one, at, result.error)
        return False

    def _attempt(self, one: Delivery) -> Result:
        rule = self._outbox.rule(one.rule)
        if rule is None:
            return Result(refused=True, error="the rule is gone")
        channel = self._channels.get(rule.channel)
        if channel is None:
            return Result(refused=True, error=f"the hub has no {rule.channel} set up any more")
        try:
            identity = f"{one.number}.{one.created}"
            message = Message(id=identity, **one.message)
            return channel.send(message, rule.target, rule.secret)
        except Exception as error:  # a mistake of ours must not hold up the others
            _log.exception("a notification by %s failed", rule.channel)
            return Result(error=type(error).__name__)
