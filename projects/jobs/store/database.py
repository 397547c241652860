"""The door to the database: who may write when, what is synced, and what errors mean."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from projects.core.errors import UsageError
from projects.jobs.store import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from sqlalchemy import URL, Connection, Engine

CALL = 3.0
"""Seconds that a client's call waits for other writers, of this process and of others: it is better
told to come again than left without an answer. What runs in the background has `Database.wait`."""

GLANCE = 0.1
"""Seconds that something waits that matters so little that it may be left out."""

READERS = 40
"""Most connections that read at the same time: as many as a server has threads."""

_CACHE_KIB = 65_536
_CHECKPOINT_BYTES = 16 * 1024 * 1024
_RESTART_BYTES = 4 * _CHECKPOINT_BYTES
_PAGE = 4096
_TENTH = 0.1
JOBS_LOCK = 0x746F7067  # "topg": writers of all processes take turns by it on PostgreSQL


class Database:
    """Connections to one database: one that writes, behind a lock, and some that read.

    SQLite: one connection writes, and is told before each transaction whether its commit waits
    for the disk (`synchronous` FULL) or not (NORMAL): two connections would empty each other's
    page caches at each turn.

    PostgreSQL: `lock` is the number of the advisory lock by which writers take turns.
    """

    def __init__(self, url: URL, wait: float, lock: int = JOBS_LOCK) -> None:
        self.url = url
        self._turn = lock
        self.path = url.database if url.get_backend_name() == "sqlite" else None
        self.on_rollback: Callable[[], None] = lambda: None
        self.wait = wait
        self.call_wait = min(wait, CALL)
        self._lock = threading.Lock()
        self._synced = ""
        self._busy = -1.0
        self._file: tuple[int, int] | None = None
        self._closed = False
        make = _sqlite_engine if self.path is not None else _postgresql_engine
        self._writer = make(url, wait, writes=True)
        self._reader = make(url, wait, writes=False)

    @contextmanager
    def write(self, *, durable: bool, wait: float | None = None) -> Iterator[Connection]:
        """Give a connection in a transaction, committed at the end; writers take turns.

        Without `durable` the commit doesn't wait for the disk. `wait` is how many seconds at most
        are waited for others, if less than the database's own.
        """
        most = self.wait if wait is None else min(wait, self.wait)
        with self._turns(most) as left, self.explained():
            try:
                with self._writer.connect() as connection:
                    if self.path is not None:
                        self._prepare_sqlite(connection, durable, left)
                    with connection.begin():
                        if self.path is None:
                            _prepare_postgresql(connection, durable, self._turn, left)
                        yield connection
            except BaseException:
                self.on_rollback()
                raise

    @contextmanager
    def _turns(self, most: float) -> Iterator[float]:
        """Wait for our turn, `most` seconds; give what is left of them for other processes."""
        began = time.monotonic()
        if not self._lock.acquire(timeout=most):
            raise errors.StoreLocked(
                f"{self.name}: others write and wait already, too many at once"
            )
        try:
            yield max(most - (time.monotonic() - began), 0.001)
        finally:
            self._lock.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees the database as it is at the first look."""
        with self.explained(), self._reader.connect() as connection, connection.begin():
            yield connection

    @property
    def outlives_crashes(self) -> bool:
        """Whether what was committed without waiting for the disk is safe unless the machine fails.

        SQLite gives it to the operating system; PostgreSQL keeps it for a moment in memory of its
        own, which is gone when one of its processes is killed.
        """
        return self.path is not None

    def session(self) -> Connection:
        """Return a connection without transactions, for the caller to close."""
        return self._reader.connect().execution_options(isolation_level="AUTOCOMMIT")

    def check_file(self) -> None:
        """Raise StoreMissing if the file of SQLite isn't the one that was opened any more.

        Whoever removes or replaces it leaves us with one that has no name: everything written
        to it is lost with the last connection. SQLite itself notices only at some writes.
        """
        if self._file is not None and _identity(str(self.path)) != self._file:
            raise errors.StoreMissing(
                f"{self.path} was removed or replaced while this program has it open:"
                " put it back, or start again"
            )

    def sync(self) -> None:
        """Bring everything that was committed onto the disk; writers go on meanwhile.

        SQLite: all commits are in the -wal file, so a sync of that file is enough (an empty
        commit would sync nothing, a checkpoint syncs two files). It is also where the -wal file is
        carried over into the database once it has grown, so that no commit stops for it.
        PostgreSQL: a commit that waits for the disk waits for all before it.
        """
        if self.path is None:
            with self.write(durable=True) as connection:
                connection.execute(
                    text("SELECT pg_logical_emit_message(true, 'topgallant', 'sync')")
                )
            return
        size = _sync_file(f"{self.path}-wal")
        if size > _CHECKPOINT_BYTES:
            self._checkpoint("PASSIVE")
        if size > _RESTART_BYTES:
            with self._lock:  # while nobody writes, the file can begin anew
                self._checkpoint("RESTART")

    def close(self) -> None:
        """Sync, and let go of the connections; with the last one the -wal file is carried over."""
        if self._closed:
            return
        self._closed = True
        with suppress(errors.StoreError):  # a server that is away has what it has
            self.sync()
        with self._lock:
            self._reader.dispose()
            self._writer.dispose()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn errors of the database that users can cause into ours."""
        try:
            yield
        except PoolTimeout as error:
            raise errors.StoreLocked(f"{self.name}: more than {READERS} readers") from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            ours = self._ours(error)
            if ours is None:
                raise
            raise ours from error

    @property
    def name(self) -> str:
        """What the database is called in messages; without a password."""
        return self.path or self.url.render_as_string(hide_password=True)

    def _prepare_sqlite(self, connection: Connection, durable: bool, wait: float) -> None:
        if self._file is None:
            self._file = _identity(str(self.path))
        self.check_file()
        wanted = "FULL" if durable else "NORMAL"
        driver = connection.connection.dbapi_connection
        if wanted != self._synced and driver is not None:
            driver.execute(f"PRAGMA synchronous = {wanted}")
            self._synced = wanted
        tenths = -(-wait // _TENTH)  # so that it is mostly what it was
        if tenths != self._busy and driver is not None:
            driver.execute(f"PRAGMA busy_timeout = {int(tenths * _TENTH * 1000)}")
            self._busy = tenths

    def _checkpoint(self, kind: str) -> None:
        with self.explained(), self._reader.connect() as connection:
            driver = connection.connection.dbapi_connection
            assert driver is not None  # noqa: S101  (it is connected)
            driver.execute(f"PRAGMA wal_checkpoint({kind})")

    def _ours(self, error: Exception) -> Exception | None:
        origin = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(origin, sqlite3.Error):
            return self._of_sqlite(origin)
        code = getattr(origin, "sqlstate", None) or ""
        for prefix, kind, said in _POSTGRESQL:
            if code.startswith(prefix):
                return kind(f"{self.name}: {said}: {str(origin).strip()}")
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if lost or isinstance(error, OperationalError):  # whatever it is, no mistake of ours
            reason = str(origin).strip().splitlines()[0]
            return errors.StoreAway(f"{self.name} doesn't answer: {reason}")
        return None

    def _of_sqlite(self, origin: sqlite3.Error) -> Exception | None:
        code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
        if code not in _SQLITE:
            return None
        kind, said = _SQLITE[code]
        return kind(f"{self.path}: {said} ({origin})")


_SQLITE: dict[int, tuple[type[errors.StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (errors.StoreLocked, "another process keeps it locked; is it stuck?"),
    sqlite3.SQLITE_PROTOCOL: (errors.StoreLocked, "others lock it again and again"),
    sqlite3.SQLITE_LOCKED: (errors.StoreLocked, "another connection keeps it locked"),
    sqlite3.SQLITE_READONLY: (errors.StoreReadOnly, "it can't be written to"),
    sqlite3.SQLITE_PERM: (errors.StoreReadOnly, "it can't be written to"),
    sqlite3.SQLITE_CANTOPEN: (
        errors.StoreReadOnly,
        "it can't be opened, or its folder not written",
    ),
    sqlite3.SQLITE_NOTADB: (errors.StoreDamaged, "it is no database"),
    sqlite3.SQLITE_CORRUPT: (errors.StoreDamaged, "it is damaged; put a backup in its place"),
    sqlite3.SQLITE_FULL: (errors.StoreFull, "the disk is full"),
    sqlite3.SQLITE_IOERR: (errors.StoreError, "the disk fails"),
}

# The first characters of SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: tuple[tuple[str, type[errors.StoreError], str], ...] = (
    ("55P03", errors.StoreLocked, "another process keeps it locked; is it stuck?"),
    ("40", errors.StoreLocked, "another process was in the way"),
    ("25006", errors.StoreReadOnly, "it can't be written to"),
    ("42501", errors.StoreReadOnly, "the user may not do this"),
    ("XX001", errors.StoreDamaged, "it is damaged; put a backup in its place"),
    ("XX002", errors.StoreDamaged, "it is damaged; put a backup in its place"),
    ("53100", errors.StoreFull, "the disk is full"),
    ("57P", errors.StoreAway, "the server is stopping or starting"),
    ("08", errors.StoreAway, "the connection is lost"),
    ("53", errors.StoreAway, "the server has no room"),
    ("28", errors.StoreAway, "it lets us not in"),
    ("3D", errors.StoreAway, "there is no such database"),
)


def _sqlite_engine(url: URL, wait: float, *, writes: bool) -> Engine:
    engine = create_engine(
        url,
        pool_size=1 if writes else 8,
        max_overflow=0 if writes else READERS - 8,
        pool_timeout=wait,
        pool_reset_on_return=None,  # `begin` has ended by then
        connect_args={"check_same_thread": False, "timeout": wait},
    )
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions begin when we say so
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB if writes else _CACHE_KIB // 8}")
        connection.execute("PRAGMA temp_store = MEMORY")
        if writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA journal_size_limit = {_RESTART_BYTES}")
            # Only if nobody calls `sync`: a checkpoint inside a commit makes it wait.
            connection.execute(f"PRAGMA wal_autocheckpoint = {2 * _RESTART_BYTES // _PAGE}")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _postgresql_engine(url: URL, wait: float, *, writes: bool) -> Engine:
    milliseconds = int(wait * 1000)
    return create_engine(
        url,
        pool_size=1 if writes else 8,
        max_overflow=0 if writes else READERS - 8,
        pool_timeout=wait,
        pool_pre_ping=True,  # the server may have been away between two calls
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        connect_args={
            "connect_timeout": max(2, int(min(wait, CALL))),
            "options": f"-c lock_timeout={milliseconds} -c timezone=UTC",
            "application_name": "topgallant",
            # A server that is unplugged is noticed after half a minute, not two hours.
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        },
    )


def _prepare_postgresql(connection: Connection, durable: bool, lock: int, wait: float) -> None:
    connection.exec_driver_sql(
        f"SET LOCAL lock_timeout = {max(int(wait * 1000), 1)};"
        f" SELECT pg_advisory_xact_lock({lock})"
        + ("" if durable else ", set_config('synchronous_commit', 'off', true)")
    )


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _sync_file(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0  # nothing was written yet
    try:
        os.fdatasync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def check_url(url: URL) -> URL:
    """Return the URL with the driver that we have.

    Raises
    ------
    UsageError
        It names something else than a file of SQLite or a database of PostgreSQL.
    """
    kind = url.get_backend_name()
    if kind == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if kind == "sqlite" and url.database and url.database != ":memory:" and not url.query:
        return url.set(database=os.path.abspath(url.database))
    raise UsageError(
        f"{url.render_as_string()!r} is no store: sqlite:////folder/file or"
        " postgresql://user@host/database are"
    )
