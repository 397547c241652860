"""Who works with the jobs of a database: one engine at a time, or each job would run twice."""

from __future__ import annotations

import fcntl
import os
import time
from typing import TYPE_CHECKING

from projects.jobs.store import errors

if TYPE_CHECKING:
    from projects.jobs.store.database import Database

_LOCK = 0x746F7065  # "tope": of a session on PostgreSQL
_AGAIN = 0.1


class Claim:
    """Held from `take` to `release`, or until the process ends.

    SQLite: `flock(2)` on a file beside the database. PostgreSQL: an advisory lock of the session
    that writes; that of a process that was killed may last a moment longer, so it is waited for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._holds = False

    def take(self) -> None:
        """Claim the database.

        Raises
        ------
        StoreLocked
            Another engine works with it.
        """
        if self._database.path is None:
            self._take_session()
        elif not self._take_file():
            raise errors.StoreLocked(
                f"another server works with the jobs in {self._database.name};"
                " stop it, or give this one a database of its own"
            )

    def release(self) -> None:
        """Let another engine have it; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._holds:
            self._holds = False
            self._database.let_go()

    def _take_file(self) -> bool:
        name = f"{self._database.path}.lock"
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise errors.StoreReadOnly(f"{name}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._file = descriptor
        return True

    def _take_session(self) -> None:
        deadline = time.monotonic() + self._database.wait
        while not self._holds:
            try:
                self._database.hold(_LOCK)
                self._holds = True
            except errors.StoreLocked:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN)
