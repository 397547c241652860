from __future__ import annotations

from pathlib import Path

import pytest

from projects.jobs.tools import stamps
from projects.jobs.tools.catalog import Catalog
from tests.jobs.tools.conftest import Make

NOW = 10**18


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projects.jobs.tools.stamps.time.time_ns", lambda: NOW)


@pytest.mark.parametrize(
    ("changed", "settled"),
    [(NOW, False), (NOW - 10**7, False), (NOW - 10**9, True), (NOW + 5, True)],
)
def test_what_has_just_changed_is_not_settled(changed: int, settled: bool) -> None:
    assert stamps.settled(None, (changed, 0, 0, 0)) is settled


def test_sat_03_two_changes_within_one_tick_are_both_seen(
    make: Make, scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.jobs.tools.catalog.stamp", lambda _path: (NOW, 1, 2, 3))
    make("one", timeout=1)
    catalog = Catalog([scripts])
    assert catalog.find("one").timeout == 1
    make("one", timeout=2)
    assert catalog.find("one").timeout == 2
