"""Where data files live while they are measured, and how what was left behind is found."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "sqlite_bench."

FILES_AT_ONCE = 3
"""Database, journal and the room that a checkpoint takes: a bound of what one repetition needs."""


def space_needed(rows_limit: int, row_bytes: int) -> int:
    """Return the bytes on disk that one repetition takes at most.

    A row costs its bytes, its id and its share of the pages: 32 bytes are more than enough.
    """
    return FILES_AT_ONCE * rows_limit * (row_bytes + 32)


def check_room(directory: Path, bytes_needed: int) -> int:
    """Return the free bytes of `directory`; `InfrastructureError` unless one can write there."""
    if not directory.is_dir():
        raise InfrastructureError(f"{directory}: this directory does not exist")
    try:
        with tempfile.TemporaryFile(dir=directory, prefix=PREFIX) as file:
            file.write(b"writable")
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise unreadable(directory, error) from error
    if free < bytes_needed:
        raise InfrastructureError(
            f"{directory}: {free / 1e6:.0f} MB are free, a repetition may take "
            f"{bytes_needed / 1e6:.0f} MB; choose another tests.directory or a smaller "
            f"tests.rows_limit"
        )
    return free


@contextmanager
def scratch_directory(parent: Path) -> Iterator[Path]:
    """Make a directory below `parent` for data files, and remove it with all it holds."""
    try:
        path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}.", dir=parent))
    except OSError as error:
        raise unreadable(parent, error) from error
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def leftovers(parent: Path) -> list[Path]:
    """Return the scratch directories directly below `parent` whose process is gone."""
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.glob(f"{PREFIX}*") if _is_abandoned(path))


def _is_abandoned(path: Path) -> bool:
    owner = path.name.removeprefix(PREFIX).partition(".")[0]
    if not owner.isdecimal() or path.is_symlink() or not path.is_dir():
        return False
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):  # another user's, or not a process id at all
        return False
    return False
