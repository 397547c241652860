"""Server-sent events, read: bytes in any pieces become messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from projects.hub.sites.site import Said, SiteAway

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PENDING = 4 << 20
"""A message of more bytes than that isn't one of ours."""


class Reader:
    """Puts messages together; source: HTML Living Standard §9.2.6."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[Said]:
        """Yield the messages that `data` completes; comments and what isn't JSON are left out."""
        *blocks, self._pending = (self._pending + data).split(b"\n\n")
        if len(self._pending) > MOST_PENDING:
            raise SiteAway(f"a stream holds a message of more than {MOST_PENDING >> 20} MiB")
        for block in blocks:
            said = _message(block)
            if said is not None:
                yield said


def _message(block: bytes) -> Said | None:
    kind, number, data = "message", None, []
    for line in block.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id" and value.isdecimal() and len(value) <= 18:  # noqa: PLR2004  (64 bits)
            number = int(value)
    if not data:
        return None
    try:
        return Said(kind, json.loads("\n".join(data)), number)
    except ValueError:
        return None
