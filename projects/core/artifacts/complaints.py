"""Problems of the record keeping itself: said once on stderr, while the run goes on."""

from __future__ import annotations

import contextlib
import sys
import threading

_said: set[str] = set()
_lock = threading.Lock()


def complain(what: str, error: BaseException | str) -> None:
    """Say `what: reason` on stderr, unless the same has been said before in this process."""
    reason = error if isinstance(error, str) else _reason(error)
    message = f"topgallant: {what}: {reason}"
    with _lock:
        if message in _said:
            return
        _said.add(message)
    # A closed or full stderr leaves nobody to complain to.
    with contextlib.suppress(Exception):
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


def forget() -> None:
    """Forget what has been said; for tests."""
    _said.clear()


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"
