"""What runs tell of themselves: the timeline of one, the comparison of two."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.artifacts.spans import fold, read_events
from projects.core.artifacts.timeline import timeline
from projects.jobs.http.refusals import Absent, TooLarge
from projects.matrix_benchmarking.reports.comparison import compare
from projects.matrix_benchmarking.reports.runs import JOURNAL, PAYLOADS, read_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.hub.artifacts.trees import Tree
    from projects.jobs.http.files import OpenFile
    from projects.matrix_benchmarking.reports.comparison import Comparison
    from projects.matrix_benchmarking.reports.runs import RunFacts

LARGEST_JOURNAL = 64 << 20
LARGEST_READ = 16 << 20
"""Bytes of a file that is read for a comparison; a larger one counts as missing."""

_READ = (JOURNAL, "config.yaml", "_meta/metadata.yaml", "fingerprint.yaml")


def timeline_of(tree: Tree, *, alive: bool = False) -> str:
    """Return the page with the timeline of a run.

    Raises
    ------
    Absent, TooLarge
        It has no journal, or too large a one.
    """
    file = tree.open(JOURNAL)
    try:
        if file.size > LARGEST_JOURNAL:
            raise TooLarge(
                f"{JOURNAL} has {file.size} bytes, of at most {LARGEST_JOURNAL} that are drawn"
            )
        return timeline(fold(read_events(_path_of(file)), alive=alive))
    finally:
        file.close()


def compare_runs(a: Tree, b: Tree) -> Comparison:
    """Return what differs between two runs: configuration, environment, KPIs, durations."""
    with facts_of(a) as first, facts_of(b) as second:
        return compare(first, second)


@contextlib.contextmanager
def facts_of(tree: Tree) -> Iterator[RunFacts]:
    """Give what a run says of itself; its files are linked into a folder for that long."""
    with (
        tempfile.TemporaryDirectory(prefix="topgallant-run-") as folder,
        contextlib.ExitStack() as s,
    ):
        for path in _READ:
            _link(tree, path, Path(folder, path), s)
        newest = max(
            (entry for entry in tree.walk() if entry.name == PAYLOADS),
            key=lambda entry: entry.modified,
            default=None,
        )
        if newest is not None:
            _link(tree, newest.path, Path(folder, "payload", PAYLOADS), s)
        yield read_run(Path(folder))


def _link(tree: Tree, path: str, to: Path, open_files: contextlib.ExitStack) -> None:
    try:
        file = tree.open(path)
    except Absent:
        return
    open_files.callback(file.close)
    if file.size <= LARGEST_READ:
        to.parent.mkdir(parents=True, exist_ok=True)
        os.symlink(_path_of(file), to)


def _path_of(file: OpenFile) -> str:
    """Return a path that means the file that was opened, whatever has its name by now."""
    return f"/proc/self/fd/{file.descriptor}"
