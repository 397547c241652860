"""How busy a machine was while something was measured."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from projects.matrix_benchmarking.verdict.fingerprint import identity, pressure_of
from projects.matrix_benchmarking.verdict.pressure import watched

if TYPE_CHECKING:
    from pathlib import Path


def account(microseconds: int) -> str:
    return (
        f"some avg10=1.00 avg60=0.00 avg300=0.00 total={microseconds}\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
    )


def test_the_share_of_the_time_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 14.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    stalled = tmp_path / "cpu"
    stalled.write_text(account(5_000_000))
    with watched(tmp_path, stalled):
        stalled.write_text(account(6_000_000))
    assert (tmp_path / "fingerprint.yaml").read_text() == "pressure: 0.25\n"


@pytest.mark.parametrize("text", ["", "nothing that anybody knows"])
def test_without_an_account_nothing_is_noted(tmp_path: Path, text: str) -> None:
    stalled = tmp_path / "cpu"
    stalled.write_text(text)
    with watched(tmp_path, stalled):
        pass
    with watched(tmp_path, tmp_path / "missing"):
        pass
    assert not (tmp_path / "fingerprint.yaml").exists()


def test_pressure_does_not_tell_machines_apart() -> None:
    quiet: dict[str, str | int | float | bool | None] = {"cpu": "EPYC", "pressure": 0.02}
    busy = quiet | {"pressure": 0.9}
    assert identity(quiet, sorted(quiet)) == identity(busy, sorted(busy))


@pytest.mark.parametrize(
    ("fingerprint", "pressure"),
    [({}, 0.0), ({"pressure": 0.3}, 0.3), ({"pressure": 7}, 1.0), ({"pressure": "much"}, 0.0)],
)
def test_a_pressure_is_a_share(fingerprint: dict[str, str | float], pressure: float) -> None:
    assert pressure_of(fingerprint) == pressure
