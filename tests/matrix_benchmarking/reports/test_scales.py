from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from projects.matrix_benchmarking.reports.drawing.scales import Scale, scale_of, short

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_every_value_of_a_linear_axis_lies_between_its_ends(values: list[float]) -> None:
    scale = scale_of({}, values)
    shares = [scale.share(value) for value in values]
    assert all(share is not None and -1e-6 <= share <= 1 + 1e-6 for share in shares)


@given(st.lists(NUMBERS, min_size=1, max_size=30))
def test_ticks_are_few_in_order_and_within_the_axis(values: list[float]) -> None:
    ticks = [share for share, _ in scale_of({}, values).ticks]
    assert len(ticks) <= 12
    assert ticks == sorted(ticks)
    assert all(-1e-6 <= share <= 1 + 1e-6 for share in ticks)


@given(st.lists(st.floats(min_value=1e-6, max_value=1e9), min_size=1, max_size=20))
def test_a_logarithmic_axis_keeps_the_order(values: list[float]) -> None:
    scale = scale_of({"type": "log"}, values)
    ordered = [scale.share(value) or 0.0 for value in sorted(values)]
    assert ordered == sorted(ordered)


def test_zero_and_negative_values_have_no_place_on_a_logarithmic_axis() -> None:
    scale = scale_of({"type": "log"}, [1, 10, 0, -5])
    assert scale.share(0) is None
    assert scale.share(-5) is None


def test_nan_and_infinity_are_left_out_of_the_ends() -> None:
    scale = scale_of({}, [1.0, 2.0, math.nan, math.inf])
    assert math.isfinite(scale.low)
    assert math.isfinite(scale.high)


def test_bars_stand_on_zero() -> None:
    assert scale_of({}, [5, 7], from_zero=True).low == 0


def test_names_become_categories_in_their_order() -> None:
    scale = scale_of({}, ["wal", "delete", "wal"])
    assert scale.categories == ["wal", "delete"]
    assert [label for _, label in scale.ticks] == ["wal", "delete"]


def test_moments_become_dates() -> None:
    scale = scale_of({}, ["2026-11-01T00:00:00", "2026-11-20T00:00:00"])
    assert scale.kind == "date"
    assert any("Nov" in label for _, label in scale.ticks)


def test_a_given_range_wins() -> None:
    scale = scale_of({"range": [0, 10]}, [3, 400])
    assert (scale.low, scale.high) == (0, 10)


def test_a_step_that_asks_for_too_many_ticks_is_not_taken() -> None:
    assert len(scale_of({"dtick": 1}, [0, 100_000]).ticks) < 12
    assert len(scale_of({"dtick": 2}, [0, 20]).ticks) >= 10


def test_an_axis_without_values_has_ends_all_the_same() -> None:
    assert scale_of({}, []) == Scale("linear")


def test_ticks_are_short() -> None:
    assert [short(v) for v in (0, 250, 1500, 2e7, 0.05, 3e9)] == [
        "0",
        "250",
        "1.5k",
        "20M",
        "0.05",
        "3G",
    ]
