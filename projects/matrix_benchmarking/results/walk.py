"""The directories that are results, found in one walk; links to directories are not followed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from projects.core.errors import UsageError, unreadable
from projects.matrix_benchmarking.results.result import Finding
from projects.matrix_benchmarking.results.settings import MAIN

DEEPEST = 64
"""Levels below the root; what lies deeper is not looked at."""

_NEVER = frozenset(("_meta", "__pycache__"))


@dataclass(frozen=True, slots=True)
class Level:
    """A directory between the root and a result, or a result: what files it has, what is above."""

    path: str
    names: frozenset[str]
    above: Level | None


@dataclass(slots=True)
class Walk:
    """What a walk found: results in the order of their paths, and places to tell about."""

    root: str
    results: list[Level] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def walk(root: Path, cache_name: str) -> Walk:
    """Return the directories below `root`, or `root` itself, that are results.

    A result has settings and an `exit_code`; what lies below it is not looked at. A directory with
    settings alone passes them to the results below it; without any it is a result that never
    ended. A file `skip` excludes a directory and all below it. Hidden directories are left out.

    Errors
    ------
    UsageError
        `root` is no directory.
    InfrastructureError
        It cannot be read.
    """
    if not root.is_dir():
        what = "is no directory" if root.exists() else "does not exist"
        raise UsageError(f"{root} {what}: give the directory that holds the results")
    found = Walk(os.path.abspath(root))
    try:
        _visit(found, found.root, None, cache_name, DEEPEST)
    except OSError as error:
        raise unreadable(root, error) from error
    return found


def _visit(found: Walk, path: str, above: Level | None, cache_name: str, depth: int) -> None:
    names, folders = _list(path)
    if "skip" in names:
        return
    if cache_name in names:
        found.caches.append(path)
    level = Level(path, frozenset(names), above)
    has_settings = any(name in level.names for name in MAIN)
    if has_settings and "exit_code" in names:
        found.results.append(level)
        return
    before = len(found.results)
    for name in sorted(folders) if depth else ():
        try:
            _visit(found, os.path.join(path, name), level, cache_name, depth - 1)
        except OSError as error:  # one directory must not cost the others
            where = Path(path, name)
            found.findings.append(Finding(where, f"cannot be read: {error.strerror}"))
    if has_settings and len(found.results) == before:
        found.results.append(level)
    if "exit_code" in names and not has_settings:
        said = "has an exit_code but no settings.yaml: this is no result"
        found.findings.append(Finding(Path(path), said))


def _list(path: str) -> tuple[list[str], list[str]]:
    names, folders = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _NEVER and not entry.name.startswith("."):
                    folders.append(entry.name)
            else:
                names.append(entry.name)
    return names, folders
