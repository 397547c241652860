"""Points of a series, in order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from projects.matrix_benchmarking.verdict.series import Series

DAYS = tuple(datetime(2026, 11, day, tzinfo=UTC) for day in (3, 1, 2))


def test_points_are_sorted_by_time() -> None:
    series = Series("k", DAYS, (3.0, 1.0, 2.0), lower_better=True, runs=("c", "a", "b"))
    assert [(p.value, p.run, p.samples) for p in series.points] == [
        (1.0, "a", ()),
        (2.0, "b", ()),
        (3.0, "c", ()),
    ]


def test_times_without_a_zone_are_utc() -> None:
    times = (datetime(2026, 11, 2), DAYS[1])  # noqa: DTZ001 - that is what it is about
    series = Series("k", times, (2.0, 1.0), lower_better=True)
    assert [point.value for point in series.points] == [1.0, 2.0]


def test_lengths_have_to_agree() -> None:
    with pytest.raises(ValueError, match="2 values and 3 times"):
        Series("k", DAYS, (1.0, 2.0), lower_better=True)
    with pytest.raises(ValueError, match="3 values and 1 runs"):
        Series("k", DAYS, (1.0, 2.0, 3.0), lower_better=True, runs=("a",))
