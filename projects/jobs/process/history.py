"""What the lines of a journal say about attempts, as reports: pure."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from projects.jobs.model.entities import Usage
from projects.jobs.process.orders import Ended, Started

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Line = dict[str, "Any"]


class Known:
    """What is written about one attempt: each the last line of its kind."""

    __slots__ = ("end", "intent", "never", "sequence", "start")

    def __init__(self) -> None:
        self.sequence = 0
        self.intent: Line | None = None
        self.start: Line | None = None
        self.end: Line | None = None
        self.never = False

    @property
    def groups(self) -> list[str]:
        """The cgroups that were to be made for it."""
        found: list[str] = (self.intent or {}).get("groups", [])
        return found


def fold(lines: Iterable[Line]) -> dict[tuple[int, int], Known]:
    """Return, by (number, attempt), what is known; lines of unknown types count for nothing."""
    found: dict[tuple[int, int], Known] = {}
    for line in lines:
        if line["t"] == "void":  # another runner has it, or will
            found.pop((line["n"], line["a"]), None)
            continue
        known = found.setdefault((line["n"], line["a"]), Known())
        known.sequence = line.get("q", 0)
        if line["t"] == "intent":
            known.intent, known.never = line, False
        elif line["t"] == "start":
            known.start = line
        elif line["t"] == "end":
            known.end = line
        elif line["t"] == "never":
            known.never = True
    return found


def started(line: Line) -> Started:
    """Return the report that a `start` line means."""
    return Started(line["n"], line["a"], line["pid"], line["ticks"], line["boot"], line["at"])


def with_memory(line: Line, sentence: str) -> Line:
    """Return an `end` line that says also what the kernel killed at the limit of memory."""
    is_cause = line["reason"] == "exit" and line["sig"] == signal.SIGKILL
    reason = "memory" if is_cause else line["reason"]
    return {**line, "reason": reason, "notes": [*line["notes"], sentence]}


def ended(line: Line) -> Ended:
    """Return the report that an `end` line means; a negative CPU time: nobody measured."""
    usage = None
    if line.get("cpu", -1) >= 0 and not line["reason"].startswith("not started"):
        usage = Usage(line["wall"], line["cpu"], line["mem"])
    return Ended(
        line["n"],
        line["a"],
        line["code"],
        line["sig"],
        line["reason"],
        line["at"],
        usage,
        tuple(line["notes"]),
    )
