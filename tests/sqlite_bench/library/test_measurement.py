from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, get_args

import pytest

from projects.core.errors import InfrastructureError, TestFailed, UsageError
from projects.sqlite_bench.library import measurement
from projects.sqlite_bench.library.measurement import Load, check_in_force, connect, repeat
from projects.sqlite_bench.library.points import JournalMode, Point, Synchronous

if TYPE_CHECKING:
    from pathlib import Path

    from projects.sqlite_bench.library.statistics import Repetition

ONE_TRANSACTION = Load(seconds=1e-9, warmup_transactions=0, rows_limit=1000, row_bytes=20)


def rows_in(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM measured").fetchone()[0])


@pytest.mark.parametrize("synchronous", get_args(Synchronous))
@pytest.mark.parametrize("journal_mode", get_args(JournalMode))
def test_every_combination_is_really_in_force(
    tmp_path: Path, journal_mode: JournalMode, synchronous: Synchronous
) -> None:
    database = tmp_path / "data.sqlite"
    repetition = repeat(database, Point(journal_mode, synchronous, 7), ONE_TRANSACTION)
    assert (repetition.transactions, repetition.rows) == (1, 7)
    assert rows_in(database) == 7


def test_warm_up_transactions_are_written_and_not_counted(tmp_path: Path) -> None:
    load = Load(seconds=1e-9, warmup_transactions=3, rows_limit=1000, row_bytes=20)
    repetition = repeat(tmp_path / "data.sqlite", Point("wal", "off", 5), load)
    assert repetition.rows == 5
    assert rows_in(tmp_path / "data.sqlite") == 20


def test_a_repetition_ends_at_the_row_limit(tmp_path: Path) -> None:
    load = Load(seconds=60, warmup_transactions=0, rows_limit=25, row_bytes=20)
    assert repeat(tmp_path / "data.sqlite", Point("wal", "off", 10), load).rows == 20


def test_latencies_and_the_checkpoint_are_inside_the_elapsed_time(tmp_path: Path) -> None:
    load = Load(seconds=60, warmup_transactions=1, rows_limit=100, row_bytes=20)
    repetition = repeat(tmp_path / "data.sqlite", Point("wal", "normal", 10), load)
    assert repetition.transactions == 10
    assert repetition.checkpoint_ns > 0
    assert sum(repetition.latencies_ns) + repetition.checkpoint_ns <= repetition.elapsed_ns


def test_a_rollback_journal_has_no_checkpoint_to_pay(tmp_path: Path) -> None:
    database = tmp_path / "data.sqlite"
    repetition = repeat(database, Point("truncate", "off", 1), ONE_TRANSACTION)
    assert repetition.checkpoint_ns == 0


def test_the_log_is_in_the_file_when_the_repetition_ends(tmp_path: Path) -> None:
    database = tmp_path / "data.sqlite"
    repeat(database, Point("wal", "full", 10), ONE_TRANSACTION)
    assert [path.name for path in tmp_path.iterdir()] == ["data.sqlite"]


def test_a_file_that_exists_is_never_written_to(tmp_path: Path) -> None:
    database = tmp_path / "precious.sqlite"
    database.write_text("precious")
    with pytest.raises(UsageError, match="fresh file"):
        repeat(database, Point("wal", "full", 1), ONE_TRANSACTION)
    assert database.read_text() == "precious"


def test_a_refused_journal_mode_is_an_error_and_not_another_measurement(tmp_path: Path) -> None:
    database = tmp_path / "data.sqlite"
    with (
        closing(connect(database, Point("delete", "full", 1))) as connection,
        pytest.raises(InfrastructureError, match=r"asked for journal_mode=wal.*stays at delete"),
    ):
        check_in_force(connection, database, Point("wal", "full", 1))


def test_a_file_system_without_shared_memory_refuses_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite's own switch: without locks a database cannot have a write-ahead log.
    real = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **kw: real(f"file:{path}?vfs=unix-none", uri=True, **kw)
    )
    with pytest.raises(InfrastructureError, match=r"asked for journal_mode=wal.*stays at delete"):
        repeat(tmp_path / "data.sqlite", Point("wal", "full", 1), ONE_TRANSACTION)


