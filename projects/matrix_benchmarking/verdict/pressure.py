"""How much work waited for a processor while something was measured: the machine's pressure."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.fingerprint import FILE, PRESSURE

if TYPE_CHECKING:
    from collections.abc import Iterator

STALLED = Path("/proc/pressure/cpu")
_MICROSECONDS = 1e6


@contextmanager
def watched(directory: Path, stalled: Path = STALLED) -> Iterator[None]:
    """Write the pressure of the body into the fingerprint of a result: a share of its time.

    Where the kernel keeps no account of it nothing is written. Source: the kernel's
    Documentation/accounting/psi.rst, `total` of the line `some`, in microseconds.
    """
    before, began = _stalled(stalled), time.monotonic()
    yield
    after, seconds = _stalled(stalled), time.monotonic() - began
    if before is None or after is None or seconds <= 0:
        return
    share = min(max((after - before) / _MICROSECONDS / seconds, 0.0), 1.0)
    with (directory / FILE).open("a", encoding="utf-8") as file:
        file.write(f"{PRESSURE}: {share:.2f}\n")


def _stalled(path: Path) -> int | None:
    try:
        line = path.read_text(encoding="ascii").partition("\n")[0]
        return int(line.rpartition("total=")[2])
    except (OSError, ValueError):
        return None
