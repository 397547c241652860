"""Moments, spans, sizes and states as people read them: functions of their arguments."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from projects.jobs.model.moment import SECOND, parse_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WAITING = frozenset(("NEW", "PREPARING", "WAITING"))
LIVE = frozenset(("STARTING", "RUNNING", "STOPPING", "CLEANING"))

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_KIBI = 1024
_LONGEST_NUMBER = 9
_LONGEST_VALUE = 40
_LONGEST_LINE = 120
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
_NAMES = {
    "SUCCESS": "success",
    "FAILED": "failed",
    "TIMEOUT": "timed out",
    "CANCELLED": "cancelled",
    "LOST": "lost",
}


def kind(job: Mapping[str, Any]) -> str:
    """Return what a job is doing in one word: the name of its icon and colour."""
    if job.get("outcome"):
        return str(job["outcome"]).lower()
    return "waiting" if job["state"] in WAITING else "running"


def label(job: Mapping[str, Any]) -> str:
    """Return what a job is doing, for people."""
    if job.get("outcome"):
        return _NAMES.get(str(job["outcome"]), str(job["outcome"]).lower())
    if job["state"] in WAITING:
        return "waiting"
    return str(job["state"]).lower()


def phase_label(submission: Mapping[str, Any]) -> str:
    """Return what a submission is doing, for people."""
    if submission["phase"] != "done":
        return {"pending": "waiting"}.get(submission["phase"], str(submission["phase"]))
    return _NAMES[phase_kind(submission).upper()]


def phase_kind(submission: Mapping[str, Any]) -> str:
    """Return what a submission is doing: its worst outcome once it is done."""
    if submission["phase"] != "done":
        return "running" if submission["phase"] == "running" else "waiting"
    outcomes = submission["outcomes"]
    for name in ("FAILED", "LOST", "TIMEOUT", "CANCELLED"):
        if outcomes.get(name):
            return name.lower()
    return "success"


def duration(seconds: float) -> str:
    """Return a span: `4 ms`, `0.12 s`, `3.4 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`."""
    seconds = max(0.0, seconds)
    if seconds < 0.1:  # noqa: PLR2004  (beyond, a hundredth of a second is exact enough)
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.0005 else "0 s"  # noqa: PLR2004
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    if seconds < _DAY:
        return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"
    return f"{seconds // _DAY:.0f} d {seconds % _DAY // _HOUR:.0f} h"


def relative(at: str | None, now: int) -> str:
    """Return how far a moment is from now: `3 min ago`, `in 2 h`; empty for none."""
    if not at:
        return ""
    seconds = (now - parse_iso(at)) / SECOND
    size = abs(seconds)
    if size < 5:  # noqa: PLR2004  (seconds that nobody counts)
        return "just now"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s")):
        if size >= unit:
            text = f"{size // unit:.0f} {name}"
            return f"{text} ago" if seconds > 0 else f"in {text}"
    return "just now"


def seconds_between(start: str | None, end: str | None, now: int) -> float | None:
    """Return the seconds from a moment to another, or until now; None if it hasn't begun."""
    if not start:
        return None
    return ((parse_iso(end) if end else now) - parse_iso(start)) / SECOND


def took(job: Mapping[str, Any], now: int) -> str:
    """Return how long a job ran, or has run by now."""
    seconds = seconds_between(job["started"], job["finished"], now)
    return "" if seconds is None else duration(seconds)


def size(count: float) -> str:
    """Return a number of bytes: `512 B`, `1.5 KiB`, `3.2 GiB`."""
    if count < _KIBI:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= _KIBI
        if count < _KIBI:
            return f"{count:.1f} {unit}"
    return f"{count / _KIBI:.1f} TiB"


def ordinal(place: int) -> str:
    """Return a place: `1st`, `2nd`, `13th`."""
    ending = "th" if place % 100 in (11, 12, 13) else _ENDINGS.get(place % 10, "th")
    return f"{place:,}{ending}"


def queued(waiting: Mapping[str, Any]) -> str:
    """Return where in the queue a job or submission is; empty if it doesn't wait."""
    if not waiting.get("waits_for"):  # of an older satellite: never there
        return ""
    place = waiting.get("queue_position")
    return f"{ordinal(place)} in the queue" if place else "more than 1,000 are before it"


def number(value: float) -> str:
    """Return a number with its thousands apart."""
    return f"{value:,}"


def breakable(name: str) -> Markup:
    """Return a long name that lines may break after `/`, `.` and `_`, else if they must."""
    return Markup(re.sub(r"(/|\.|__?)", r"\1<wbr>", str(escape(name))))  # noqa: S704  (it is escaped)


def measured(number: float | None, unit: str) -> str:
    """Return what was measured, with its unit: `18,544.2 rows/s`; a dash for nothing."""
    return "\N{EN DASH}" if number is None else f"{number:,.6g} {unit}".rstrip()


def kpis_in_order(kpis: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the pairs of a comparison: worse, better, noise, in one; of each, the most changed."""

    def place(one: Mapping[str, Any]) -> tuple[int, float]:
        if one["a"] is None or one["b"] is None:
            return 3, 0.0
        ratio = 1 + (one["change"] or 0.0)  # to a half is as much as to the double
        size = abs(math.log(ratio)) if ratio > 0 else math.inf
        if one["better"] is None or not one["apart"]:
            return 2, -size
        return int(one["better"]), -size

    return sorted(kpis, key=place)


def value(one: Any) -> str:
    """Return a value of a parameter on one line."""
    if isinstance(one, str):
        return one
    return json.dumps(one, ensure_ascii=False)


def brief(one: Any) -> str:
    """Return a value of a table in a cell: a number with seven digits, `12.96468`, if it has more.

    Of a whole number all digits are told.
    """
    text = value(one)
    return f"{one:.7g}" if isinstance(one, float) and len(text) > _LONGEST_NUMBER else text


def parameters(params: Mapping[str, Any]) -> str:
    """Return parameters as one short line: `a=1 b=is a test …`."""
    line = ""
    for name, one in params.items():
        text = value(one).replace("\n", " ")
        if len(text) > _LONGEST_VALUE:
            text = text[: _LONGEST_VALUE - 1] + "…"
        line += f"{' ' if line else ''}{name}={text}"
        if len(line) > _LONGEST_LINE:
            return line[: _LONGEST_LINE - 1] + "…"
    return line