def test_another_synchronous_level_is_an_error(tmp_path: Path) -> None:
    database = tmp_path / "data.sqlite"
    with closing(connect(database, Point("wal", "full", 1))) as connection:
        connection.execute("PRAGMA synchronous=off")
        with pytest.raises(InfrastructureError, match=r"asked for synchronous=full.*stays at 0"):
            check_in_force(connection, database, Point("wal", "full", 1))


def test_a_setting_that_changes_on_the_way_spoils_the_repetition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = measurement._write

    def write_otherwise(connection: sqlite3.Connection, point: Point, load: Load) -> Repetition:
        connection.execute("PRAGMA synchronous=off")
        return write(connection, point, load)

    monkeypatch.setattr(measurement, "_write", write_otherwise)
    with pytest.raises(InfrastructureError, match=r"asked for synchronous=full"):
        repeat(tmp_path / "data.sqlite", Point("wal", "full", 1), ONE_TRANSACTION)


def test_a_database_in_memory_is_not_this_disk(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA synchronous=full")
        with pytest.raises(InfrastructureError, match="SQLite writes to"):
            check_in_force(connection, tmp_path / "data.sqlite", Point("memory", "full", 1))


def test_missing_rows_fail_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "INSERT", "INSERT INTO measured (payload) SELECT ? WHERE 0")
    with pytest.raises(TestFailed, match="3 rows were committed, 0 are there"):
        repeat(tmp_path / "data.sqlite", Point("wal", "off", 3), ONE_TRANSACTION)


def test_sqlite_s_own_errors_name_the_file_and_the_point(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="journal_mode=wal synchronous=full"):
        repeat(tmp_path / "missing" / "data.sqlite", Point("wal", "full", 1), ONE_TRANSACTION)


@pytest.mark.parametrize(
    ("load", "batch_size", "said"),
    [
        (Load(1, 0, 10, 1), 0, "batch_size=0"),
        (Load(1, 0, 10, 1), 11, "cannot have more rows"),
        (Load(0, 0, 10, 1), 1, "seconds=0"),
        (Load(1, -1, 10, 1), 1, "warmup_transactions=-1"),
        (Load(1, 0, 10, 0), 1, "row_bytes=0"),
        (Load(1, 0, 10, 1 << 30), 1, "at most"),
    ],
)
def test_an_amount_that_cannot_be_measured_is_refused(
    tmp_path: Path, load: Load, batch_size: int, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        repeat(tmp_path / "data.sqlite", Point("wal", "full", batch_size), load)
    assert not list(tmp_path.iterdir())


def test_a_delay_is_part_of_every_latency_and_of_nothing_else(tmp_path: Path) -> None:
    load = Load(seconds=1e-9, warmup_transactions=0, rows_limit=10, row_bytes=20, delay_ms=5)
    repetition = repeat(tmp_path / "data.sqlite", Point("wal", "off", 1), load)
    assert min(repetition.latencies_ns) >= 5_000_000
    assert rows_in(tmp_path / "data.sqlite") == repetition.rows


def test_a_wait_is_never_shorter_than_asked_for() -> None:
    for nanoseconds in (1_000, 400_000):
        began = time.perf_counter_ns()
        measurement.wait(nanoseconds)
        assert time.perf_counter_ns() - began >= nanoseconds


@pytest.mark.parametrize("delay_ms", [-1, 10_001, float("nan")])
def test_a_delay_that_makes_no_sense_is_refused(tmp_path: Path, delay_ms: float) -> None:
    load = Load(seconds=1, warmup_transactions=0, rows_limit=10, row_bytes=20, delay_ms=delay_ms)
    with pytest.raises(UsageError, match="delay_ms"):
        repeat(tmp_path / "data.sqlite", Point("wal", "off", 1), load)
