"""Log files that stay bounded while a job writes to them: the head and the newest tail are kept."""

from __future__ import annotations

import os

from projects.jobs.process import kernel

OUTPUT_BYTES = 1 << 30
"""How large each log file of a job may become, unless its order says otherwise."""

BLOCK = 4096
_CHUNK = 1 << 20


class BoundedLog:
    """A log file held open beside the job that appends to it.

    Half of `limit` is kept of the head; of the rest a quarter or more, the newest. While the job
    runs the middle is a hole (the disk has it back, the apparent size grows on); at the end the
    file is head, one line that says how much is missing, and tail.
    """

    __slots__ = ("_descriptor", "_head", "_hole_end", "_limit")

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._limit = max(limit, 4 * BLOCK)
        self._head = _down(self._limit // 2)
        self._hole_end = self._head

    def check(self) -> bool:
        """Give the middle back when there is too much; False where the file system can't."""
        size = os.fstat(self._descriptor).st_size
        if size - (self._hole_end - self._head) <= self._limit:
            return True
        end = _down(size - self._limit // 4)
        if not kernel.punch_hole(self._descriptor, self._hole_end, end - self._hole_end):
            return False
        self._hole_end = end
        return True

    def compact(self) -> int:
        """Close the hole; return how many bytes were left out.

        The tail is moved within the file, so that what a reader follows stays the same file.
        """
        size = os.fstat(self._descriptor).st_size
        if size <= self._limit:
            return 0
        source = max(self._hole_end, size - self._limit // 4)
        left_out = source - self._head
        line = f"\n[… {left_out} bytes left out …]\n".encode()
        # Not through the descriptor of the job: O_APPEND would write at the end.
        with open(f"/proc/self/fd/{self._descriptor}", "r+b", buffering=0) as file:
            target = self._head
            os.pwrite(file.fileno(), line, target)
            target += len(line)
            while part := os.pread(file.fileno(), _CHUNK, source):
                os.pwrite(file.fileno(), part, target)
                source += len(part)
                target += len(part)
            file.truncate(target)
        return left_out

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def _down(offset: int) -> int:
    return offset // BLOCK * BLOCK
