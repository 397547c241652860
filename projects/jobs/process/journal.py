"""The journal of a runner: what it will do, has started, has seen end; locked while it lives.

A line is written before what it announces is done (`intent`) and as soon as it is true (`start`,
`end`): it survives every process here, though not the machine (no fsync: after a reboot nothing
that it tells of runs). When a runner dies its guardian, the spawner or the server, writes on.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from projects.jobs.process import wire

if TYPE_CHECKING:
    from typing import Any

ROOMY = 1 << 18
"""Bytes above which settled lines are cut off even though others are not settled."""


class Journal:
    """An open journal of which this process holds the lock.

    Attributes
    ----------
    lines
        Those not yet settled, with the sequence number of their attempt.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self.lines: list[tuple[int, str]] = []
        self._descriptor = descriptor
        self._size = 0
        self._unwritten = b""

    @classmethod
    def create(cls, path: str) -> Journal:
        """Make a new journal."""
        return cls(path, _create(path))

    def append(self, sequence: int, line: str) -> OSError | None:
        """Write a line; where the disk is full it is kept, and written with the next."""
        self.lines.append((sequence, line))
        data = self._unwritten + line.encode() + b"\n"
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._unwritten = data
            return error
        self._size += written
        self._unwritten = data[written:]
        if self._unwritten:
            return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return None

    def settle(self, sequence: int) -> None:
        """Forget the attempts up to that number; the file is cut when that is cheap."""
        self.lines = [entry for entry in self.lines if entry[0] > sequence]
        try:
            if not self.lines and self._size:
                os.ftruncate(self._descriptor, 0)
                self._size = 0
                self._unwritten = b""
            elif self._size > ROOMY:
                self._rewrite()
        except OSError:
            return  # a full disk: it stays long

    def _rewrite(self) -> None:
        data = "".join(line + "\n" for _, line in self.lines).encode()
        if len(data) > ROOMY // 2:
            return
        fresh = self.path + ".new"
        descriptor = _create(fresh)
        if os.write(descriptor, data) < len(data):
            os.close(descriptor)
            return
        os.rename(fresh, self.path)  # the new one is locked before it has the name
        os.close(self._descriptor)
        self._descriptor = descriptor
        self._size = len(data)
        self._unwritten = b""

    def close(self) -> None:
        """Let go of the lock; the file stays."""
        os.close(self._descriptor)

    def leave(self) -> None:
        """Let go for good: without anything unsettled there is no reason to leave a trace."""
        if not self.lines:
            remove(*os.path.split(self.path.removesuffix(".journal")))
        self.close()


def _create(path: str) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def take_over(path: str) -> tuple[Journal, list[dict[str, Any]]] | None:
    """Return the journal of a dead runner with all its lines; None while somebody holds it.

    A last line without its end was never said, and is passed over.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(descriptor).st_ino == os.stat(path).st_ino
    except OSError:
        same = False  # held, or replaced by its owner meanwhile
    if not same:
        os.close(descriptor)
        return None
    data = _whole(descriptor)
    journal = Journal(path, descriptor)
    if data and not data.endswith(b"\n"):
        journal._unwritten = b"\n"  # noqa: SLF001  (so that the next line is one of its own)
    return journal, parse(data)


def peek(path: str) -> list[dict[str, Any]]:
    """Return the lines of a journal that somebody else writes; none when it is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return []
    try:
        return parse(_whole(descriptor))
    finally:
        os.close(descriptor)


def parse(data: bytes) -> list[dict[str, Any]]:
    """Return the lines that are whole."""
    found = []
    for line in data.split(b"\n"):
        try:
            value = wire.decode(line.decode())
        except ValueError:
            continue
        if isinstance(value, dict) and {"t", "n", "a"} <= value.keys():
            found.append(value)
    return found


def _whole(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    parts = []
    offset = 0
    while offset < size and (part := os.pread(descriptor, size - offset, offset)):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def remove(directory: str, name: str) -> None:
    """Delete what a runner leaves in its directory: journal and socket."""
    for ending in (".journal", ".journal.new", ".sock"):
        _unlink(os.path.join(directory, name + ending))


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
