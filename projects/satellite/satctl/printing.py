"""What satctl prints on stdout: the JSON that it got, indented; logs, as they are or safely."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from projects.satellite.satctl.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTROL = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls of C1, and marks that turn text around."""


def show(answer: bytes) -> int:
    """Print an answer, every key and value as it came; return the exit status for success."""
    raw(json_bytes(json.loads(answer), indent=2) + b"\n")
    return 0


def json_bytes(value: Any, indent: int | None = None) -> bytes:
    """Return a value as JSON in UTF-8; half a surrogate pair stays an escape."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    # JSON escapes the controls below U+0020; terminals know more.
    return _CONTROL.sub(_escaped, text).encode("utf-8", "backslashreplace")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def data_of(answer: bytes) -> Any:
    """Return what the envelope of an answer holds."""
    return json.loads(answer)["data"]


def log(pieces: Iterable[bytes]) -> int:
    """Print a log as it is; on a terminal without what would command it. Return the status."""
    if not sys.stdout.isatty():
        for piece in pieces:
            raw(piece)
        return 0
    terminal = Terminal()
    for piece in pieces:
        raw(terminal.shown(piece))
    raw(terminal.end())
    return 0


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
