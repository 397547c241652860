"""What a run leaves at its top when it ends, all drawn from its journal."""

from __future__ import annotations

import html
import os
import time
from typing import TYPE_CHECKING

from projects.core.artifacts import failures, junit, spans, summary, timeline
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
        "reports_index.html": lambda: index(root),
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


def index(root: Path) -> str:
    """Return the page that lists every HTML page below `root`, then the files at its top."""
    pages = sorted(
        os.path.relpath(os.path.join(folder, name), root)
        for folder, folders, names in os.walk(root)
        for name in names
        if name.endswith(".html") and name != "reports_index.html"
    )
    files = sorted(entry.name for entry in os.scandir(root) if not entry.name.startswith("."))
    files = [name for name in files if name not in pages and name != "reports_index.html"]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Reports of {html.escape(root.name)}</title>"
        "<style>:root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;"
        "max-width:60rem;margin:2rem auto;padding:0 1rem}li{overflow-wrap:anywhere}</style>"
        f"<h1>{html.escape(root.name)}</h1><h2>Reports</h2>{_links(pages)}"
        f"<h2>Files</h2>{_links(files)}</html>\n"
    )


def _links(names: list[str]) -> str:
    from urllib.parse import quote

    items = (f'<li><a href="{quote(name)}">{html.escape(name)}</a>' for name in names)
    return f"<ul>{''.join(items)}</ul>"


def _replace(path: Path, text: str) -> None:
    """Write `path` whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        temporary.write_text(masking.mask(text), encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)  # on a full disk it takes the room of what is to come
        raise
