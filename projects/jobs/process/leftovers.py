"""What a job leaves running when its main process has ended: found and ended."""

from __future__ import annotations

import os
import signal
import time

from projects.jobs.process import kernel

GRACE = 1.0
"""Seconds that what was left behind has between SIGTERM and SIGKILL."""

PATIENCE = 5.0
"""Seconds after SIGKILL before a process is given up (it hangs in the kernel)."""


class Leftovers:
    """What `end_leftovers` did: how many were ended, hang still; CPU seconds of all reaped."""

    __slots__ = ("cpu", "ended", "hanging")

    def __init__(self) -> None:
        self.ended = 0
        self.hanging = 0
        self.cpu = 0.0

    def notes(self) -> list[str]:
        """Return the sentences that people are told."""
        notes = []
        if self.ended:
            notes.append(f"{count(self.ended)} left behind {_were(self.ended)} ended")
        if self.hanging:
            notes.append(f"{count(self.hanging)} left behind could not be ended")
        return notes


def any_children() -> bool:
    """Return whether this process has a child, dead or alive: one system call."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def end_leftovers() -> Leftovers:
    """End all descendants of this process, a subreaper, and reap them."""
    found = Leftovers()
    _reap(found)
    living = kernel.descendants(os.getpid()) if any_children() else []
    found.ended = len(living)
    start = time.monotonic()
    for process in living:
        kernel.send(process.pid, signal.SIGTERM)
        kernel.send(process.pid, signal.SIGCONT)
    pause = 0.001
    while any_children():
        waited = time.monotonic() - start
        if waited > GRACE:
            for process in kernel.descendants(os.getpid()):
                kernel.send(process.pid, signal.SIGKILL)
        if waited > GRACE + PATIENCE:
            found.hanging = len(kernel.descendants(os.getpid()))
            found.ended = max(0, found.ended - found.hanging)
            break
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
        _reap(found)
    return found


def _reap(found: Leftovers) -> None:
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        found.cpu += usage.ru_utime + usage.ru_stime


def count(number: int) -> str:
    """Return a number of processes in words."""
    return "1 process" if number == 1 else f"{number} processes"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
