from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.sqlite_bench.library.statistics import (
    Repetition,
    as_document,
    percentile,
    quantiles,
    rate,
    summarise,
)

samples = st.lists(st.integers(0, 10**12), min_size=1, max_size=400)
percents = st.integers(1, 100)
repetitions = st.builds(
    Repetition,
    batch_size=st.integers(1, 10_000),
    latencies_ns=st.lists(st.integers(1, 10**10), min_size=1, max_size=50).map(tuple),
    elapsed_ns=st.integers(1, 10**12),
)


@given(samples, percents)
def test_a_percentile_is_the_smallest_sample_that_covers_enough(
    values: list[int], percent: int
) -> None:
    found = percentile(values, percent)

    def covered(limit: int) -> Fraction:
        return Fraction(100 * sum(value <= limit for value in values), len(values))

    assert found in values
    assert covered(found) >= percent
    assert all(covered(smaller) < percent for smaller in values if smaller < found)


@given(samples)
def test_percentiles_grow_and_end_at_the_largest(values: list[int]) -> None:
    all_of_them = [percentile(values, percent) for percent in range(1, 101)]
    assert all_of_them == sorted(all_of_them)
    assert all_of_them[-1] == max(values)


@given(samples, percents, st.randoms())
def test_the_order_of_the_samples_does_not_matter(
    values: list[int], percent: int, random: object
) -> None:
    assert percentile(values, percent) == percentile(values[::-1], percent)


def test_the_median_of_four_is_the_second_and_p99_the_largest() -> None:
    assert percentile([4, 1, 3, 2], 50) == 2
    assert percentile([4, 1, 3, 2], 99) == 4


def test_p99_of_a_hundred_leaves_the_slowest_out() -> None:
    assert percentile(range(1, 101), 99) == 99
    assert percentile(range(1, 102), 99) == 100


def test_a_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        percentile([], 50)


@pytest.mark.parametrize("percent", [0, 101, -1])
def test_a_percentage_is_one_to_a_hundred(percent: int) -> None:
    with pytest.raises(ValueError, match="1 to 100"):
        percentile([1], percent)


def test_a_rate_is_per_second_and_a_stopped_clock_is_survived() -> None:
    assert rate(10, 2_000_000_000) == 5
    assert rate(1, 0) == 1_000_000_000


def test_throughput_is_the_median_of_the_repetitions_and_latency_pools_them() -> None:
    second = 1_000_000_000
    summary = summarise(
        [
            Repetition(10, (1_000_000, 3_000_000), second),
            Repetition(10, (2_000_000,), second),
            Repetition(10, (9_000_000,) * 4, second),
        ]
    )
    assert (summary.rows_per_second_min, summary.rows_per_second) == (10, 20)
    assert summary.rows_per_second_max == 40
    assert summary.transactions_per_second == 2
    assert summary.transactions == 7
    assert (summary.latency_p50_ms, summary.latency_p99_ms) == (9, 9)


@given(st.lists(repetitions, min_size=1, max_size=5))
def test_a_summary_lies_within_what_was_measured(measured: list[Repetition]) -> None:
    summary = summarise(measured)
    latencies = [latency / 1e6 for each in measured for latency in each.latencies_ns]
    assert summary.rows_per_second_min <= summary.rows_per_second <= summary.rows_per_second_max
    assert min(latencies) <= summary.latency_p50_ms <= summary.latency_p99_ms
    assert summary.latency_p99_ms <= summary.latency_max_ms == max(latencies)
    assert summary.transactions == len(latencies)


@given(st.lists(repetitions, min_size=1, max_size=3))
def test_the_document_repeats_the_summary_and_has_an_entry_per_repetition(
    measured: list[Repetition],
) -> None:
    document = as_document(measured)
    assert document["rows_per_second"] == summarise(measured).rows_per_second
    entries = document["repetitions"]
    assert isinstance(entries, list)
    assert [entry["rows"] for entry in entries] == [each.rows for each in measured]


def test_the_closing_checkpoint_counts_in_the_rate() -> None:
    with_checkpoint = Repetition(1, (1,), elapsed_ns=2_000_000_000, checkpoint_ns=1_000_000_000)
    assert summarise([with_checkpoint]).rows_per_second == 0.5


def test_a_distribution_is_its_least_sample_and_its_percentiles() -> None:
    samples = list(range(1, 201))
    found = quantiles(samples)
    assert len(found) == 101
    assert (found[0], found[50], found[99], found[100]) == (1, 100, 198, 200)
    assert quantiles([7]) == [7] * 101
