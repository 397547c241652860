"""The three standard streams at the beginning and the end of a call, closed or full as they are."""

from __future__ import annotations

import os
import sys

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed() -> None:
    """Put /dev/null where a stream is closed.

    Otherwise the first files that are opened get its number, and a child that inherits it would
    write into them.
    """
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - to the very end
            setattr(sys, name, stream)


def let_go() -> None:
    """Give up what a stream refuses to take.

    Python flushes both once more at its end and, where that fails, exits with 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _discard(stream.fileno())


def reader_has_left() -> bool:
    """Say whether stdout is a pipe that nobody reads any more, as after `head`."""
    import select

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)  # errors are told without being asked for
    except (OSError, ValueError):
        return False
    return any(events & select.POLLERR for _, events in poll.poll(0))


def _discard(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
