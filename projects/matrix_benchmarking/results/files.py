"""The files of a result that count: which they are, what they hold, whether they changed."""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any

from projects.core.errors import ConfigurationError
from projects.matrix_benchmarking.results.reading import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_FILES = 10_000
"""Important files of one result."""

METADATA = "_meta/metadata.yaml"

FileFacts = list[Any]
"""Path, size, modification time in ns, inode, SHA-256."""

_OWN = frozenset(("exit_code", "test_uuid"))
_RACY_NS = 1_000_000_000


def expected_files(directory: str, names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Return the paths of a result's files that count, sorted: its own, then what the globs say.

    Errors
    ------
    Unreadable
        More than MOST_FILES.
    """
    names = names if isinstance(names, frozenset) else frozenset(names)
    found = {name for name in names if name in _OWN or name.startswith("settings")}
    if os.path.exists(f"{directory}/{METADATA}"):
        found.add(METADATA)
    for pattern in patterns:
        if glob.has_magic(pattern):
            found.update(_matches(directory, names, pattern))
        elif pattern in names or ("/" in pattern and os.path.isfile(f"{directory}/{pattern}")):
            found.add(pattern)
    if len(found) > MOST_FILES:
        raise Unreadable(f"{directory}: {len(found)} important files, of at most {MOST_FILES}")
    return sorted(found)


def _matches(directory: str, names: Iterable[str], pattern: str) -> list[str]:
    if "/" not in pattern and "**" not in pattern:
        return fnmatch.filter(names, pattern)
    paths = glob.iglob(pattern, root_dir=directory, recursive=True)
    return [path for path in paths if os.path.isfile(os.path.join(directory, path))]


def check_patterns(patterns: Sequence[str]) -> None:
    """Raise ConfigurationError for a glob that could leave the result."""
    for pattern in patterns:
        if pattern.startswith("/") or ".." in pattern.split("/"):
            raise ConfigurationError(f'important file "{pattern}" leads out of the result')


def file_facts(directory: str, path: str) -> FileFacts:
    """Return size, times, inode and hash of a file; Unreadable if it lies outside."""
    full = os.path.join(directory, path)
    try:
        with open(full, "rb", opener=_open_regular) as file:
            info = os.fstat(file.fileno())
            if os.path.islink(full) and not _is_inside(full, directory):
                raise Unreadable(f"{full}: leads out of the result")
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Unreadable(f"{full}: {error.strerror or error}") from None
    return [path, info.st_size, info.st_mtime_ns, info.st_ino, digest]


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "is no regular file")
    return descriptor


def _is_inside(path: str, directory: str) -> bool:
    root = os.path.realpath(directory)
    return os.path.commonpath([root, os.path.realpath(path)]) == root


def refresh(directory: str, facts: FileFacts, at: int, *, trust: bool) -> bool | None:
    """Tell whether a file is what `facts` say: None if it wasn't read, else `facts` are fresh.

    A file whose size, modification time and inode are the same is not read again, unless it was
    changed in the second before `at`, when it was looked at last (ns). With `trust` a file that is
    not here counts as unchanged.
    """
    path, size, mtime, inode, digest = facts
    try:
        info = os.stat(f"{directory}/{path}")
    except OSError:
        return None if trust else False
    if info.st_size != size:
        return False
    if info.st_mtime_ns == mtime and info.st_ino == inode and mtime < at - _RACY_NS:
        return None
    try:
        fresh = file_facts(directory, path)
    except Unreadable:
        return False
    facts[:] = fresh
    return bool(fresh[4] == digest)
