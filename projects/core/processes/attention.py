"""Who raises when a signal comes: the handler at once, or what the main thread is busy with."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from projects.core.processes import cancellation

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Attention:
    """How the main thread takes a signal right now; only that thread reads and writes it."""

    __slots__ = ("shielded", "waiting")

    def __init__(self) -> None:
        self.shielded = 0
        self.waiting = 0


_attention = _Attention()


class shielded:  # noqa: N801 - used like a function, a class for its speed
    """A short section of the main thread that notices cancellation by itself, at its end."""

    __slots__ = ("_main",)

    def __enter__(self) -> None:
        self._main = threading.get_ident() == cancellation.MAIN_THREAD
        if self._main:
            _attention.shielded += 1

    def __exit__(self, *exception: object) -> None:
        if self._main:
            _attention.shielded -= 1
            if not _attention.shielded and not _attention.waiting:
                cancellation.current().checkpoint()


@contextmanager
def waiting() -> Iterator[None]:
    """Begin a section of the main thread that waits for others and ends with a cancellation."""
    main = threading.get_ident() == cancellation.MAIN_THREAD
    _attention.waiting += main
    try:
        yield
    finally:
        _attention.waiting -= main


def main_thread_notices(*, insist: bool) -> bool:
    """Tell a signal handler whether the main thread will see the cancellation without it."""
    return bool(_attention.shielded or (_attention.waiting and not insist))
