"""The data directory of one server: its folders, and the lock that keeps a second one away."""

from __future__ import annotations

import contextlib
import fcntl
import os
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, unreadable

if TYPE_CHECKING:
    from projects.jobs.engine.settings import Settings


class DataDirectory:
    """Made and locked by `claim`, given up by `release` or with the process.

    The lock is `flock(2)` on descriptors that no child inherits, so it ends with the server also
    when jobs go on. It is on a file, which says who has it, and on the directory itself: people
    remove lock files, and a second server would run every job a second time.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock: int | None = None
        self._folder: int | None = None

    def claim(self) -> None:
        """Make the folders, readable by their owner only, and take the lock.

        Raises
        ------
        InfrastructureError
            Another server has it, or the folders can't be made or written to.
        """
        settings = self._settings
        try:
            for folder in (settings.data_directory, settings.logs, settings.outbox, settings.run):
                os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor = os.open(settings.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            whole = os.open(settings.data_directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(error.filename or settings.data_directory, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _lock_folder(whole)
        except BlockingIOError:
            pid = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            os.close(whole)
            raise InfrastructureError(
                f"the server with pid {pid or '?'} works in {settings.data_directory};"
                " stop it, or give this one a data directory of its own"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock, self._folder = descriptor, whole

    def release(self) -> None:
        """Give up the lock; the file stays (removing it would let two servers in)."""
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._lock, 0)
            os.close(self._lock)
            self._lock = None
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None


def _lock_folder(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        pass  # NFS locks no directories; then the file has to do
