"""Many small contents in one body: lines `SHA256 SIZE`, each followed by so many bytes; pure."""

from __future__ import annotations

import hashlib
import re

from projects.hub.artifacts.values import SMALL
from projects.jobs.http.refusals import Invalid

MOST_BYTES = 8 << 20
MOST = 4096
_HEAD = re.compile(rb"([0-9a-f]{64}) (\d{1,6})\n")


def decode(body: bytes) -> dict[bytes, bytes]:
    """Return the contents of a batch by their SHA-256, each compared with it.

    Raises
    ------
    Invalid
        It isn't a batch, one of the contents is too large, or not what was said.
    """
    found: dict[bytes, bytes] = {}
    at, end = 0, len(body)
    while at < end:
        head = _HEAD.match(body, at)
        if head is None:
            raise _wrong(f"at byte {at}: a line with SHA-256 and size is wanted")
        size = int(head[2])
        if size > SMALL:
            raise _wrong(f"at byte {at}: {size} bytes, of at most {SMALL}; send it by itself")
        at = head.end()
        if at + size > end:
            raise _wrong(f"at byte {at}: {end - at} bytes are left of {size}")
        content = body[at : at + size]
        sha256 = hashlib.sha256(content).digest()
        if sha256.hex().encode() != head[1]:
            raise _wrong(f"at byte {at}: the content is not that of {head[1].decode()}")
        found[sha256] = content
        at += size
        if len(found) > MOST:
            raise _wrong(f"more than {MOST} contents")
    return found


def _wrong(said: str) -> Invalid:
    return Invalid(f"the batch can't be used, {said}; nothing of it was kept")
