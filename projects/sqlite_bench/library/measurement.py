"""The measuring loop: one repetition on a fresh database file, checked before it counts."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, TestFailed, UsageError
from projects.sqlite_bench.library.points import SYNCHRONOUS_NUMBERS, Point
from projects.sqlite_bench.library.statistics import (
    NANOSECONDS_PER_MILLISECOND,
    NANOSECONDS_PER_SECOND,
    Repetition,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAYLOADS_BYTES = 1 << 20
"""So much random data is made and used in turn: a compressing file system gains little."""

ROW_BYTES_LIMIT = 1 << 20
"""Larger rows are refused."""

DELAY_MS_LIMIT = 10_000
"""Longer delays are refused."""

SLEEP_INEXACT_NS = 300_000
"""A sleep may end so much late; the rest of a delay is waited for awake."""

INSERT = "INSERT INTO measured (payload) VALUES (?)"


@dataclass(frozen=True, slots=True)
class Load:
    """How much one repetition does: it ends after `seconds` or `rows_limit` rows.

    At least one transaction is timed; `warmup_transactions` come first and are not.
    A row is `row_bytes` bytes of random data beside its row id. Each transaction, the timed ones
    too, is held open for `delay_ms` before its COMMIT: a slowdown whose size is known.
    """

    seconds: float
    warmup_transactions: int
    rows_limit: int
    row_bytes: int
    delay_ms: float = 0.0

    def check(self, point: Point) -> None:
        """Refuse amounts that cannot be measured, with `UsageError`."""
        least_one = {
            "batch_size": point.batch_size,
            "rows_limit": self.rows_limit,
            "row_bytes": self.row_bytes,
        }
        for name, value in least_one.items():
            if value < 1:
                raise UsageError(f"{name}={value}: at least 1 is needed")
        if self.row_bytes > ROW_BYTES_LIMIT:
            raise UsageError(f"row_bytes={self.row_bytes}: at most {ROW_BYTES_LIMIT} is possible")
        if self.seconds <= 0:
            raise UsageError(f"seconds={self.seconds}: more than 0 is needed")
        if self.warmup_transactions < 0:
            raise UsageError(
                f"warmup_transactions={self.warmup_transactions}: at least 0 is needed"
            )
        if not 0 <= self.delay_ms <= DELAY_MS_LIMIT:
            raise UsageError(f"delay_ms={self.delay_ms}: 0 to {DELAY_MS_LIMIT} is possible")
        if point.batch_size > self.rows_limit:
            raise UsageError(
                f"batch_size={point.batch_size}: a transaction cannot have more rows than "
                f"a repetition may write, rows_limit={self.rows_limit}"
            )


def repeat(database: Path, point: Point, load: Load) -> Repetition:
    """Write to `database`, which must not exist yet, and return what that cost.

    The settings are checked to be in force before and after, the rows are counted and the file
    is checked through a second connection. Raises `InfrastructureError` where SQLite or the file
    system refuses a setting or runs out of space, `TestFailed` where rows are missing.
    """
    load.check(point)
    if database.exists():
        raise UsageError(f"{database} exists: a repetition starts with a fresh file")
    try:
        with closing(connect(database, point)) as connection:
            repetition = _write(connection, point, load)
            check_in_force(connection, database, point)
        _check_content(database, load.warmup_transactions * point.batch_size + repetition.rows)
        _settle(database)
    except sqlite3.Error as error:
        raise InfrastructureError(f"{database}: {error} ({point})") from error
    return repetition


def connect(database: Path, point: Point) -> sqlite3.Connection:
    """Return a connection to a fresh file with an empty table and the settings in force."""
    # No isolation level: every BEGIN and COMMIT is ours, Python adds none.
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        connection.execute(f"PRAGMA journal_mode={point.journal_mode}")
        connection.execute(f"PRAGMA synchronous={point.synchronous}")
        connection.execute("CREATE TABLE measured (id INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
        check_in_force(connection, database, point)
    except BaseException:
        connection.close()
        raise
    return connection


def check_in_force(connection: sqlite3.Connection, database: Path, point: Point) -> None:
    """Raise `InfrastructureError` unless SQLite really does what is about to be measured.

    SQLite answers a journal mode that it cannot have (a write-ahead log on a file system without
    shared memory, `off` in a hardened build) by silently keeping another one.
    """
    (journal_mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if journal_mode != point.journal_mode:
        raise InfrastructureError(
            f"{database}: asked for journal_mode={point.journal_mode}, SQLite "
            f"{sqlite3.sqlite_version} stays at {journal_mode}: this file system or this build "
            f"refuses it, so the point cannot be measured here"
        )
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if synchronous != SYNCHRONOUS_NUMBERS[point.synchronous]:
        raise InfrastructureError(
            f"{database}: asked for synchronous={point.synchronous} "
            f"({SYNCHRONOUS_NUMBERS[point.synchronous]}), SQLite {sqlite3.sqlite_version} "
            f"stays at {synchronous}, so the point cannot be measured here"
        )
    file_names = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
    if not file_names or not file_names[0] or not os.path.samefile(file_names[0], database):
        raise InfrastructureError(f"{database}: SQLite writes to {file_names or 'memory'} instead")


def _payloads(row_bytes: int) -> Iterator[tuple[bytes]]:
    source = random.Random(row_bytes)  # noqa: S311 - the same rows each time, nothing secret
    different = PAYLOADS_BYTES // row_bytes
    return itertools.cycle([(source.randbytes(row_bytes),) for _ in range(different)])


def wait(nanoseconds: int) -> None:
    """Return after `nanoseconds`, within microseconds."""
    end = time.perf_counter_ns() + nanoseconds
    if nanoseconds > SLEEP_INEXACT_NS:
        time.sleep((nanoseconds - SLEEP_INEXACT_NS) / NANOSECONDS_PER_SECOND)
    while time.perf_counter_ns() < end:
        pass


def _write(connection: sqlite3.Connection, point: Point, load: Load) -> Repetition:
    payloads = _payloads(load.row_bytes)
    execute, executemany, clock = connection.execute, connection.executemany, time.perf_counter_ns
    batch_size = point.batch_size
    most_transactions = load.rows_limit // batch_size
    delay_ns = int(load.delay_ms * NANOSECONDS_PER_MILLISECOND)

    def transact() -> None:
        execute("BEGIN IMMEDIATE")
        executemany(INSERT, itertools.islice(payloads, batch_size))
        if delay_ns:
            wait(delay_ns)
        execute("COMMIT")

    for _ in range(load.warmup_transactions):
        transact()
    latencies: list[int] = []
    first = now = clock()
    deadline = first + int(load.seconds * NANOSECONDS_PER_SECOND)
    while not latencies or (now < deadline and len(latencies) < most_transactions):
        started = clock()
        transact()
        now = clock()
        latencies.append(now - started)
    end = now
    if point.journal_mode == "wal":
        # A log only postpones the work on the database file; the rate must include it.
        (busy, _, _) = execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise InfrastructureError("the closing checkpoint found the database busy")
        end = clock()
    return Repetition(batch_size, tuple(latencies), end - first, checkpoint_ns=end - now)


def _check_content(database: Path, expected_rows: int) -> None:
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM measured").fetchone()
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if rows != expected_rows:
        raise TestFailed(f"{database}: {expected_rows} rows were committed, {rows} are there")
    if verdict != "ok":
        raise TestFailed(f"{database}: SQLite finds the file damaged: {verdict}")


def _settle(database: Path) -> None:
    # What `synchronous=off` left in memory must not be paid for by the next measurement.
    descriptor = os.open(database, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
