"""What `sqlite measure` leaves becomes KPIs, the same from a copy."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.kpis import payload
from projects.matrix_benchmarking.kpis.kpi import find_kpis
from projects.matrix_benchmarking.results.load import load
from projects.matrix_benchmarking.results.parser import find_parser
from projects.sqlite_bench.library.results import result_directory, write_numbers
from projects.sqlite_bench.library.statistics import Repetition, as_document

if TYPE_CHECKING:
    from pathlib import Path

WORKLOAD = "sqlite_bench.sqlite"


def measured(folder: Path, batch_size: int) -> None:
    repetitions = [
        Repetition(batch_size, tuple(1_000_000 * n for n in range(1, 101)), 10**9),
        Repetition(batch_size, (2_000_000,) * 100, 10**9 // 2),
    ]
    folder.mkdir(parents=True)
    point = {"journal_mode": "off", "synchronous": "full", "batch_size": batch_size}
    with result_directory(folder, point | {"row_bytes": 100}):
        write_numbers(folder, as_document(repetitions))


def kpis(root: Path) -> str:
    found = load(root, find_parser(WORKLOAD))
    return payload.dumps_kpis(payload.build_all(found.results, find_kpis(WORKLOAD)))


def test_the_kpis_of_a_point(tmp_path: Path) -> None:
    measured(tmp_path / "000__sqlite__measure", 10)
    (found,) = json.loads(kpis(tmp_path))
    labels = {"journal_mode": "off", "synchronous": "full", "batch_size": "10"}
    assert {name: each["value"] for name, each in found.items()} == {
        "throughput": 1500.0,
        "latency_p50": 2.0,
        "latency_p99": 98.0,
        "latency_max": 100.0,
    }
    assert all(each["labels"] == labels for each in found.values())
    assert found["throughput"]["samples"] == [1000.0, 2000.0]
    assert found["latency_p99"]["samples"] == [99.0, 2.0]
    assert [name for name, each in found.items() if not each["lower_better"]] == ["throughput"]
    assert [name for name, each in found.items() if each["ignored_for_regression"]] == [
        "latency_max"
    ]


def test_a_copy_gives_the_same_bytes(tmp_path: Path) -> None:
    for batch_size in (1, 10):
        measured(tmp_path / "run" / f"{batch_size}", batch_size)
    first = kpis(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    assert kpis(tmp_path / "copy") == first == kpis(tmp_path / "run")


def test_a_point_that_failed_is_reported(tmp_path: Path) -> None:
    measured(tmp_path / "1", 1)
    measured(tmp_path / "2", 2)
    (tmp_path / "2" / "results.json").write_text('{"rows_per_second": 1')
    found = load(tmp_path, find_parser(WORKLOAD))
    assert [result.problem is None for result in found.results] == [True, False]
    assert "truncated?" in found.findings[0].message
