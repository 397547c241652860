"""Text that comes in pieces, given on in whole lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1024 * 1024
"""A line with more characters is given on in parts, without invented line ends."""

KEPT = 64 * 1024
"""Characters that stay back of such a line, so that a secret at the cut is still seen whole."""

PROGRESS_INTERVAL = 1.0
"""Seconds between two states of a line that rewrites itself with carriage returns."""


class LineBuffer:
    r"""Collect text, return whole lines; what is incomplete stays until its end comes.

    `clean` is applied to everything that is returned. A line that rewrites itself (`10%\r20%\r`)
    becomes one line per `PROGRESS_INTERVAL` and its last state; `\r\n` is a line end.
    """

    __slots__ = ("_clean", "_kept", "_shown_at")

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._kept: list[str] = []
        self._shown_at = float("-inf")

    def __bool__(self) -> bool:
        """Tell whether an incomplete line waits."""
        return bool(self._kept)

    def feed(self, text: str) -> str:
        """Take `text`; return the lines that it completes, each with its end, or ""."""
        if not text:
            return ""
        head, end, rest = text.rpartition("\n")
        if not end:
            self._kept.append(text)
            return self._overlong() if "\r" not in text else self._progress()
        lines = "".join((*self._kept, head, end))
        self._kept = [rest] if rest else []
        if "\r" in lines:
            lines = _last_states(lines)
        lines = self._clean(lines)
        return lines + self._progress() if "\r" in rest else lines

    def close(self) -> str:
        """Return the incomplete line, ended, or ""."""
        if not self._kept:
            return ""
        line = "".join(self._kept) + "\n"
        self._kept = []
        return self._clean(_last_states(line) if "\r" in line else line)

    def _progress(self) -> str:
        """Drop the states that were overwritten; return the newest of them now and then."""
        text = "".join(self._kept)
        states = [state for state in text.split("\r") if state]
        # A "\r" at the very end may be half of "\r\n": it stays, with the state before it.
        self._kept = [states.pop() + "\r" * text.endswith("\r")] if states else []
        newest = states[-1] if states else ""
        now = time.monotonic()
        if not newest or now - self._shown_at < PROGRESS_INTERVAL:
            return self._overlong()
        self._shown_at = now
        return self._clean(newest + "\n") + self._overlong()

    def _overlong(self) -> str:
        if len(self._kept) < 64 and sum(map(len, self._kept)) <= LONGEST:  # noqa: PLR2004 - joined now and then
            return ""
        kept = "".join(self._kept)
        if len(kept) <= LONGEST:
            self._kept = [kept]
            return ""
        kept = self._clean(kept)
        self._kept = [kept[-KEPT:]]
        return kept[:-KEPT]


def _last_states(lines: str) -> str:
    """Return `lines` with what a terminal would show of those that rewrite themselves."""
    return "".join(_last_state(line) + "\n" for line in lines[:-1].split("\n"))


def _last_state(line: str) -> str:
    if "\r" not in line:
        return line
    return next((state for state in reversed(line.split("\r")) if state), "")
