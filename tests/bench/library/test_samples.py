"""Median, spread, differences and ratios."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.bench.library.samples import (
    differences,
    format_ratio,
    format_seconds,
    ratios,
    summarize,
)

FINITE = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)


def test_quartiles_are_those_of_the_samples_themselves() -> None:
    summary = summarize([5.0, 1.0, 4.0, 2.0, 3.0])
    assert (summary.smallest, summary.lower_quartile, summary.median) == (1.0, 2.0, 3.0)
    assert (summary.upper_quartile, summary.deviation, summary.count) == (4.0, 1.0, 5)


def test_one_sample_has_no_spread() -> None:
    summary = summarize([7.0])
    assert (summary.lower_quartile, summary.median, summary.upper_quartile) == (7.0, 7.0, 7.0)
    assert summary.deviation == 0.0


def test_no_sample_is_an_error() -> None:
    with pytest.raises(ValueError, match="no samples"):
        summarize([])


def test_one_outlier_moves_neither_median_nor_deviation() -> None:
    calm, disturbed = [1.0, 1.1, 0.9, 1.0, 1.0], [1.0, 1.1, 0.9, 1.0, 60.0]
    assert summarize(calm).median == summarize(disturbed).median
    assert summarize(disturbed).deviation < 0.2


def test_noisy_is_said_when_the_quartiles_are_far_apart() -> None:
    assert summarize([1.0, 2.0, 3.0]).noisy
    assert not summarize([1.0, 1.01, 1.02]).noisy


@given(st.lists(FINITE, min_size=1, max_size=30))
def test_the_summary_is_ordered_and_does_not_depend_on_the_order_of_samples(
    samples: list[float],
) -> None:
    summary = summarize(samples)
    assert summary == summarize(sorted(samples))
    assert summary.smallest <= summary.lower_quartile <= summary.median <= summary.upper_quartile
    assert summary.deviation >= 0


def test_differences_and_ratios_go_round_by_round() -> None:
    assert differences([3.0, 10.0], [1.0, 8.0]) == [2.0, 2.0]
    assert ratios([3.0, 10.0], [1.5, 2.0]) == [2.0, 5.0]


def test_rounds_that_do_not_pair_are_an_error() -> None:
    with pytest.raises(ValueError):
        differences([1.0], [1.0, 2.0])
    with pytest.raises(ValueError):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12.3456, "12.3 s"),
        (1.0, "1.00 s"),
        (0.0009997, "1.00 ms"),
        (0.000999, "999 µs"),
        (0.0999, "99.9 ms"),
        (0.00153, "1.53 ms"),
        (6.2e-7, "620 ns"),
        (2.5e-5, "25.0 µs"),
        (-0.002, "-2.00 ms"),
        (0.0, "0.00 ns"),
        (1234.0, "1,234 s"),
    ],
)
def test_durations_are_written_in_the_unit_that_suits(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_ratios_are_written_with_three_digits() -> None:
    assert [format_ratio(r) for r in (0.5, 12.34, 333.3)] == ["0.50 x", "12.3 x", "333 x"]
