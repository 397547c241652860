"""The history in a folder: one SQLite file, written by any number of processes."""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from projects.core.errors import ConfigurationError, InfrastructureError, unreadable
from projects.core.secrets import masking
from projects.matrix_benchmarking.history.history import (
    MOST_POINTS,
    PointOfSeries,
    StoredRun,
    StoredSeries,
    assemble,
    check_limit,
    points_of,
    series_key,
)
from projects.matrix_benchmarking.kpis.payload import as_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.kpis.payload import Payload

FILE = "history.sqlite"

SCHEMA_VERSION = 1
_APPLICATION_ID = 0x746F7067  # "topg"

WAIT_SECONDS = 60.0
"""So long a writer waits for another one."""

_SCHEMA = """
CREATE TABLE payload (
    test_uuid TEXT PRIMARY KEY,
    workload TEXT NOT NULL,
    run_id TEXT NOT NULL,
    end_us INTEGER NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX payload_by_run ON payload (workload, run_id, end_us);
CREATE TABLE series (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE fingerprint (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE point (
    series INTEGER NOT NULL REFERENCES series,
    end_us INTEGER NOT NULL,
    test_uuid TEXT NOT NULL,
    value REAL NOT NULL,
    lower_better INTEGER NOT NULL,
    unit TEXT NOT NULL,
    fingerprint INTEGER NOT NULL REFERENCES fingerprint,
    run_id TEXT NOT NULL,
    samples TEXT NOT NULL,
    PRIMARY KEY (series, end_us, test_uuid)
) WITHOUT ROWID;
CREATE TABLE counter (identifier TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

_EPOCH = datetime.fromtimestamp(0, UTC)


class SqliteHistory:
    """A history in `folder`, which is made if it isn't there; not for network file systems.

    What was appended stays, whatever process is killed when. A file that is damaged, or written
    by a newer version of this toolkit, is refused and left as it is.

    Errors
    ------
    InfrastructureError
        The folder cannot be written to, or the file is damaged.
    ConfigurationError
        The file is no history, or one of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unreadable(folder, error) from error
        with self._explained():
            self._connection = sqlite3.connect(
                self.path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @property
    def address(self) -> str:
        """The path of the file."""
        return str(self.path)

    def append(self, payloads: Sequence[Payload]) -> int:
        """Keep payloads that are not there yet, all or none; return how many."""
        with self._explained(), self._transaction():
            return sum(self._append(payload) for payload in payloads)

    def series(
        self,
        kpi: str,
        labels: Mapping[str, str],
        *,
        workload: str = "",
        limit: int = MOST_POINTS,
    ) -> StoredSeries:
        """Return the newest `limit` values of a KPI with exactly these labels."""
        query = """
            SELECT end_us, value, lower_better, unit, text, samples, run_id, test_uuid
            FROM point JOIN fingerprint ON fingerprint.id = point.fingerprint
            WHERE series = (SELECT id FROM series WHERE key = ?)
            ORDER BY end_us DESC, test_uuid DESC LIMIT ?"""
        words = (series_key(workload, kpi, labels), check_limit(limit))
        with self._explained():
            rows = self._connection.execute(query, words).fetchall()
        return assemble(kpi, labels, [_point(row) for row in rows])

    def runs(self, *, workload: str = "", limit: int = 100) -> list[StoredRun]:
        """Return the newest runs, the newest first."""
        query = """
            SELECT run_id, max(end_us) AS newest, count(*) FROM payload WHERE workload = ?
            GROUP BY run_id ORDER BY newest DESC, run_id DESC LIMIT ?"""
        with self._explained():
            rows = self._connection.execute(query, (workload, check_limit(limit))).fetchall()
        return [StoredRun(run, workload, _moment(end), count) for run, end, count in rows]

    def next_build_index(self, identifier: str) -> int:
        """Return the next number of `identifier`, beginning with 1."""
        query = """
            INSERT INTO counter VALUES (?, 1)
            ON CONFLICT (identifier) DO UPDATE SET value = value + 1 RETURNING value"""
        with self._explained(), self._transaction():
            ((value,),) = self._connection.execute(query, (identifier,)).fetchall()
        return int(value)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self) -> None:
        run = self._connection.execute
        version, application = self._version()
        if application not in (0, _APPLICATION_ID) or (version and not application):
            raise ConfigurationError(f"{self.path}: a SQLite file, but no history of KPIs")
        if version > SCHEMA_VERSION:
            raise ConfigurationError(
                f"{self.path}: written by a newer version of this toolkit (format {version}, "
                f"this one knows {SCHEMA_VERSION}); use that version, or another folder"
            )
        run("PRAGMA journal_mode = WAL").fetchall()
        run("PRAGMA synchronous = FULL")
        if version == 0:
            with self._transaction():
                if self._version()[0] == 0:  # nobody was faster
                    self._create()

    def _version(self) -> tuple[int, int]:
        run = self._connection.execute
        ((version,),) = run("PRAGMA user_version").fetchall()
        ((application,),) = run("PRAGMA application_id").fetchall()
        return version, application

    def _create(self) -> None:
        run = self._connection.execute
        if run("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall():
            raise ConfigurationError(f"{self.path}: a SQLite file, but no history of KPIs")
        for statement in _SCHEMA.split(";"):
            run(statement)
        run(f"PRAGMA application_id = {_APPLICATION_ID}")
        run(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _append(self, payload: Payload) -> int:
        metadata = payload.metadata
        document = json.dumps(as_document(payload), ensure_ascii=False, sort_keys=True)
        end = _microseconds(metadata.end)
        row = (
            str(metadata.test_uuid),
            metadata.workload,
            masking.mask(metadata.run_id),
            end,
            metadata.status,
            masking.mask(document),
        )
        done = self._connection.execute(
            "INSERT OR IGNORE INTO payload VALUES (?, ?, ?, ?, ?, ?)", row
        )
        if not done.rowcount:
            return 0
        points = [self._row(payload, end, kpi, value) for kpi, value in points_of(payload)]
        self._connection.executemany("INSERT INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", points)
        return 1

    def _row(self, payload: Payload, end: int, kpi: KpiValue, value: float) -> tuple[object, ...]:
        metadata = payload.metadata
        key = series_key(metadata.workload, kpi.name, kpi.labels)
        return (
            self._id("series", "key", key),
            end,
            str(metadata.test_uuid),
            value,
            kpi.lower_better,
            kpi.unit,
            self._id("fingerprint", "text", json.dumps(metadata.fingerprint, sort_keys=True)),
            masking.mask(metadata.run_id),
            json.dumps(kpi.samples),
        )

    def _id(self, table: str, column: str, text: str) -> int:
        """Return the row that holds `text`, added if need be; the names are ours."""
        run = self._connection.execute
        query = f"SELECT id FROM {table} WHERE {column} = ?"  # noqa: S608
        found = run(query, (text,)).fetchone()
        if found is None:
            run(f"INSERT INTO {table} ({column}) VALUES (?)", (text,))  # noqa: S608
            found = run(query, (text,)).fetchone()
        return int(found[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise InfrastructureError(f"history {self.path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise InfrastructureError(
                f"history {self.path}: {error}. The file is left as it is: move it away to begin "
                f"a new history, or put a copy of it back"
            ) from error


def _point(row: tuple[int, float, int, str, str, str, str, str]) -> PointOfSeries:
    end, value, lower_better, unit, fingerprint, samples, run, test_uuid = row
    return PointOfSeries(
        time=_moment(end),
        value=value,
        lower_better=bool(lower_better),
        unit=unit,
        fingerprint=json.loads(fingerprint),
        samples=tuple(json.loads(samples)),
        run=run,
        test_uuid=test_uuid,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
