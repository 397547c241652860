from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest
import yaml

from projects.core.errors import ConfigurationError, UsageError
from projects.matrix_benchmarking.toolbox.matrix_benchmarking import ack
from projects.matrix_benchmarking.verdict.acknowledgement import read_acknowledgements

POINT = {"journal_mode": "wal", "synchronous": "full", "batch_size": 1}
LATER = date(2099, 12, 24)


class Toolbox:
    """The command line, with its run directories below a temporary one."""

    def __init__(self, checkout: Path, base: Path) -> None:
        self.command = [sys.executable, str(checkout / "run_toolbox.py"), "matrix_benchmarking"]
        self.base = base
        self.environment = dict(os.environ) | {
            "TOPGALLANT_VENV": sys.prefix,
            "TOPGALLANT_BASE_DIR": str(base),
            "CI": "true",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def artifacts(self) -> Path:
        (found,) = (self.base / "latest").glob("000__*")
        return found


@pytest.fixture
def toolbox(checkout: Path, tmp_path: Path) -> Toolbox:
    return Toolbox(checkout, tmp_path / "artifacts")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    point = directory / "000__sqlite__measure_wal_full_1"
    point.mkdir(parents=True)
    workload = "projects.sqlite_bench.visualizations.sqlite"
    (directory / "config.yaml").write_text(yaml.safe_dump({"matbench": {"workload": workload}}))
    (point / "settings.yaml").write_text(yaml.safe_dump(POINT))
    one = {"rows_per_second": 1000.0, "latency_p50_ms": 1.0, "latency_p99_ms": 2.0}
    (point / "results.json").write_text(
        json.dumps(one | {"latency_max_ms": 3.0, "repetitions": [one, one]})
    )
    (point / "exit_code").write_text("0\n")
    return directory


def test_parse_prints_settings_and_kpis(toolbox: Toolbox, run: Path) -> None:
    done = toolbox.run("parse", str(run), "--output=json")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["settings"] == POINT
    assert result["kpis"]["throughput"] == "1,000 rows/s"
    assert (toolbox.artifacts / "lts_payload.json").is_file()


def test_parse_of_a_directory_that_names_no_workload_says_what_to_give(
    toolbox: Toolbox, tmp_path: Path
) -> None:
    done = toolbox.run("parse", str(tmp_path))
    assert done.returncode == 2
    assert "--workload=PROJECT.NAME" in done.stderr


def test_compare_prints_a_table_and_leaves_a_page(toolbox: Toolbox, run: Path) -> None:
    done = toolbox.run("compare", str(run), str(run))
    assert done.returncode == 0, done.stderr
    assert "Configuration: nothing differs" in done.stdout
    assert (toolbox.artifacts / "comparison.html").is_file()


def test_compare_prints_json(toolbox: Toolbox, run: Path) -> None:
    done = toolbox.run("compare", str(run), str(run), "--output=json")
    assert json.loads(done.stdout)["configuration"] == {}
    assert json.loads((toolbox.artifacts / "comparison.json").read_text())["version"] == 1


def test_analyze_without_history_passes_unless_it_is_required(toolbox: Toolbox, run: Path) -> None:
    assert toolbox.run("analyze", str(run)).returncode == 0
    done = toolbox.run("analyze", str(run), "--require_history")
    assert done.returncode == 3
    assert "history is required" in done.stderr


def test_an_unknown_detector_is_told_with_the_nearest(toolbox: Toolbox, run: Path) -> None:
    done = toolbox.run("analyze", str(run), "--detector=topgalant")
    assert done.returncode == 2
    assert 'did you mean "topgallant"' in done.stderr


def test_an_acknowledgement_is_added_to_those_that_are_there(tmp_path: Path) -> None:
    file = tmp_path / "acknowledgements.yaml"
    moment = datetime(2026, 11, 18)  # noqa: DTZ001 - as it is typed
    ack("throughput", file, reason="new disk", expires=LATER, since=moment)
    ack("latency_*", file, reason="same", expires=LATER, labels={"mode": "wal"})
    first, second = read_acknowledgements(file)
    assert (first.kpi, first.since.date(), first.reason) == (
        "throughput",
        date(2026, 11, 18),
        "new disk",
    )
    assert second.covers("latency_p50", {"mode": "wal"})


def test_an_acknowledgement_needs_a_reason_and_a_day_to_come(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="that day is over"):
        ack("x", tmp_path / "a.yaml", reason="r", expires=date(2020, 1, 1))
    with pytest.raises(UsageError, match="reason is empty"):
        ack("x", tmp_path / "a.yaml", reason=" ", expires=LATER)
    assert not (tmp_path / "a.yaml").exists()


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "acknowledgements.yaml"
    file.write_text("kpi: throughput\n")
    with pytest.raises(ConfigurationError, match="have to be a list"):
        ack("x", file, reason="r", expires=LATER)
    assert file.read_text() == "kpi: throughput\n"
