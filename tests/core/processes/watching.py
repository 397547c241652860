"""What tests of processes watch: conditions with a bound, and who of a family is still alive."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARK = "TOPGALLANT_TEST_MARK"


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Return when the condition is true; fail when that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            message = f"{condition} was not true within {seconds} s"
            raise AssertionError(message)
        time.sleep(0.005)


def alive(mark: str) -> dict[int, str]:
    """Return pid and command line of all processes that have inherited `mark`."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            with open(f"/proc/{name}/environ", "rb") as file:
                if f"{MARK}={mark}".encode() not in file.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/cmdline", "rb") as file:
                found[int(name)] = file.read().replace(b"\0", b" ").decode()
    return found


def end_all(mark: str) -> None:
    """Kill the processes that have inherited `mark`, and wait until they are gone."""
    for pid in alive(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not alive(mark))
