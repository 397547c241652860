from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import InfrastructureError, NoResults, UsageError
from projects.core.library import env
from projects.sqlite_bench.library import measurement
from projects.sqlite_bench.toolbox import sqlite

if TYPE_CHECKING:
    from pathlib import Path

QUICK = {"repetitions": 2, "seconds": 0.001, "warmup_transactions": 1, "rows_limit": 100}


def measure(result: Path, journal_mode: str = "wal", **changed: object) -> Path:
    result.mkdir(parents=True)
    with env.TempArtifactDir(result):
        sqlite.measure(journal_mode, "full", 10, **QUICK | changed)  # type: ignore[arg-type]
    return result


def test_a_point_becomes_a_result(tmp_path: Path) -> None:
    result = measure(tmp_path / "run")
    assert sorted(path.name for path in result.iterdir()) == [
        "exit_code",
        "fingerprint.yaml",
        "results.json",
        "settings.yaml",
    ]
    numbers = json.loads((result / "results.json").read_text())
    assert len(numbers["repetitions"]) == 2
    assert numbers["rows_per_second"] > 0
    assert 0 < numbers["latency_p50_ms"] <= numbers["latency_p99_ms"]
    assert numbers["after_power_loss"] == "kept"
    assert numbers["load"]["warmup_transactions"] == 1
    assert numbers["surroundings"]["directory"] == str(result)


def test_the_data_lies_on_the_disk_that_was_asked_for_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    repeat = measurement.repeat

    def watch(database: Path, *others: object) -> object:
        seen.append(database)
        return repeat(database, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(measurement, "repeat", watch)
    disk = tmp_path / "disk"
    disk.mkdir()
    measure(tmp_path / "run", directory=disk)
    assert [path.parent.parent for path in seen] == [disk, disk]
    assert not list(disk.iterdir())


def test_a_point_that_cannot_be_measured_says_so_in_its_result(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(InfrastructureError, match="No such file or directory"):
        measure(tmp_path / "run", directory=missing)
    assert (tmp_path / "run" / "exit_code").read_text() == "2\n"
    assert not (tmp_path / "run" / "results.json").exists()


def test_no_repetition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="repetitions=0"):
        measure(tmp_path / "run", repetitions=0)


def test_a_comparison_is_written_for_people_and_for_spreadsheets(tmp_path: Path) -> None:
    measure(tmp_path / "run" / "000__wal")
    measure(tmp_path / "run" / "001__delete", "delete")
    with env.TempArtifactDir(tmp_path / "own"):
        sqlite.compare(tmp_path / "run")
    table = (tmp_path / "own" / "summary.txt").read_text()
    assert "10 rows per transaction" in table
    assert "wal " in table
    assert "delete " in table
    assert len((tmp_path / "own" / "results.csv").read_text().splitlines()) == 3


def test_a_comparison_goes_where_it_is_sent(tmp_path: Path) -> None:
    measure(tmp_path / "run" / "000__wal")
    with env.TempArtifactDir(tmp_path / "own"):
        sqlite.compare(tmp_path / "run", destination=tmp_path / "run")
    assert (tmp_path / "run" / "summary.txt").is_file()
    assert not list((tmp_path / "own").iterdir())


def test_nothing_to_compare_is_no_results(tmp_path: Path) -> None:
    with pytest.raises(NoResults, match="no point was measured"):
        sqlite.compare(tmp_path)


def test_preparation_says_what_will_be_measured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        sqlite.prepare(tmp_path)
    assert f"{tmp_path}: writable" in caplog.text
    assert "file_system: " in caplog.text


def test_preparation_refuses_a_disk_without_room(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="choose another tests"):
        sqlite.prepare(tmp_path, rows_limit=10**15)


def test_cleanup_removes_what_an_interrupted_measurement_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # No process can have this number, so its owner is gone: Linux counts to 2**22.
    left = tmp_path / f"sqlite_bench.{2**22 + 1}.abc"
    left.mkdir()
    (left / "0.sqlite").touch()
    (tmp_path / "precious").touch()
    with caplog.at_level(logging.INFO):
        sqlite.cleanup(tmp_path)
        sqlite.cleanup(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert f"removed {left}" in caplog.text
    assert "nothing was left behind" in caplog.text
