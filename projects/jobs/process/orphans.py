"""Jobs whose runner is dead, watched from the server: timeout, stop, end, what they leave."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING, cast

from projects.jobs.process import kernel, wire
from projects.jobs.process.attempt import end_line
from projects.jobs.process.cgroups import members
from projects.jobs.process.leftovers import GRACE, PATIENCE, count

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from projects.jobs.process.history import Known
    from projects.jobs.process.journal import Journal

_OFTEN = 0.02
_REAPER = 5.0
"""Seconds that whoever inherited a process has to reap it, where only then its end can be read."""

NEVER = float("inf")


class Orphan:
    """The process of an attempt without a runner.

    While a spawner is its parent (`guarded`) its end comes from there; else from a pidfd.
    """

    def __init__(self, runner: str, known: Known, guarded: bool) -> None:
        assert known.start is not None  # noqa: S101  (else there would be no process)
        start, intent = known.start, known.intent or {}
        self.runner = runner
        self.key: tuple[int, int] = (start["n"], start["a"])
        self.pid: int = start["pid"]
        self.pidfd = -1
        self.guarded = guarded
        self.reason = "exit"
        self.notes: list[str] = []
        self._known = known
        self._ticks: int = start["ticks"]
        self._grace: float = intent.get("grace", 0.0)
        self.status: int | None = None
        self.kill_at = NEVER
        self._look_at = NEVER
        self._give_up_at = NEVER
        self._timeout_at = NEVER
        self._timeout: float | None = intent.get("timeout")
        if self._timeout is not None:
            age = kernel.seconds_since_boot() - self._ticks / kernel.TICKS
            self._timeout_at = time.monotonic() + self._timeout - age

    def open(self) -> bool:
        """Hold on to the process; False when it has gone already."""
        try:
            self.pidfd = os.pidfd_open(self.pid)
        except OSError:
            return False
        if kernel.start_ticks(self.pid) != self._ticks:
            self.close()
            return False
        return True

    def has_ended(self) -> bool:
        """Return whether the process is over, perhaps not yet reaped."""
        if self.pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def look(self, now: float) -> bool:
        """Try to learn how it ended; False when it is worth trying again a little later."""
        if self.pidfd < 0:
            return True
        self.status = kernel.exit_status(self.pidfd, self.pid, self._ticks)
        if self._give_up_at == NEVER:
            self._give_up_at = now + _REAPER
        reaped = kernel.stat(self.pid) is None
        self._look_at = now + _OFTEN
        return self.status is not None or reaped or now > self._give_up_at

    def due(self) -> float:
        """Return when `tick` must be called, on the monotonic clock."""
        return min(self._timeout_at, self.kill_at, self._look_at)

    def tick(self, now: float) -> None:
        """Do what is due."""
        if now >= self._timeout_at:
            self._timeout_at = NEVER
            self._end("timeout", f"it was stopped after {self._timeout:g} seconds")
        if now >= self.kill_at:
            self.kill_at = NEVER
            self._signal(signal.SIGKILL)

    def stop(self, why: str) -> None:
        """End it because somebody asked."""
        self._end("stopped", why)

    def _end(self, reason: str, note: str) -> None:
        if self.reason != "exit":
            return
        self.reason = reason
        self.notes.append(note)
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        self.kill_at = time.monotonic() + self._grace

    def _signal(self, number: int) -> None:
        if not self.has_ended():
            kernel.send(-self.pid, number)

    def write_end(self, journal: Journal) -> dict[str, Any] | None:
        """Write down how it ended, so that it survives this server too; None: nobody knows."""
        wall = kernel.seconds_since_boot() - self._ticks / kernel.TICKS
        notes = ["whatever watched it was killed before it ended", *self.notes]
        sequence = self._known.sequence
        if self.status is None:
            return None
        line = end_line(sequence, *self.key, self.status, self.reason, wall, -1, 0, notes)
        journal.append(sequence, line)
        return cast("dict[str, Any]", wire.decode(line))

    def close(self) -> None:
        """Let go of the process."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


class Sweep:
    """Ends what still carries the mark of an attempt or is in its groups, without blocking."""

    def __init__(self, mark: str, groups: Sequence[str]) -> None:
        self._mark = mark
        self._groups = groups
        self._began = time.monotonic()
        self._next = 0.0
        self._found = self._living()
        self._send(self._found, signal.SIGTERM)

    def _living(self) -> set[int]:
        return {process.pid for process in kernel.marked(self._mark)} | members(self._groups)

    def _send(self, pids: set[int], number: int) -> None:
        for pid in pids:
            kernel.send(pid, number)

    def due(self) -> float:
        """Return when `done` should be asked again."""
        return self._next

    def done(self, now: float) -> bool:
        """Return whether nothing is left; sends the harder signal when it is time for it."""
        left = self._living()
        if not left or now > self._began + GRACE + PATIENCE:
            return True
        self._found |= left
        if now > self._began + GRACE:
            self._send(left, signal.SIGKILL)
        self._next = now + _OFTEN
        return False

    def notes(self) -> list[str]:
        """Return what people are told."""
        number = len(self._found)
        verb = "was" if number == 1 else "were"
        return [f"{count(number)} left behind {verb} ended"] if number else []
