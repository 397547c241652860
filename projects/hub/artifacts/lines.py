"""Lines of a file by their numbers: an index of where they are, so that any window is quick."""

from __future__ import annotations

import os
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.hub.artifacts.ansi import lines_to_html, style_after

if TYPE_CHECKING:
    from projects.jobs.http.files import OpenFile

BLOCK = 64 << 10
MOST_LINES = 10_000
MOST_BYTES = 4 << 20
LONGEST_LINE = 16 << 10
"""Bytes of a window and of a line; what is more is left out, and said."""

_READ = 16 * BLOCK
_KEPT = 64
_SAMPLE = 4 << 10


@dataclass(frozen=True, slots=True)
class Window:
    """Lines as HTML from the number `first` (counted from 1) on, and how many lines there are."""

    first: int
    total: int
    lines: list[str]


class LineIndex:
    """How many lines begin before each block of a file, which may grow."""

    def __init__(self) -> None:
        self.size = 0
        self.breaks = array("Q", [0])
        """The line breaks before each block, and before the end."""
        self.is_open = False
        self._modified = 0
        self._sample = b""

    def follow(self, descriptor: int, size: int, modified: int) -> None:
        """Count what has been added to the file since; all of it, if it is another file now.

        A number of a file is given to another one as soon as it is removed, and a file may be
        written anew: what was counted has to begin and end as it did.
        """
        known = size == self.size and modified == self._modified
        grown = size > self.size and self._sample == _sample(descriptor, self.size)
        if not known and not grown:
            self.__init__()  # type: ignore[misc]
        self._extend(descriptor, size)
        self._modified, self._sample = modified, _sample(descriptor, self.size)

    def _extend(self, descriptor: int, size: int) -> None:
        if size == self.size:
            return
        full = self.size // BLOCK
        del self.breaks[full + 1 :]
        at = full * BLOCK
        while at < size:
            data = os.pread(descriptor, min(_READ, size - at), at)
            if not data:
                break
            for start in range(0, len(data), BLOCK):
                count = data.count(b"\n", start, start + BLOCK)
                self.breaks.append(self.breaks[-1] + count)
            at += len(data)
        self.size = min(at, size)  # less: it was cut just now
        self.is_open = self.size > 0 and os.pread(descriptor, 1, self.size - 1) != b"\n"

    @property
    def total(self) -> int:
        """How many lines there are; one without a line break at the end of the file is one."""
        return self.breaks[-1] + self.is_open

    def start_of(self, descriptor: int, line: int) -> int:
        """Return where a line begins; lines are counted from 0."""
        if line <= 0:
            return 0
        # The line begins behind the line break number `line`, counted from 1.
        block = bisect_right(self.breaks, line - 1) - 1
        left = line - self.breaks[block]
        at = block * BLOCK
        data = os.pread(descriptor, BLOCK, at)
        position = -1
        for _ in range(left):
            position = data.find(b"\n", position + 1)
            if position < 0:
                return self.size
        return at + position + 1


class LineIndexes:
    """The indexes of the files that were looked at last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, int], tuple[LineIndex, threading.Lock]] = OrderedDict()

    def window(self, file: OpenFile, first: int, count: int) -> Window:
        """Return at most `count` lines from `first` on; 0 and below count from the end."""
        status = os.fstat(file.descriptor)
        key = status.st_dev, status.st_ino
        with self._lock:
            index, lock = self._kept.setdefault(key, (LineIndex(), threading.Lock()))
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        with lock:
            index.follow(file.descriptor, file.size, status.st_mtime_ns)
            return _window(index, file.descriptor, first, min(count, MOST_LINES))


def _window(index: LineIndex, descriptor: int, first: int, count: int) -> Window:
    total = index.total
    begin = first - 1 if first > 0 else total + first - 1
    begin = max(0, min(begin, total))
    end = min(begin + count, total)
    start = index.start_of(descriptor, begin)
    stop = index.start_of(descriptor, end) if end < total else index.size
    data = os.pread(descriptor, min(stop - start, MOST_BYTES), start)
    if len(data) < stop - start:  # whole lines: whoever goes on from there misses nothing
        data = data[: data.rfind(b"\n") + 1] or data
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    lines = lines[:count]
    texts = [_text(line, len(line)) for line in lines]
    if len(lines) == 1:  # it may be longer than was read
        length = (index.start_of(descriptor, begin + 1) if begin + 1 < total else stop) - start
        texts = [_text(lines[0], max(length - 1, len(lines[0])))]
    before = os.pread(descriptor, min(start, BLOCK), max(0, start - BLOCK))
    style = style_after(before.decode("utf-8", "replace"))
    return Window(begin + 1, total, lines_to_html(texts, style))


def _text(line: bytes, length: int) -> str:
    if length <= LONGEST_LINE:
        return line.decode("utf-8", "replace")
    shown = line[:LONGEST_LINE].decode("utf-8", "replace")
    return f"{shown} … ({length - LONGEST_LINE} bytes are left out)"


def _sample(descriptor: int, size: int) -> bytes:
    """Return how the first `size` bytes of a file begin and end."""
    end = os.pread(descriptor, min(_SAMPLE, size), max(0, size - _SAMPLE))
    return os.pread(descriptor, min(_SAMPLE, size), 0) + end
