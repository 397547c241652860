"""Paths below a directory: opened without being led out of it."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO

from projects.core.errors import UsageError
from projects.jobs.tools.texts import shown

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Outside(UsageError):
    """A path leads out of its directory: by itself, or by a symbolic link."""

    http_status = 403


def inside(root: str | os.PathLike[str], path: str) -> str:
    """Return the real path of `path` below `root`; it need not exist.

    Raises
    ------
    Outside
        It is absolute, climbs out, or a symbolic link leads out.
    """
    top = os.path.realpath(root)
    if "\0" in path or os.path.isabs(path):
        raise Outside(f"{shown(path)} is not a path below {top}")
    real = os.path.realpath(os.path.join(top, path))
    if real != top and not real.startswith(top.rstrip("/") + "/"):
        raise Outside(f"{shown(path)} leads out of {top}, to {real}")
    return real


def open_inside(root: str | os.PathLike[str], path: str) -> BinaryIO:
    """Open a regular file below `root` for reading.

    Step by step from the directory down and without following links, so that no link that comes
    into being meanwhile leads out.

    Raises
    ------
    Outside
        As `inside`.
    UsageError
        It is no regular file.
    OSError
        The system can't open it.
    """
    real = inside(root, path)
    top = os.path.realpath(root)
    *folders, name = os.path.relpath(real, top).split("/")
    at = os.open(top, _FOLDER)
    try:
        for folder in folders:
            below = os.open(folder, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        file = os.open(name, _FILE, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise UsageError(f"{shown(path)} is not a file")
    return open(file, "rb")
