"""Who works with the jobs of a database: one engine at a time, or each job would run twice."""

from __future__ import annotations

import fcntl
import os
import secrets
import select
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from projects.jobs.store import errors, tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projects.jobs.store.database import Database

_LOCK = 0x746F7065  # "tope": of a session on PostgreSQL
_AGAIN = 0.1
_SETTING = "claimed_by"


class Claim:
    """Held from `take` to `release`, or until the process ends.

    SQLite: `flock(2)` on a file beside the database. PostgreSQL: an advisory lock of a session;
    the session of a process that was killed may last a moment longer, so it is waited for.
    A session may be lost while we go on: `wait_for_loss` tells, `take_again` is what then helps.
    Who has claimed it last is written down, so that we see if somebody did in between.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: int | None = None
        self._session: Connection | None = None
        self._name = secrets.token_hex(8)

    @property
    def may_be_lost(self) -> bool:
        """Whether it hangs on a connection."""
        return self._database.path is None

    def take(self) -> None:
        """Claim the database.

        Raises
        ------
        StoreLocked
            Another engine works with it.
        """
        taken = self._take_file() if self._database.path is not None else self._take_session()
        if not taken:
            raise errors.StoreLocked(
                f"another server works with the jobs in {self._database.name};"
                " stop it, or give this one a database of its own"
            )
        if self._session is not None:
            with self._database.write(durable=True) as connection:
                tokens.set_setting(connection, _SETTING, self._name)

    def wait_for_loss(self, stop: int) -> bool:
        """Return True as soon as the session has ended, False when file `stop` can be read."""
        while self._session is not None:
            driver = self._session.connection.driver_connection
            assert driver is not None  # noqa: S101  (it is connected)
            poll = select.poll()
            for each in (driver.fileno(), stop):
                poll.register(each, select.POLLIN)
            if any(ready == stop for ready, _ in poll.poll()):
                return False
            try:  # the server says something: mostly good-bye
                self._session.exec_driver_sql("SELECT 1")
            except SQLAlchemyError:
                return True
        return True

    def take_again(self) -> None:
        """Claim the database once more after the session was lost.

        Raises
        ------
        StoreAway
            It doesn't answer yet.
        StoreLocked
            Another engine works with it, or did meanwhile.
        """
        self.release()
        if not self._take_session():
            raise errors.StoreLocked(
                f"the connection to {self._database.name} was lost, and another server works with"
                " its jobs now"
            )
        assert self._session is not None  # noqa: S101  (just made)
        with self._database.read() as connection:
            last = tokens.settings(connection).get(_SETTING)
        if last != self._name:
            self.release()
            raise errors.StoreLocked(
                f"the connection to {self._database.name} was lost, and another server worked with"
                " its jobs meanwhile"
            )

    def release(self) -> None:
        """Let another engine have it; a second call does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._session is not None:
            self._session.invalidate()  # the lock ends with the session
            self._session.close()
            self._session = None

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

    def _take_session(self) -> bool:
        deadline = time.monotonic() + self._database.wait
        with self._database.explained():
            session = self._database.session()
            while not session.exec_driver_sql(f"SELECT pg_try_advisory_lock({_LOCK})").scalar():
                if time.monotonic() > deadline:
                    session.close()
                    return False
                time.sleep(_AGAIN)
        self._session = session
        return True
