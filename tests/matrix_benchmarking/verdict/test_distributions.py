"""Tails of distributions, against those of tables."""

from __future__ import annotations

import math

import pytest

from projects.matrix_benchmarking.verdict.distributions import (
    student_quantile,
    two_sided_normal,
    two_sided_student,
)


@pytest.mark.parametrize(
    ("t", "freedom", "tail"),
    [
        (12.706205, 1, 0.05),
        (4.302653, 2, 0.05),
        (2.228139, 10, 0.05),
        (8.610302, 4, 0.001),
        (3.290527, 10**7, 0.001),
        (0.0, 5, 1.0),
        (-2.228139, 10, 0.05),
    ],
)
def test_student_is_as_in_tables(t: float, freedom: int, tail: float) -> None:
    assert two_sided_student(t, freedom) == pytest.approx(tail, rel=1e-5)


def test_quantiles_turn_tails_around() -> None:
    for freedom in (1, 3, 20, 200):
        for tail in (0.5, 0.05, 1e-6):
            t = student_quantile(tail, freedom)
            assert two_sided_student(t, freedom) == pytest.approx(tail, rel=1e-6)


def test_the_ends() -> None:
    assert two_sided_student(math.inf, 3) == 0
    assert math.isnan(two_sided_student(math.nan, 3))
    assert two_sided_normal(1.959964) == pytest.approx(0.05, rel=1e-5)
