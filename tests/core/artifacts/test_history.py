"""Durations of earlier runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from projects.core.artifacts import history
from projects.core.artifacts.history import durations
from tests.core.artifacts.recorded import Recording


def remember(base: Path, name: str, seconds: float, outcome: str = "passed") -> None:
    told = Recording()
    told.started(0, "r", "run", "demo test_ci")
    told.started(0, "c", "command", "cluster scale", parent="r")
    told.started(0, "s", "step", "wait", parent="c")
    told.ended(seconds, "s", seconds, outcome=outcome)
    told.ended(seconds, "c", seconds + 1, outcome=outcome)
    told.ended(seconds, "r", seconds + 2, outcome=outcome)
    (base / name).mkdir()
    lines = "".join(json.dumps(event) + "\n" for event in told.events)
    (base / name / "events.jsonl").write_text(lines)


def test_the_median_of_what_passed_by_path(tmp_path: Path) -> None:
    for i, seconds in enumerate((1, 5, 3)):
        remember(tmp_path, f"2026112{i}-130000__demo__test_ci", seconds)
    remember(tmp_path, "20261123-130000__demo__test_ci-2", 100, outcome="failed")
    remember(tmp_path, "20261123-130000__demo__prepare_ci", 50)
    remember(tmp_path, "20261124-130000__demo__test_ci", 70)
    found = durations(tmp_path, "demo", "test_ci", but="20261124-130000__demo__test_ci")
    assert found == {"": 5, "cluster scale": 4, "cluster scale / wait": 3}
    remember(tmp_path, "20261125-130000__demo__test_ci", 4)
    again = durations(tmp_path, "demo", "test_ci", but="20261124-130000__demo__test_ci")
    assert again["cluster scale / wait"] == 3.5


def test_only_the_newest_runs_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_RUNS", 2)
    for i, seconds in enumerate((100, 1, 1)):
        remember(tmp_path, f"2026112{i}-130000__demo__test_ci", seconds)
    assert durations(tmp_path, "demo", "test_ci")["cluster scale / wait"] == 1
    monkeypatch.setattr(history, "MOST_BYTES", 10)
    assert durations(tmp_path, "demo", "test_ci") == {}


def test_without_a_past_there_is_no_history(tmp_path: Path) -> None:
    assert durations(tmp_path / "missing", "demo", "test_ci") == {}
    (tmp_path / "20261120-130000__demo__test_ci").mkdir()
    assert durations(tmp_path, "demo", "test_ci") == {}
