"""When jobs start by their own clock: what every contestant runs, and how it is asked.

Only the standard library: the peers' interpreter imports this, too.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_IDLE = (0.02, 0.06)
_PATIENCE = 60.0


def write_script(path: Path, clocks: Path) -> None:
    """Write a program that appends its own clock to `clocks`, in seconds since the epoch.

    Bash says the microseconds itself: a call of date(1) would be a second process.
    """
    path.write_text(f'#!/bin/bash\necho "$EPOCHREALTIME" >> {clocks}\n', encoding="utf-8")
    path.chmod(0o755)


def latencies(submit: Callable[[], object], clocks: Path, count: int) -> list[float]:
    """Return the seconds from before each `submit` to the clock that its job wrote.

    One at a time; before each nothing happens for 20 to 60 ms, so that everybody is idle.
    """
    clocks.unlink(missing_ok=True)
    chance = random.Random(count)  # noqa: S311 - nothing secret
    asked = []
    for number in range(count):
        time.sleep(chance.uniform(*_IDLE))
        asked.append(time.time())
        submit()
        _wait(clocks, number + 1, asked[-1] + _PATIENCE)
    told = clocks.read_text(encoding="ascii").replace(",", ".").split()
    return [float(began) - before for before, began in zip(asked, told, strict=True)]


def _wait(clocks: Path, lines: int, deadline: float) -> None:
    while (os.stat(clocks).st_size if clocks.exists() else 0) < 18 * lines:
        if time.time() > deadline:
            raise TimeoutError(f"job {lines} did not start within {_PATIENCE:g} s")
        time.sleep(0.001)
