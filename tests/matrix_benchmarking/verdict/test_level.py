"""What runs of one level tell: where it is, how they scatter; and that it is worked out once."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.matrix_benchmarking.verdict import level as level_module
from projects.matrix_benchmarking.verdict.fresh import Kind, Levels, last_change
from projects.matrix_benchmarking.verdict.level import Level, Run, Scatter, typical_error
from projects.matrix_benchmarking.verdict.zscore import robust_deviation

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)


def runs_of(values: list[float]) -> list[Run]:
    return [Run(value, None, 0.0) for value in values]


@given(VALUES)
def test_outliers_are_drawn_in_to_the_center(values: list[float]) -> None:
    median = statistics.median(values)
    bound = math.inf
    if len(values) >= 8:
        bound = 3.5 * robust_deviation(values) or math.inf
    drawn = [min(max(value - median, -bound), bound) for value in values]
    assert Level(runs_of(values)).center == median + math.fsum(drawn) / len(values)


@given(VALUES)
def test_runs_scatter_around_their_center(values: list[float]) -> None:
    level = Level(runs_of(values))
    residuals = [value - level.center for value in values]
    if len(values) == 1:
        assert level.scatter == Scatter()
    else:
        assert level.scatter == Scatter(
            squares=math.fsum(r * r for r in residuals),
            freedom=len(values) - 1,
            products=math.fsum(a * b for a, b in pairwise(residuals)),
            pairs=len(values) - 1,
            farthest=max(map(abs, residuals)),
        )


def test_runs_without_repetitions_have_no_error() -> None:
    told = [Level([Run(1.0, 0.2, 0.0), Run(1.0, None, 0.0)]), Level([Run(1.0, 0.4, 0.0)])]
    assert typical_error(told) == pytest.approx(0.3)
    assert typical_error([Level(runs_of([1.0, 2.0]))]) == 0.0


def test_each_part_of_a_series_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(values: list[float]) -> float:
        asked.append(len(values))
        return robust_deviation(values)

    monkeypatch.setattr(level_module, "robust_deviation", counted)
    levels = Levels(runs_of([20 + math.sin(place * 1.7) for place in range(100)]))
    kind = Kind([levels])
    last_change(levels, kind)
    last_change(levels, Kind([levels]))
    assert sorted(asked) == [*range(8, 31), *range(70, 100)]
