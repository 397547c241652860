"""Verbs that take their time: waiting for an end, following a log; progress goes to stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from projects.core.errors import FAILED, PASSED, TIMED_OUT, UNJUDGED
from projects.jobs.library import logs
from projects.jobs.library.client import part
from projects.jobs.library.waiting import Patience, wait_for_job, wait_for_submission
from projects.satellite.satctl import printing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.jobs.library.client import Client

STATUSES = {
    "SUCCESS": PASSED,
    "FAILED": FAILED,
    "TIMEOUT": TIMED_OUT,
    "CANCELLED": UNJUDGED,
    "LOST": UNJUDGED,
}
"""Exit statuses of the outcomes; of several the first of `_GRAVEST` counts."""

_GRAVEST = (FAILED, TIMED_OUT, UNJUDGED)


class Progress:
    """One line on stderr: rewritten on a terminal, elsewhere a new one for each change."""

    def __init__(self) -> None:
        self._last = ""
        self._terminal = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Show what is the case now."""
        if text != self._last:
            self._last = text
            self._write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")

    def keep(self, text: str) -> None:
        """Show what stays to be read."""
        self.end()
        self._write(f"{text}\n")

    def end(self) -> None:
        """Leave the last line as it is."""
        if self._terminal and self._last:
            self._write("\n")
        self._last = ""

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def job(client: Client, name: str, timeout: float | None) -> int:
    """Wait for a job and print it; the exit status is that of its outcome."""
    progress = Progress()
    try:
        found = wait_for_job(
            client,
            name,
            seen=lambda value: progress.say(_state(value)),
            say=progress.keep,
            timeout=timeout,
        )
    except KeyboardInterrupt:
        progress.keep(_goes_on(name))
        raise
    finally:
        progress.end()
    printing.show(client.get(f"/satellite/jobs/{part(name)}"))
    return STATUSES[found["outcome"]]


def submission(client: Client, name: str, timeout: float | None) -> int:
    """Wait for a submission and print it; the exit status is that of its worst job."""
    progress = Progress()
    try:
        found = wait_for_submission(
            client,
            name,
            seen=lambda value: progress.say(_counts(value)),
            say=progress.keep,
            timeout=timeout,
        )
    except KeyboardInterrupt:
        progress.keep(_goes_on(name))
        raise
    finally:
        progress.end()
    printing.show(client.get(f"/satellite/submissions/{part(name)}"))
    statuses = {STATUSES[outcome] for outcome, count in found["outcomes"].items() if count}
    return next((status for status in _GRAVEST if status in statuses), PASSED)


def log(client: Client, name: str, log: str, tail: int | None) -> int:
    """Print a log until the job has ended."""
    progress = Progress()
    waits_for = client.get_json(f"/api/v1/jobs/{part(name)}")["waits_for"]
    if waits_for:
        progress.keep(f"not begun yet: {waits_for}")
    patience = Patience(progress.keep)
    texts = logs.follow(client, name, log, tail=tail, patience=patience)
    return printing.log(text.encode("utf-8", "backslashreplace") for text in texts)


def _goes_on(name: str) -> str:
    return f"it goes on; satctl wait {name} waits again, satctl cancel {name} ends it"


def _state(value: Mapping[str, Any]) -> str:
    if value["outcome"]:
        reason = f": {value['reason']}" if value["reason"] else ""
        return f"{value['outcome']}{reason}"
    if value["waits_for"]:
        return str(value["waits_for"])
    again = f", attempt {value['attempt']}" if value["attempt"] > 1 else ""
    return f"{value['state'].lower()}{again}"


def _counts(value: Mapping[str, Any]) -> str:
    outcomes = {name.lower(): count for name, count in value["outcomes"].items() if count}
    ended = sum(outcomes.values())
    said = f"{ended} of {value['jobs']} ended"
    listed = ", ".join(f"{count} {name}" for name, count in outcomes.items())
    return f"{said} ({listed})" if listed else said
