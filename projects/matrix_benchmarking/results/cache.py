"""What parsers returned, kept as lines of JSON in one file below the results root.

Each line is a CRC-32 of what follows, in hexadecimal, and a JSON list: path of the result below
the cache's directory, parser, time, files, own facts, what the parser returned. The first line
names the format. A line that does not fit is left out, and its result parsed again.
"""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.results.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE_FILE = "parse_cache.jsonl"

LARGEST = 4 * 1024**3
"""Bytes; a longer cache is neither read nor written."""

_FORMAT = b'"topgallant parse cache 1"'
_FIELDS = 6


def read(directory: str, parser: str) -> dict[str, Entry]:
    """Return the entries of `parser` by the absolute path of their result; none is no error."""
    entries: dict[str, Entry] = {}
    try:
        with open(os.path.join(directory, CACHE_FILE), "rb") as file:
            if os.fstat(file.fileno()).st_size > LARGEST or _content(file.readline()) != _FORMAT:
                return {}
            for line in file:
                _take(line, directory, parser, entries)
    except OSError:
        return {}
    return entries


def _take(line: bytes, directory: str, parser: str, entries: dict[str, Entry]) -> None:
    content = _content(line)
    if content is None:
        return
    try:
        fields = json.loads(content)
        path, made_by, at, files, own, parsed = fields
    except (ValueError, TypeError, RecursionError):
        return
    if made_by == parser:
        full = os.path.join(directory, path) if path != "." else directory
        entries[full] = Entry(files=files, own=own, parsed=parsed, at=at)


def _content(line: bytes) -> bytes | None:
    """Return what a line says, or None when it is not what was written."""
    crc, _, content = line.rstrip(b"\n").partition(b" ")
    return content if crc == b"%08x" % zlib.crc32(content) else None


def write(directory: str, parser: str, entries: Mapping[str, Entry]) -> str | None:
    """Replace the cache by these entries, whole or not at all; return why not, if so.

    A directory that cannot be written to is a reason, no error: results are parsed again then.
    """
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=directory, prefix=f".{CACHE_FILE}.", delete=False
        ) as file:
            temporary = file.name
            file.write(_line(_FORMAT))
            for path, entry in entries.items():
                file.write(_line(_encode(os.path.relpath(path, directory), parser, entry)))
        os.chmod(temporary, 0o644)
        os.replace(temporary, os.path.join(directory, CACHE_FILE))
        return None
    except OSError as error:
        if temporary is not None:
            _remove(temporary)
        return f"{directory}: {error.strerror or error}"


def _encode(path: str, parser: str, entry: Entry) -> bytes:
    fields = [path, parser, entry.at, entry.files, entry.own, entry.parsed]
    return json.dumps(fields, separators=(",", ":")).encode()


def _line(content: bytes) -> bytes:
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
