from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FAST = ("tests.seconds=0.01", "tests.warmup_transactions=1", "tests.repetitions=1")


class Toolbox:
    """The command line, with its run directories below a temporary one."""

    def __init__(self, checkout: Path, base: Path) -> None:
        self.command = [sys.executable, str(checkout / "run_toolbox.py")]
        self.environment = dict(os.environ) | {
            "TOPGALLANT_VENV": sys.prefix,
            "TOPGALLANT_BASE_DIR": str(base),
            "CI": "true",
        }
        self.run_directory = base / "latest"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def table(self) -> list[dict[str, str]]:
        with (self.run_directory / "results.csv").open() as file:
            return list(csv.DictReader(file))


@pytest.fixture
def toolbox(checkout: Path, tmp_path: Path) -> Toolbox:
    return Toolbox(checkout, tmp_path / "artifacts")


def test_quick_measures_its_matrix_and_compares_it(toolbox: Toolbox) -> None:
    done = toolbox.run("sqlite_bench", "test_ci", "quick", *FAST)
    assert done.returncode == 0, done.stderr
    measured = [
        (row["journal_mode"], row["synchronous"], row["batch_size"]) for row in toolbox.table()
    ]
    assert measured == [
        (journal_mode, synchronous, batch_size)
        for journal_mode in ("delete", "wal")
        for synchronous in ("normal", "full")
        for batch_size in ("1", "100")
    ]
    assert "after power loss" in done.stderr
    assert "after power loss" in (toolbox.run_directory / "summary.txt").read_text()


def test_every_point_is_a_result_in_a_directory_that_says_which(toolbox: Toolbox) -> None:
    done = toolbox.run(
        "sqlite_bench",
        "test_ci",
        "tests.journal_modes=wal",
        "tests.synchronous_levels=full",
        "tests.batch_sizes=[1,10]",
        *FAST,
    )
    assert done.returncode == 0, done.stderr
    for number, batch_size in ((1, 1), (2, 10)):
        point = toolbox.run_directory / f"00{number}__sqlite__measure_wal_full_{batch_size}"
        assert yaml.safe_load((point / "settings.yaml").read_text())["batch_size"] == batch_size
        assert (point / "exit_code").read_text() == "0\n"
        assert {path.name for path in point.iterdir()} == {
            "_meta",
            "_run.log",
            "exit_code",
            "fingerprint.yaml",
            "results.json",
            "settings.yaml",
        }


