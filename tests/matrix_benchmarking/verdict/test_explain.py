"""A verdict in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from projects.matrix_benchmarking.verdict.change import Change
from projects.matrix_benchmarking.verdict.explain import moved, percent, subject
from projects.matrix_benchmarking.verdict.series import Point


def test_the_whole_sentence() -> None:
    change = Change(3, 100.0, 88.0, -0.12, (-0.15, -0.09), 1e-9)
    point = Point(datetime(2026, 11, 18, tzinfo=UTC), 88.0, run="4711")
    what = subject("throughput", {"mode": "wal", "rows": "100"})
    assert moved(what, change, point, runs_ago=7, noise_floor=0.02, better=False) == (
        "throughput (wal, rows 100) fell by 12 % (95 % CI 9 to 15 %), at run 4711 of 2026-11-18, "
        "7 runs ago; noise floor 2 %"
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.12, "12 %"), (-3.4, "340 %"), (0.021, "2.1 %"), (0.0034, "0.34 %"),
     (1e-9, "0 %"), (float("inf"), "more than can be said in %")],
)  # fmt: skip
def test_percentages_have_two_digits(share: float, said: str) -> None:
    assert percent(share) == said
