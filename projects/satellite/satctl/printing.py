"""What satctl prints on stdout: the JSON that it got, indented; logs as they are."""

from __future__ import annotations

import json
import sys
from typing import Any


def show(answer: bytes) -> int:
    """Print an answer, every key and value as it came; return the exit status for success."""
    raw(json_bytes(json.loads(answer), indent=2) + b"\n")
    return 0


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return a value as JSON in UTF-8; half a surrogate pair stays an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def data_of(answer: bytes) -> Any:
    """Return what the envelope of an answer holds."""
    return json.loads(answer)["data"]


def text(value: str) -> int:
    """Print text; return the exit status for success."""
    raw(value.encode("utf-8", "backslashreplace"))
    return 0


def raw(data: bytes) -> None:
    """Write bytes to stdout at once.

    Raises
    ------
    InfrastructureError
        It takes none.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        from projects.core.errors import unreadable

        raise unreadable("stdout", error) from None