def test_the_settings_of_the_configuration_reach_the_measurement(
    toolbox: Toolbox, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    settings = {
        "seconds": 0.02,
        "warmup_transactions": 3,
        "rows_limit": 99,
        "row_bytes": 5,
        "delay_ms": 0.5,
    }
    done = toolbox.run(
        "sqlite_bench",
        "test_ci",
        "tests.journal_modes=wal",
        "tests.synchronous_levels=off",
        "tests.batch_sizes=10",
        "tests.repetitions=4",
        f"tests.directory={disk}",
        *(f"tests.{name}={value}" for name, value in settings.items()),
    )
    assert done.returncode == 0, done.stderr
    (found,) = toolbox.run_directory.rglob("results.json")
    numbers = json.loads(found.read_text())
    assert numbers["load"] == settings
    assert len(numbers["repetitions"]) == 4
    assert numbers["surroundings"]["directory"] == str(disk)
    assert not list(disk.iterdir())


def test_durable_measures_only_what_survives_a_power_loss(toolbox: Toolbox) -> None:
    done = toolbox.run("sqlite_bench", "test_ci", "durable", "tests.batch_sizes=100", *FAST)
    assert done.returncode == 0, done.stderr
    assert {row["after_power_loss"] for row in toolbox.table()} == {"kept"}
    assert len(toolbox.table()) == 7


def test_off_needs_no_quotes_on_the_command_line(toolbox: Toolbox) -> None:
    done = toolbox.run(
        "sqlite_bench",
        "test_ci",
        "tests.journal_modes=off",
        "tests.synchronous_levels=[off]",
        "tests.batch_sizes=100",
        *FAST,
    )
    assert done.returncode == 0, done.stderr
    (row,) = toolbox.table()
    assert (row["journal_mode"], row["synchronous"]) == ("off", "off")


def test_a_typing_error_is_told_before_anything_is_measured(toolbox: Toolbox) -> None:
    done = toolbox.run("sqlite_bench", "test_ci", "tests.journal_modes=[wal,trunkate]", *FAST)
    assert done.returncode == 2
    assert '"trunkate"; did you mean "truncate"' in done.stderr
    assert not list(toolbox.run_directory.glob("*measure*"))


def test_a_point_that_cannot_be_measured_does_not_cost_the_others(toolbox: Toolbox) -> None:
    done = toolbox.run(
        "sqlite_bench",
        "test_ci",
        "quick",
        "tests.rows_limit=50",
        "tests.journal_modes=wal",
        "tests.synchronous_levels=full",
        "tests.batch_sizes=[100,10]",
        *FAST,
    )
    assert done.returncode == 2
    assert "a transaction cannot have more rows" in done.stderr
    assert [row["exit_code"] for row in toolbox.table()] == ["2", "0"]
    summary = (toolbox.run_directory / "summary.txt").read_text()
    assert "batch_size=100: exit code 2, see 001__sqlite__measure_wal_full_100/FAILURE" in summary
    assert (toolbox.run_directory / "001__sqlite__measure_wal_full_100" / "FAILURE").is_file()


def test_a_disk_that_is_not_there_ends_the_test_before_it_begins(toolbox: Toolbox) -> None:
    done = toolbox.run("sqlite_bench", "test_ci", "tests.directory=/no/such/disk", *FAST)
    assert done.returncode == 2
    assert "/no/such/disk: this directory does not exist" in done.stderr


def test_an_interrupted_measurement_leaves_a_result_and_no_data(toolbox: Toolbox) -> None:
    words = ["sqlite", "measure", "wal", "off", "1", "--seconds=60"]
    with subprocess.Popen(
        [*toolbox.command, *words], env=toolbox.environment, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        assert any("repetitions" in line for line in running.stderr)
        running.send_signal(signal.SIGINT)
        running.stderr.read()
    assert running.returncode == 130
    (point,) = toolbox.run_directory.glob("*measure*")
    assert (point / "exit_code").read_text() == "130\n"
    assert not list(toolbox.run_directory.rglob("*.sqlite*"))


def test_preparation_and_cleanup_go_through(toolbox: Toolbox, tmp_path: Path) -> None:
    assert toolbox.run("sqlite_bench", "prepare_ci").returncode == 0
    assert toolbox.run("sqlite_bench", "cleanup_cluster_ci").returncode == 0
    left = tmp_path / f"sqlite_bench.{2**22 + 1}.abc"
    left.mkdir()
    done = toolbox.run("sqlite_bench", "cleanup_cluster_ci", f"tests.directory={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert not left.exists()


def test_only_the_same_load_is_compared(toolbox: Toolbox) -> None:
    fingerprints = []
    for word in ("tests.row_bytes=5", "tests.row_bytes=6", "tests.delay_ms=1"):
        assert toolbox.run("sqlite_bench", "test_ci", "quick", *FAST, word).returncode == 0
        text = (toolbox.run_directory / "fingerprint.yaml").read_text()
        fingerprints.append(yaml.safe_load(text)["load"])
    assert fingerprints[0].endswith("row_bytes 5")
    assert fingerprints[1].endswith("row_bytes 6")
    assert "delay" not in fingerprints[2]


def test_a_run_can_be_exported_to_a_folder(toolbox: Toolbox, tmp_path: Path) -> None:
    to_folder = ("export_artifacts.enabled=true", f"export_artifacts.dest={tmp_path}/exported")
    assert toolbox.run("sqlite_bench", "test_ci", "quick", *FAST).returncode == 0
    finished = str(toolbox.run_directory.resolve())
    done = toolbox.run(
        "sqlite_bench", "export_artifacts", f"--artifacts_dirname={finished}", *to_folder
    )
    assert done.returncode == 0, done.stderr
    (exported,) = (tmp_path / "exported").rglob("results.csv")
    assert (exported.parent / "summary.txt").is_file()


def test_the_configuration_fits_together(toolbox: Toolbox) -> None:
    done = toolbox.run("config", "check", "sqlite_bench")
    assert done.returncode == 0, done.stderr
    assert "nothing found in 4 presets" in done.stdout
