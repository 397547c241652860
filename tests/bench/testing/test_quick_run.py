"""The bench as a user calls it, with the smallest numbers there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from projects.bench.library.environments import our_environment
from projects.bench.library.peers import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

SMALL = (
    "measurement.rounds=1",
    "measurement.warm_ups=0",
    "measurement.calls=2",
    "configuration.lines=200",
    "configuration.presets=5",
    "configuration.applied=[2,5]",
    "parse.results=20",
    "parse.rounds=1",
    "export.files=20",
    "export.megabytes=8",
    "export.rounds=1",
)


def bench(verb: str, artifact_dir: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "run_toolbox.py", "bench", verb, *words],
        cwd=CHECKOUT,
        env=our_environment(os.environ, artifact_dir) | {"TOPGALLANT_VENV": sys.prefix},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    directory = tmp_path_factory.mktemp("bench") / "run"
    ended = bench("test_ci", directory, "quick", *SMALL)
    assert ended.returncode == 0, ended.stderr
    return directory, ended.stdout + ended.stderr


def test_each_point_leaves_a_finished_result_and_nothing_of_what_it_measured(
    run: tuple[Path, str],
) -> None:
    directory, _ = run
    points = sorted(path.parent for path in directory.rglob("exit_code"))
    settings = [yaml.safe_load((point / "settings.yaml").read_text()) for point in points]
    assert [(s["bench"], s.get("applied")) for s in settings] == [
        ("command_overhead", None),
        ("startup", None),
        ("configuration", 2),
        ("configuration", 5),
        ("parse", None),
        ("export", None),
        ("change_points", None),
    ]
    assert {(point / "exit_code").read_text() for point in points} == {"0\n"}
    assert not list(directory.rglob("work"))


def test_the_report_judges_every_row_and_is_shown(run: tuple[Path, str]) -> None:
    directory, said = run
    (path,) = directory.rglob("bench.json")
    verdicts = json.loads(path.read_text())["verdicts"]
    assert [verdict["key"] for verdict in verdicts] == [
        *("command", "version", "help", "noop"),
        *("load", "load", "get", "get", "set", "set"),
        *("parse_cold", "parse_warm"),
        *("export_small", "export_small", "export_large", "export_large"),
        "change_points",
    ]
    for name in ("bench_report.md", "bench_report.html"):
        assert (path.parent / name).stat().st_size > 1000
    assert "one toolbox command over the function itself" in said


def test_our_commit_and_the_machine_are_recorded(run: tuple[Path, str]) -> None:
    directory, _ = run
    (path,) = directory.rglob("bench.json")
    for result in json.loads(path.read_text())["results"]:
        assert result["versions"]["topgallant"]
        assert result["machine"]["cores"] >= 1
        assert result["failed"] == {}


def test_without_peers_there_is_nothing_to_prepare(tmp_path: Path) -> None:
    ended = bench("prepare_ci", tmp_path / "run", "quick")
    assert ended.returncode == 0, ended.stderr
    assert not list((tmp_path / "run").rglob("*bench__install_peers"))


def test_a_bar_that_does_not_exist_is_an_error_with_the_nearest_name(
    run: tuple[Path, str], tmp_path: Path
) -> None:
    directory, _ = run
    words = (f"--results_dir={directory}", "--bars={starting: 1 ms, lod: 1 ms}")
    ended = bench("report", tmp_path / "run", *words)
    assert ended.returncode == 2
    assert "unknown bar" in ended.stderr
    assert "possible" in ended.stderr.lower()


def test_a_bad_bar_is_found_before_anything_is_measured(tmp_path: Path) -> None:
    ended = bench("test_ci", tmp_path / "run", "quick", "bars.load=10")
    assert ended.returncode == 2
    assert 'bar "10" is no duration like "3 ms"' in ended.stderr
    assert not list((tmp_path / "run").rglob("settings.yaml"))


def test_no_results_is_its_own_exit_status(tmp_path: Path) -> None:
    ended = bench("report", tmp_path / "run", f"--results_dir={tmp_path}", "--bars={load: 1 ms}")
    assert ended.returncode == 3
    assert "no finished result" in ended.stderr
