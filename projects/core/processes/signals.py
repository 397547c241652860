"""SIGINT, SIGTERM and SIGHUP of the whole program: everything is stopped, twice kills."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from projects.core import errors
from projects.core.processes import attention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from projects.core.processes.cancellation import Scope

_HANDLED = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    # The terminal is gone: for us the same as being told to end, with the same exit status.
    signal.SIGHUP: signal.SIGTERM,
}


def _keep_quiet(_text: str) -> None:
    """Announce nothing."""


@contextmanager
def handling(root: Scope, announce: Callable[[str], object] = _keep_quiet) -> Iterator[None]:
    """Turn signals into the cancellation of `root` while the block runs; for the roof only.

    `root` is the scope that the main thread has entered around this.

    The first signal cancels `root`: processes get SIGTERM, waits end, and the main thread raises
    `Interrupted` where it is, or behind the `Parallel` that it waits for, once its tasks have
    cleaned up. Another signal sends SIGKILL to all processes at once and interrupts what still
    cleans up. At the end no process of `root` is left, and the previous handlers are back.
    `announce` is called at once, within the handler, with what people should know.

    A signal that was ignored stays ignored (`nohup`). Outside of the main thread, where Python
    cannot handle signals, only the end is taken care of.
    """
    previous = _install(_handler(root, announce))
    try:
        yield
    finally:
        root.close()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _install(handler: signal._HANDLER) -> dict[signal.Signals, signal._HANDLER]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    previous: dict[signal.Signals, signal._HANDLER] = {}
    for number in _HANDLED:
        before = signal.getsignal(number)
        if before not in (signal.SIG_IGN, None):  # None: set by something that isn't Python
            previous[number] = before
            signal.signal(number, handler)
    return previous


def _first_words(number: signal.Signals) -> str:
    if number == signal.SIGINT:
        return "stopping: cleaning up (Ctrl-C again kills)"
    return f"stopping: cleaning up after {number.name} (again, it kills)"


def _handler(root: Scope, announce: Callable[[str], object]) -> signal._HANDLER:
    came_before = False

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - its signature
        nonlocal came_before
        insist, came_before = came_before, True
        name = signal.Signals(number).name
        counted = _HANDLED[signal.Signals(number)]
        if insist:
            announce("stopping: killing what still runs")
            root.kill(f"interrupted by {name}, again", counted)
        else:
            announce(_first_words(counted))
            root.cancel(f"interrupted by {name}", counted)
        if not attention.main_thread_notices(insist=insist):
            root.take()
            raise errors.Interrupted(counted)

    return handle
