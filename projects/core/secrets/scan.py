"""The search for secrets in a tree of files, before it leaves the machine."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import unreadable
from projects.core.secrets.masking import mask, registered
from projects.core.secrets.needles import CONTEXT
from projects.core.secrets.sieve import SMALLEST, line_ends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.core.secrets.needles import Needles

BLOCK = SMALLEST
"""Bytes read at a time: enough to be searched fast, few enough for the cache of a core."""

MOST = 1000
"""Leaks that are listed; more are not looked for."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """A place that shows a secret.

    `path` is relative to the scanned root and masked; `line` counts from 1 (0: the name itself);
    `form` is how the secret is written there: plain, line, value, json, url, html, quoted, base64;
    `name` for a file's name, `link` for a symbolic link that leaves the root.
    """

    path: str
    line: int
    secret_name: str
    form: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        if self.form == "link":
            return f"{place}: links to {self.secret_name}, outside"
        return f"{place}: the secret {self.secret_name or 'without a name'} ({self.form})"


class Scanner:
    """Bytes of one file, given in blocks; `leaks` is what was found so far.

    One leak per line and secret. What is in gzip is searched as it is and unpacked, in bounded
    memory; a damaged gzip is searched as far as it can be unpacked.
    """

    def __init__(self, path: str, needles: Needles) -> None:
        self.leaks: dict[tuple[int, str], Leak] = {}
        self._path = path
        self._needles = needles
        self._lines = 0
        self._kept = b""
        # A needle that spans blocks, with the line breaks of base64 and what must stand before.
        self._overlap = 2 * needles.longest + 2 * CONTEXT
        self._first = True
        self._inner: Scanner | None = None
        self._unpacker: zlib._Decompress | None = None

    def feed(self, block: bytes) -> None:
        """Search `block` together with the end of what came before."""
        if not block:
            return
        if self._first:
            self._first = False
            if is_packed(block):
                self._inner = Scanner(self._path, self._needles)
                self._unpacker = _unpacker()
        data = self._kept + block
        known = len(self._kept)
        for start, end, needle in self._needles.find(data):
            if end > known:
                self._note(self._lines + data.count(b"\n", 0, start) + 1, needle)
        self._kept = data[-self._overlap :]
        self._lines += _line_ends(data, len(data) - len(self._kept))
        if self._inner is not None:
            self._feed_inner(block)

    def _note(self, line: int, needle: bytes) -> None:
        name, form = self._needles.origin[needle]
        if len(self.leaks) < MOST:
            self.leaks.setdefault((line, name), Leak(self._path, line, name, form))

    def _feed_inner(self, block: bytes) -> None:
        while block and self._unpacker is not None and self._inner is not None:
            try:
                self._inner.feed(self._unpacker.decompress(block, BLOCK))
            except zlib.error:
                self._unpacker = None
                break
            if self._unpacker.eof:  # members may follow each other
                block = self._unpacker.unused_data
                self._unpacker = _unpacker()
            else:
                block = self._unpacker.unconsumed_tail
        for place, leak in self._inner.leaks.items() if self._inner else ():
            self.leaks.setdefault(place, leak)


def is_packed(beginning: bytes) -> bool:
    """Tell whether this is the beginning of a gzip, in which a search has to look too."""
    return beginning.startswith(_GZIP)


def _line_ends(data: bytes, end: int) -> int:
    return line_ends(data, end) if len(data) >= SMALLEST else data.count(b"\n", 0, end)


def _unpacker() -> zlib._Decompress:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def scan(root: Path) -> list[Leak]:
    """Return the places below `root` that show a registered secret, sorted, at most MOST.

    Searched are contents, names, and what gzip holds; links are not followed, those that leave
    `root` are leaks of form `link`. Bytes are read once, a block at a time.

    Errors
    ------
    InfrastructureError
        A file or directory cannot be read.
    """
    leaks: list[Leak] = []
    real_root = os.path.realpath(root)
    for relative in files_below(root):
        leaks += scan_name(relative)
        path = os.path.join(root, relative)
        if os.path.islink(path):
            leaks += link_leak(real_root, relative)
        elif os.path.isfile(path):
            leaks += scan_file(path, relative)
        if len(leaks) >= MOST:
            break
    return sorted(leaks)[:MOST]


def files_below(root: Path | str) -> Iterator[str]:
    """Yield what is below `root` and no directory, links to directories included, sorted."""

    def refuse(error: OSError) -> None:
        raise unreadable(error.filename, error)

    for directory, directories, files in os.walk(root, onerror=refuse):
        directories.sort()
        links = [d for d in directories if os.path.islink(os.path.join(directory, d))]
        for name in sorted([*files, *links]):
            yield os.path.relpath(os.path.join(directory, name), root)


def scan_name(relative: str) -> list[Leak]:
    """Return a leak for each secret in the name of a file."""
    needles = registered()
    found = {needles.origin[hit.needle][0] for hit in needles.find(os.fsencode(relative))}
    return [Leak(mask(relative), 0, name, "name") for name in sorted(found)]


def link_leak(real_root: str, relative: str) -> list[Leak]:
    """Return a leak if the link leads out of `real_root`, a resolved path."""
    target = os.path.realpath(os.path.join(real_root, relative))
    if os.path.commonpath([real_root, target]) == real_root:
        return []
    return [Leak(mask(relative), 0, mask(target), "link")]


def scan_file(path: Path | str, relative: str) -> list[Leak]:
    """Return the leaks of one file; `relative` is what they call it."""
    scanner = Scanner(mask(relative), registered())
    try:
        with open(path, "rb", buffering=0) as file:
            while block := file.read(BLOCK):
                scanner.feed(block)
    except OSError as error:
        raise unreadable(path, error) from None
    return sorted(scanner.leaks.values())
