"""What every detector has to stand, and what ours promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.bench.library.labelled_series import (
    CALIBRATION_SEEDS,
    FAMILIES,
    TOLERANCE,
    Family,
    Score,
    generate,
    generate_many,
    score,
)
from projects.core.errors import ConfigurationError
from projects.matrix_benchmarking.verdict.detect import DETECTORS, OPTIONAL, detect

SEEDS = st.integers(3_000_000, 3_001_000)
FAMILY = st.sampled_from(FAMILIES)
EVERY_DETECTOR = pytest.mark.parametrize("detector", DETECTORS)


def places(values: object, **options: object) -> list[int]:
    return [change.index for change in detect(np.asarray(values, float), **options)]  # type: ignore[arg-type]


def near(found: list[int], wanted: list[int], tolerance: int = TOLERANCE) -> bool:
    return len(found) == len(wanted) and all(
        abs(one - other) <= tolerance for one, other in zip(found, wanted, strict=True)
    )


@EVERY_DETECTOR
@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [1.0, 2.0],
        [0.0] * 30,
        [5.0] * 30,
        [math.nan] * 30,
        [math.inf, -math.inf] * 15,
        [math.nan, 5.0] * 15,
        [1e300, -1e300] * 15,
        [1e-320] * 15 + [2e-320] * 15,
    ],
    ids=str,
)
def test_no_series_is_too_odd(detector: str, values: list[float]) -> None:
    if detector == "otava" and (max(map(abs, values), default=0) > 1e100):
        values = [value / 1e250 for value in values]  # squares overflow in it
    with np.errstate(all="ignore"):
        for change in detect(values, detector):
            assert 0 < change.index < len(values)


@EVERY_DETECTOR
def test_a_plain_step_is_found_with_its_size(detector: str) -> None:
    values = generate("gaussian", 3_000_000, length=60).values
    values = 100 + (values - 100) / 10
    values[30:] *= 1.2
    (change,) = detect(values, detector)
    assert abs(change.index - 30) <= 1
    assert change.effect == pytest.approx(0.2, abs=0.01)
    assert change.interval[0] < 0.2 < change.interval[1]


@EVERY_DETECTOR
def test_a_constant_that_steps_has_one_change(detector: str) -> None:
    assert places([5.0] * 30 + [7.0] * 30, detector=detector) == [30]


@pytest.mark.parametrize(
    ("family", "least"),
    [("gaussian", 0.95), ("lognormal", 0.85), ("bimodal", 0.90), ("ar1", 0.75)],
)
def test_the_bars_are_reached_on_calibration_seeds(family: Family, least: float) -> None:
    total = Score()
    for labelled in generate_many(family, CALIBRATION_SEEDS[500_000:500_120]):
        total += score(labelled, places(labelled.values))
    assert total.f1 >= least
    assert total.alarmed <= 0.07  # of 30 series: two


@given(FAMILY, SEEDS, st.integers(0, 3), st.integers(-900, 900), st.floats(-1e3, 1e3))
@settings(max_examples=60)
def test_scale_and_shift_change_nothing(
    family: Family, seed: int, steps: int, exponent: int, shift: float
) -> None:
    values = generate(family, seed, steps=steps).values
    found = places(values)
    assert places(values * 2.0**exponent) == found
    assert near(places(values + shift), found, 0)


@given(FAMILY, SEEDS, st.integers(0, 3))
@settings(max_examples=60)
def test_upside_down_is_the_same_with_the_signs_turned(
    family: Family, seed: int, steps: int
) -> None:
    values = generate(family, seed, steps=steps).values
    up, down = detect(values), detect(-values)
    assert [change.index for change in up] == [change.index for change in down]
    for one, other in zip(up, down, strict=True):
        assert one.effect == pytest.approx(-other.effect)


@given(SEEDS, st.integers(1, 3), st.integers(1, 12))
@settings(max_examples=80, derandomize=True)
def test_further_points_do_not_move_an_established_change(
    seed: int, steps: int, further: int
) -> None:
    labelled = generate("gaussian", seed, length=220, steps=steps, effect=0.2)
    end = min(max(labelled.changes) + 15, 220 - further)
    before = places(labelled.values[:end])
    after = places(labelled.values[: end + further])
    for change in labelled.changes:
        old = [c for c in before if abs(c - change) <= TOLERANCE]
        new = [c for c in after if abs(c - change) <= TOLERANCE]
        assert len(old) == len(new) <= 1


@given(SEEDS, st.sets(st.integers(0, 199), max_size=30))
@settings(max_examples=40)
def test_gaps_are_passed_over_and_counted(seed: int, gaps: set[int]) -> None:
    values = generate("gaussian", seed).values
    values[100:] *= 1.3
    values[sorted(gaps)] = math.nan
    there = [index for index in range(200) if index not in gaps]
    without = places(values[there])
    assert places(values) == [there[index] for index in without]


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=80),
)
@settings(max_examples=150)
def test_any_numbers_are_survived(values: list[float]) -> None:
    with np.errstate(all="ignore"):
        found = places(values)
    assert found == sorted(set(found))
    assert all(math.isfinite(values[index]) for index in found)


def test_one_outlier_is_no_change() -> None:
    values = generate("gaussian", 3_000_001, length=50).values
    values[25] *= 5
    assert places(values) == []


def test_the_given_array_stays_as_it_is() -> None:
    values = generate("seasonal", 3_000_002, steps=2).values
    copy = values.copy()
    detect(values)
    assert (values == copy).all()


def test_a_direction_is_looked_at_alone() -> None:
    values = [100.0, 101.0] * 8 + [80.0, 81.0] * 8
    for detector in ("threshold", "zscore", "student"):
        assert places(values, detector=detector, direction="higher") == []
        assert places(values, detector=detector, direction="lower") == [16]


def test_an_unknown_detector_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match='"otawa"; did you mean "otava"'):
        detect([], "otawa")


def test_an_unknown_option_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match='"limits"; did you mean "limit"'):
        detect([], "zscore", limits=3)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(ConfigurationError, match='"up"'):
        detect([1.0, 5.0], "threshold", direction="up")


def test_a_detector_whose_package_is_missing_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(OPTIONAL, "kernel", ("ruptures_is_gone", "ruptures"))
    with pytest.raises(ConfigurationError, match="needs ruptures, which is not installed"):
        detect([1.0, 2.0], "kernel")
