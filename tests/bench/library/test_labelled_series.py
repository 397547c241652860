"""Made-up series: the same again, with the changes where they are said to be."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.bench.library.labelled_series import (
    CALIBRATION_SEEDS,
    FAMILIES,
    REPORTED_SEEDS,
    Family,
    Score,
    generate,
    generate_many,
    score,
)

FAMILY = pytest.mark.parametrize("family", FAMILIES)


def test_published_seeds_are_not_those_of_calibration() -> None:
    assert not set(REPORTED_SEEDS) & set(CALIBRATION_SEEDS)


@FAMILY
def test_the_same_seed_is_the_same_series(family: Family) -> None:
    one, other = generate(family, 5, steps=2), generate(family, 5, steps=2)
    assert (one.values == other.values).all()
    assert one.changes == other.changes
    assert (generate(family, 6, steps=2).values != one.values).any()


@FAMILY
def test_a_step_has_its_effect(family: Family) -> None:
    labelled = generate(family, 7, length=2000, steps=1, effect=0.5)
    (change,) = labelled.changes
    before, after = np.median(labelled.values[:change]), np.median(labelled.values[change:])
    assert abs(abs(after / before - 1) - 0.5) < 0.08


@given(st.sampled_from(FAMILIES), st.integers(1, 10**6), st.integers(30, 500), st.integers(0, 3))
def test_changes_keep_their_distance(family: Family, seed: int, length: int, steps: int) -> None:
    labelled = generate(family, seed, length=length, steps=steps)
    gap = min(15, length // 8)
    bounds = [0, *labelled.changes, length]
    assert all(b - a >= gap for a, b in pairwise(bounds))
    assert len(labelled.values) == length
    assert np.isfinite(labelled.values).all()


def test_too_many_changes_are_refused() -> None:
    with pytest.raises(ValueError, match="9 changes do not fit into 8 points"):
        generate("gaussian", 1, length=8, steps=9)


def test_a_quarter_is_clean() -> None:
    counts = [len(labelled.changes) for labelled in generate_many("ar1", range(8))]
    assert counts == [0, 1, 2, 3, 0, 1, 2, 3]


def test_scores_count_each_change_once() -> None:
    labelled = generate("gaussian", 1, steps=2)
    first, second = labelled.changes
    assert score(labelled, [first + 3, second - 3]) == Score(found=2)
    assert score(labelled, [first, first + 1, second + 4]) == Score(found=1, missed=1, made_up=2)
    clean = generate("gaussian", 1)
    total = score(clean, []) + score(clean, [50]) + score(labelled, [first])
    assert total == Score(found=1, missed=1, made_up=1, clean=2, clean_alarmed=1)
    assert (total.precision, total.recall, total.f1, total.alarmed) == (0.5, 0.5, 0.5, 0.5)
    assert (Score().precision, Score().recall, Score(missed=1).f1, Score().alarmed) == (1, 1, 0, 0)
