"""Moments: microseconds since the epoch, UTC, as integers; the one door to the clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_lock = threading.Lock()
_last = 0


def now() -> int:
    """Return the present moment in µs; never smaller than one given before by this process.

    A clock that is set back therefore stands still here until it has caught up: a job can't end
    before it began.
    """
    global _last  # noqa: PLW0603  (the whole point: one clock for the process)
    with _lock:
        _last = max(_last, time.time_ns() // 1000)
        return _last


def iso(moment: int) -> str:
    """Return a moment as ISO 8601 with microseconds, in UTC: `2026-01-02T03:04:05.000006Z`."""
    text = (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def parse_iso(text: str) -> int:
    """Return the moment that ISO 8601 text names; one without a zone is read as UTC.

    Raises
    ------
    ValueError
        The text is no date and time.
    """
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1)
