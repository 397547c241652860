"""Tails of the normal and of Student's distribution, without scipy and its half second."""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-12
_MOST_TERMS = 300


def two_sided_normal(z: float) -> float:
    """Return the probability that a standard normal number is at least `|z|` from 0."""
    return math.erfc(abs(z) / math.sqrt(2))


def two_sided_student(t: float, freedom: float) -> float:
    """Return the probability of at least `|t|` in Student's t with `freedom` > 0 degrees.

    Source: DLMF 8.17, the regularized incomplete beta function I_x(freedom/2, 1/2) at
    x = freedom / (freedom + t²), by its continued fraction (8.17.22).
    """
    if math.isnan(t):
        return math.nan
    if math.isinf(t):
        return 0.0
    return _regularized_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def student_quantile(tail: float, freedom: float) -> float:
    """Return the t that is exceeded to both sides with the probability `tail`, 0 < tail < 1."""
    low, high = 0.0, 1.0
    while two_sided_student(high, freedom) > tail and high < 1e12:  # noqa: PLR2004
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_student(middle, freedom) > tail else (low, middle)
    return (low + high) / 2


def _regularized_beta(x: float, a: float, b: float) -> float:
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    factor = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return factor * _fraction(x, a, b) / a
    return 1 - factor * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _away(value: float) -> float:
    """Return `value`, or a number just beside 0 that can be divided by."""
    return value if abs(value) > _TINY else _TINY
