"""What a run leaves at its top when it ends, all drawn from its journal."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from projects.core.artifacts import failures, index, junit, spans, summary, timeline
from projects.core.artifacts.complaints import complain
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects.core.artifacts.spans import Run

JOURNAL = "events.jsonl"


def close(root: Path, about: str = "") -> str:
    """Write FAILURES, junit.xml, timeline.html, reports_index.html, FINISHED; return the summary.

    `about` is the id of the run's span, where runs share the directory; empty means the last one.
    A file that cannot be written is said on stderr, and the others are written all the same.
    """
    try:
        run = spans.fold(spans.read_events(root / JOURNAL))
        run.about = about
    except OSError as error:
        complain(f"cannot read {root / JOURNAL}", error)
        return ""
    write: dict[str, Callable[[], str | None]] = {
        "junit.xml": lambda: junit.junit(run),
        "timeline.html": lambda: timeline.timeline(run),
        index.NAME: lambda: index.index(root),
        "FINISHED": lambda: finished(run),
    }
    try:
        failures.write_failures(root)
    except Exception as error:
        complain("cannot write FAILURES", error)
    for name, draw in write.items():
        try:
            _replace(root / name, draw() or "")
        except Exception as error:
            complain(f"cannot write {name}", error)
    return masking.mask(summary.summary(run, root))


def finished(run: Run) -> str:
    """Return the text of the marker FINISHED: what, how it ended, how long it took."""
    top = run.root
    took = time.strftime("%H:%M:%S", time.gmtime(run.seconds(top)))
    return f"{top.name} ended: {top.outcome} after {took} (hours:minutes:seconds)\n"


def _replace(path: Path, text: str) -> None:
    """Write `path` whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(masking.mask(text), encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # on a full disk it takes the room of what is to come
        raise
