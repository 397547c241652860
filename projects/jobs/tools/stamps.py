"""Whether a file has changed: by its times, size and number, without reading it."""

from __future__ import annotations

import os
import time

Stamp = tuple[int, int, int, int]

_TICK = 100_000_000
"""ns within which a file may change again without its times showing it."""


def stamp(path: str) -> Stamp | None:
    """Return how a file looks; None if there is none. A change of its mode shows too."""
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return None
    return seen.st_ctime_ns, seen.st_mtime_ns, seen.st_size, seen.st_ino


def settled(*stamps: Stamp | None) -> bool:
    """Return whether a change from now on will show: times move in ticks of the kernel's clock.

    A file that has changed just now isn't settled: what was read of it is to be read again.
    """
    now = time.time_ns()
    return all(one is None or not 0 <= now - one[0] < _TICK for one in stamps)
