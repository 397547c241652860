"""A child process that is followed to its end: its pipes are read, its group is stopped."""

from __future__ import annotations

import codecs
import os
import select
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from projects.core.processes import output
from projects.core.processes.lines import LineBuffer
from projects.core.secrets.masking import StreamMasker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.processes.cancellation import Watch
    from projects.core.processes.output import Stream

CHUNK = 64 * 1024
"""Bytes read at once: what a pipe holds."""

DRAIN, QUIET = 1.0, 0.2
"""Seconds that a pipe is still read, at most and in silence, once the process has ended."""

GIVE_UP = 5.0
"""Seconds after SIGKILL until a process that does not end (another user's) is left behind."""

_NEVER = float("inf")
_SCAN = 0.02  # seconds between two looks at who is left of a group that is being stopped
_NO_PIDFD = 0.02  # seconds between two looks at the process where the system has no pidfd


class Reader(Protocol):
    """What takes the output of a child."""

    def feed(self, chunk: bytes) -> object:
        """Take some bytes."""

    def close(self) -> object:
        """Take note that nothing more comes."""


class Captured:
    """Output that is kept whole, for the caller who asked for it."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Keep `chunk`."""
        self.data += chunk

    def close(self) -> None:
        """Do nothing."""


class Streamed:
    """Output that goes to the logs of this context and the terminal: masked, in whole lines."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._masker = StreamMasker()
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._buffer = LineBuffer(str)  # it is masked already

    def feed(self, chunk: bytes) -> None:
        """Deliver the lines that `chunk` completes."""
        lines = self._buffer.feed(self._decoder.decode(self._masker.feed(chunk)))
        if lines:
            output.deliver(lines, self._stream)

    def close(self) -> None:
        """Deliver what is left, as a line."""
        lines = self._buffer.feed(self._decoder.decode(self._masker.close(), final=True))
        lines += self._buffer.close()
        if lines:
            output.deliver(lines, self._stream)


class Tail:
    """The end of an output, for the error message; not masked."""

    MOST = 64 * 1024

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Remember `chunk`, forget what is too long ago."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        while self._size - len(self._chunks[0]) >= self.MOST:
            self._size -= len(self._chunks.popleft())

    def text(self) -> str:
        """Return the last characters, at least the last `MOST` bytes of them."""
        return b"".join(self._chunks).decode("utf-8", "backslashreplace")


class Stop(Enum):
    """Why a process was ended by us."""

    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    ERROR = "error"


class Child:
    """A process that leads its own group, followed by the thread that started it.

    `pipes` maps the descriptors to read from to who takes what comes; they are closed at the end.
    The process is reaped only after the last signal to its group, so that no id is reused before.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], pipes: dict[int, Reader], watch: Watch
    ) -> None:
        self.stop: Stop | None = None
        self.tail = Tail()
        self._process = process
        self._pipes = pipes
        self._watch = watch
        self._poll = select.poll()
        self._limit = self._kill_at = _NEVER
        self._ended_at: float | None = None
        self._read_at = 0.0
        self._pidfd = _pidfd(process.pid)
        watch.follow_group(process.pid)

    def follow(self, limit: float) -> None:
        """Read and wait until the end; past the moment `limit`, or when cancelled, end the group.

        `stop` says why, if it was ended. An exception in here (a `KeyboardInterrupt`) ends the
        group and goes on.
        """
        self._limit = limit
        for descriptor in (self._watch.fileno(), self._pidfd, *self._pipes):
            if descriptor >= 0:
                self._poll.register(descriptor, select.POLLIN)
        try:
            self._loop()
        except BaseException:
            self._begin_stop(Stop.ERROR)
            self._loop()
            raise
        finally:
            self._finish()

    def _loop(self) -> None:
        while (wait := self._patience(time.monotonic())) is not None:
            self._serve(wait)
        last = time.monotonic() + DRAIN
        while self._pipes and self._serve(0) and time.monotonic() < last:
            pass

    def _patience(self, now: float) -> float | None:
        """Return how many seconds there may be nothing to decide, None when it is over."""
        if self.stop is None and self._ended_at is None:
            if now < self._limit:
                return self._limit - now
            self._begin_stop(Stop.TIMEOUT)
        if self.stop is not None:
            return self._patience_with_stopped(now)
        if not self._pipes or self._ended_at is None:
            return None
        last = min(self._ended_at + DRAIN, max(self._ended_at, self._read_at) + QUIET)
        return last - now if now < last else None

    def _patience_with_stopped(self, now: float) -> float | None:
        if self._ended_at is not None and not any(_others(self._process.pid)):
            return None
        look = _NEVER if self._ended_at is None else _SCAN
        if now < self._kill_at:
            return min(look, self._kill_at - now)
        self._watch.signal_group(signal.SIGKILL)
        given_up = self._kill_at + GIVE_UP
        return min(look, given_up - now) if now < given_up else None

    def _serve(self, seconds: float) -> bool:
        """Wait so long for something to happen and take it; tell whether there was anything."""
        if self._pidfd < 0 and self._ended_at is None:
            seconds = min(seconds, _NO_PIDFD)
        # Rounded up, or the last millisecond would be spent spinning; a day is what poll() takes.
        ready = self._poll.poll(min(seconds, 86_400) * 1000 + 1 if seconds else 0)
        for descriptor, _ in ready:
            if descriptor == self._pidfd:
                self._poll.unregister(descriptor)
                self._ended_at = time.monotonic()
            elif descriptor == self._watch.fileno():
                self._poll.unregister(descriptor)
                self._begin_stop(Stop.CANCELLED)
            else:
                self._read(descriptor)
        if self._pidfd < 0 and self._ended_at is None and _is_over(self._process):
            self._ended_at = time.monotonic()
        return bool(ready)

    def _read(self, pipe: int) -> None:
        chunk = os.read(pipe, CHUNK)
        if chunk:
            self._read_at = time.monotonic()
            self.tail.feed(chunk)
            self._pipes[pipe].feed(chunk)
        else:
            self._poll.unregister(pipe)
            self._close(pipe)

    def _close(self, pipe: int) -> None:
        os.close(pipe)
        self._pipes.pop(pipe).close()

    def _begin_stop(self, reason: Stop) -> None:
        if self.stop is None:
            self.stop = reason
            self._watch.signal_group(signal.SIGTERM)
            self._kill_at = time.monotonic() + self._watch.scope.grace

    def _finish(self) -> None:
        if self.stop is not None:
            self._watch.signal_group(signal.SIGKILL)  # who has joined since the last look
        self._watch.leave_group()
        with suppress(subprocess.TimeoutExpired):  # given up
            self._process.wait(timeout=None if self._ended_at is not None else 0)
        if self._pidfd >= 0:
            os.close(self._pidfd)
        for pipe in tuple(self._pipes):
            self._close(pipe)


def _pidfd(pid: int) -> int:
    """Return a descriptor that is readable once the process has ended, -1 where there is none."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux; or forbidden in this container
        return -1


def _is_over(process: subprocess.Popen[bytes]) -> bool:
    if hasattr(os, "waitid"):
        # WNOWAIT leaves it as a zombie, which keeps the id of its group from being reused.
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None
    return process.poll() is not None


def _others(group: int) -> Iterator[int]:
    """Yield who is alive in a process group beside its leader; nobody where there is no /proc."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return
    for name in names:
        if name.isdigit() and int(name) != group:
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # proc(5): the name in parentheses may hold anything; then state, parent, group.
                state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
                if int(its_group) == group and state not in b"ZX":
                    yield int(name)
