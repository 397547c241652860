"""Ids of jobs and submissions: random UUIDs, shown as 22 base64url characters.

Source: RFC 9562 §5.4 (UUID version 4), RFC 4648 §5 (base64url, here without padding).
"""

from __future__ import annotations

import base64
import binascii
import uuid

from projects.core.errors import UsageError

LENGTH = 22


def new() -> str:
    """Return a fresh id: 22 characters."""
    return from_bytes(uuid.uuid4().bytes)


def to_bytes(identity: str) -> bytes:
    """Return the 16 bytes of an id that `new` or `parse` gave."""
    return base64.urlsafe_b64decode(identity + "==")


def from_bytes(data: bytes) -> str:
    """Return the 22 characters of 16 bytes."""
    return base64.urlsafe_b64encode(data)[:LENGTH].decode("ascii")


def uuid_form(identity: str) -> str:
    """Return the same id as a UUID is usually written."""
    return str(uuid.UUID(bytes=to_bytes(identity)))


def parse(text: str) -> str:
    """Return the id that `text` writes, as 22 characters or as a UUID.

    Raises
    ------
    UsageError
        It is neither, or not a UUID of version 4.
    """
    data = _read(text)
    if data is None or uuid.UUID(bytes=data).version != 4:  # noqa: PLR2004
        raise UsageError(
            f"{text[:60]!r} is not an id: give 22 letters, digits, - and _, as in "
            "kw0dZmh4R42lb2yZH7kGBA, or a UUID"
        )
    return from_bytes(data)


def _read(text: str) -> bytes | None:
    try:
        if len(text) == LENGTH:
            data = base64.b64decode(text + "==", altchars=b"-_", validate=True)
            return data if from_bytes(data) == text else None
        return uuid.UUID(text).bytes if len(text) == 36 else None  # noqa: PLR2004
    except (ValueError, binascii.Error):
        return None
