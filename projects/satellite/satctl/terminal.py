"""What jobs print, on a terminal: colours and all text, nothing that commands the terminal.

Whoever looks at a job that somebody shares would else have their title, their clipboard or what is
on their screen changed by it. A file or a pipe gets the bytes as they are.
"""

from __future__ import annotations

import re

_KEPT = rb"\x1b\[[0-9;:]{0,64}m"
_BEGUN = re.compile(rb"(?:\x1b(?:\[[0-9;:]{0,64})?|\xc2)\Z")
_COMMANDS = re.compile(
    rb"(%s)|\x1b|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\xc2[\x80-\x9f]" % _KEPT
)
"""Colours, which stay; other controls, of C0 and, in UTF-8, of C1. Not: tab, line feed, return."""


class Terminal:
    """Takes pieces as they come: a sequence may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def shown(self, piece: bytes) -> bytes:
        """Return what of a piece can be shown by now."""
        data = self._rest + piece
        begun = _BEGUN.search(data)
        end = begun.start() if begun else len(data)
        self._rest = data[end:]
        return _COMMANDS.sub(_shown, data[:end])

    def end(self) -> bytes:
        """Return what was held back."""
        rest, self._rest = self._rest, b""
        return _COMMANDS.sub(_shown, rest)


def _shown(found: re.Match[bytes]) -> bytes:
    if found[1]:
        return found[1]
    code = found[0][-1]
    if code in range(0x80, 0xA0):
        return b"\\x%02x" % code
    # The pictures of control codes, U+2400 and on.
    return chr(0x2421 if code == 0x7F else 0x2400 + code).encode()  # noqa: PLR2004  (DEL)
