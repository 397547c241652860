"""Many byte strings searched at once, in time that hardly grows with their number."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple

from projects.core.secrets.sieve import SMALLEST, Sieve, runs_to_line_end

if TYPE_CHECKING:
    from collections.abc import Iterable

GRAM = 4
SURE = 2 * GRAM - 1
"""Bytes; a string of this length covers a whole aligned gram wherever it begins."""

_BASE64 = rb"[A-Za-z0-9+/_-]"
_COLUMNS = 60
SOFT_BREAK = re.compile(
    rb"\r\n(?<=%(c)s{%(n)d}\r\n)[ \t]*|\n(?<=%(c)s{%(n)d}\n)[ \t]*|\r(?<=%(c)s{%(n)d}\r)\Z"
    % {b"c": _BASE64, b"n": _COLUMNS}
)
"""A line break inside base64: MIME breaks at 76 columns, PEM at 64, YAML indents what follows."""

_CLASSES = bytes(
    ord("a") if re.match(_BASE64, bytes((byte,))) else byte if byte in b"\r\n" else ord(" ")
    for byte in range(256)
)
_LONG_LINES = (b"a" * _COLUMNS + b"\n", b"a" * _COLUMNS + b"\r")

CONTEXT = _COLUMNS + 2
"""Bytes before a place that decide whether a line break there is a soft one."""


def has_soft_break(data: bytes) -> bool:
    """Tell what a search for SOFT_BREAK would, some ten times faster where there is none."""
    if b"\n" not in data and b"\r" not in data:
        return False
    if len(data) >= SMALLEST:
        return runs_to_line_end(data, _CLASSES, _COLUMNS) and bool(SOFT_BREAK.search(data))
    classes = data.translate(_CLASSES)
    return any(line in classes for line in _LONG_LINES) and bool(SOFT_BREAK.search(data))


class Hit(NamedTuple):
    """A needle found in data, from `start` to before `end`."""

    start: int
    end: int
    needle: bytes


class Needles:
    """The strings to search for.

    Data is looked at in steps of GRAM bytes: a needle of at least SURE bytes contains the gram at
    one of the steps, at one of its first GRAM offsets, so four entries of a dictionary per needle
    find it wherever it is. Whether none of the steps is in the dictionary is one call into C; large
    data go through a Sieve. Shorter needles, which there are few of, are searched one by one.
    """

    def __init__(self) -> None:
        self.origin: dict[bytes, tuple[str, str]] = {}
        self.longest = 0
        self._at_gram: dict[int, list[tuple[int, bytes]]] = {}
        self._short: list[bytes] = []
        self._by_head: dict[bytes, list[bytes]] = {}
        self._sieve: Sieve | None = None

    def __len__(self) -> int:
        return len(self.origin)

    def add(self, needle: bytes, name: str, form: str) -> None:
        """Search for `needle` from now on; the first name and form of a needle stay."""
        if needle in self.origin:
            return
        # Readers in other threads take no lock: lists and dictionaries only grow, and `origin`
        # comes first because a hit is looked up in it.
        self.origin[needle] = (name, form)
        self.longest = max(self.longest, len(needle))
        for length in range(1, GRAM + 1):
            self._by_head.setdefault(needle[:length], []).append(needle)
        if len(needle) < SURE:
            self._short.append(needle)
            return
        for offset in range(GRAM):
            gram = int.from_bytes(needle[offset : offset + GRAM], sys.byteorder)
            self._at_gram.setdefault(gram, []).append((offset, needle))

    def find(self, data: bytes) -> list[Hit]:
        """Return where needles are, also overlapping ones, also base64 across line breaks."""
        if not self.origin:
            return []
        hits = self._find_plain(data)
        if has_soft_break(data):
            joined = Joined(data)
            for start, end, needle in self._find_plain(joined.data):
                hits.append(Hit(joined.original(start), joined.original(end - 1) + 1, needle))
        return hits

    def _find_plain(self, data: bytes) -> list[Hit]:
        hits: list[Hit] = []
        for needle in self._short:
            start = data.find(needle)
            while start >= 0:
                hits.append(Hit(start, start + len(needle), needle))
                start = data.find(needle, start + 1)
        at_gram = self._at_gram
        for step, gram in self._candidates(data):
            if gram in at_gram:
                for offset, needle in at_gram[gram]:
                    start = step * GRAM - offset
                    if start >= 0 and data.startswith(needle, start):
                        hits.append(Hit(start, start + len(needle), needle))
        return hits

    def _candidates(self, data: bytes) -> Iterable[tuple[int, int]]:
        """Return steps and grams, all at which a needle can be among them."""
        if len(data) < SMALLEST or not self._at_gram:
            grams = memoryview(data)[: len(data) // GRAM * GRAM].cast("I")
            return () if self._at_gram.keys().isdisjoint(grams) else enumerate(grams)
        sieve = self._sieve
        if sieve is None or sieve.count != len(self._at_gram):
            sieve = self._sieve = Sieve(list(self._at_gram))
        return sieve.candidates(data)

    def undecided(self, data: bytes) -> int:
        """Return from where on `data` may be the beginning of a needle that is not all there."""
        first = self._undecided_plain(data)
        if has_soft_break(data):
            joined = Joined(data)
            start = self._undecided_plain(joined.data)
            if start < len(joined.data):
                first = min(first, joined.original(start))
        return first

    def _undecided_plain(self, data: bytes) -> int:
        length = len(data)
        by_head = self._by_head
        for start in range(max(0, length - self.longest + 1), length):
            needles = by_head.get(data[start : start + GRAM])
            if needles:
                rest = data[start:]
                if any(len(n) > len(rest) and n.startswith(rest) for n in needles):
                    return start
        return length


class Joined:
    """Data without its soft line breaks, and where each byte of it was."""

    def __init__(self, data: bytes) -> None:
        self._cuts: list[tuple[int, int]] = []
        kept: list[bytes] = []
        begin = removed = 0
        for found in SOFT_BREAK.finditer(data):
            kept.append(data[begin : found.start()])
            removed += found.end() - found.start()
            self._cuts.append((found.end() - removed, removed))
            begin = found.end()
        kept.append(data[begin:])
        self.data = b"".join(kept)

    def original(self, position: int) -> int:
        """Return the place in the original data of the byte at `position`."""
        from bisect import bisect_right

        cut = bisect_right(self._cuts, position, key=lambda one: one[0])
        return position + (self._cuts[cut - 1][1] if cut else 0)
