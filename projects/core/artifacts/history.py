"""How long the same things took in earlier runs."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from projects.core.artifacts import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_RUNS = 20
"""Earlier runs that are read, the newest first."""

MOST_BYTES = 8 * 1024 * 1024
"""Bound of all journals together: about a quarter of a second of reading."""


def durations(
    base_dir: str | os.PathLike[str], project: str, verb: str, *, but: str = ""
) -> dict[str, float]:
    """Return {path of a span: median seconds} over the earlier runs of `project verb`.

    The path is the names from below the run down, joined by " / "; the run's own is empty. Only
    what passed counts.
    `but` is the name of a run directory to leave out, the one that is just beginning. What
    cannot be read is left out: history is a convenience.
    """
    seen: dict[str, list[float]] = {}
    left = MOST_BYTES
    for path in _journals(os.fspath(base_dir), project, verb, but):
        try:
            left -= os.path.getsize(path)
            if left < 0:
                break
            run = spans.fold(spans.read_events(path))
        except OSError:
            continue
        for where, span in _with_paths(run.root):
            if span.outcome == "passed" and span.seconds is not None:
                seen.setdefault(where, []).append(span.seconds)
    return {where: _median(times) for where, times in seen.items()}


def below(path: str, name: str) -> str:
    """Return the path of a span called `name` within the one at `path` ("" for the run)."""
    return f"{path} / {name}" if path else name


def _journals(base: str, project: str, verb: str, but: str) -> Iterator[str]:
    ours = re.compile(rf"\d{{8}}-\d{{6}}__{re.escape(project)}__{re.escape(verb)}(-\d+)?")
    try:
        names = [name for name in os.listdir(base) if ours.fullmatch(name) and name != but]
    except OSError:
        return
    for name in sorted(names, reverse=True)[:MOST_RUNS]:
        yield os.path.join(base, name, "events.jsonl")


def _with_paths(root: spans.Span) -> Iterator[tuple[str, spans.Span]]:
    yield "", root
    stack = [("", child) for child in root.children]
    while stack:
        above, span = stack.pop()
        path = below(above, span.name)
        yield path, span
        stack.extend((path, child) for child in span.children)


def _median(values: list[float]) -> float:
    values.sort()  # by hand: importing statistics takes longer than reading the journals
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
