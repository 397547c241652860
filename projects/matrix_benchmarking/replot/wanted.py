"""Which files of a run a replot needs: what parsers name, and what says what a run was; pure."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.results.parser import ALWAYS_IMPORTANT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ALWAYS = (
    *ALWAYS_IMPORTANT,
    "settings*",
    "exit_code",
    "skip",
    "config.yaml",
    "manifest.json",
    "export.url",
    "presets_applied",
    "FAILURE",
    "FAILURES",
    "FINISHED",
    "STARTED",
    "SKIPPED",
    "EXPECTED_FAIL",
    "FLAKE",
)
"""Globs of what is fetched whatever the parser: settings, results of steps, marker files."""


def wanted(globs: Iterable[str]) -> Callable[[str], bool]:
    """Return what tells whether a path matches one of the globs, or of ALWAYS.

    A glob is relative to any directory. `*` may match slashes: a file too many is fetched rather
    than one too few.
    """
    patterns = set()
    for glob in (*ALWAYS, *globs):
        text = glob.removeprefix("./")
        patterns |= {text, text.replace("**/", "")}
    either = "|".join(fnmatch.translate(pattern) for pattern in sorted(patterns))
    compiled = re.compile(rf"(?s:.*/)?(?:{either})")
    return lambda path: compiled.match(path) is not None
