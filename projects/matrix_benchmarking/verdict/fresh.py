"""A change in the last few runs, too few for a level of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.distributions import two_sided_student
from projects.matrix_benchmarking.verdict.noise import (
    center,
    error_within,
    run_noise,
    typical_error,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.verdict.series import Point

LEAST_BEFORE = 3
"""Runs that a level needs before others can be compared with it."""

_MOST_AFTER = 30


@dataclass(frozen=True, slots=True)
class Fresh:
    """Where the last runs part from those before, and the p-value for the whole search."""

    index: int
    p_value: float


def last_change(
    points: Sequence[Point], before: Sequence[Sequence[Point]] = (), least_share: float = 0.0
) -> Fresh | None:
    """Return the likeliest change among the last 30 of `points`, which had one level so far.

    For every number k of last runs, Student's test against those before; the noise is that of all
    levels, `before` are earlier ones. The p-value of k counts k (k + 1) times, so that the last
    run alone has half of all chances. None where there are too few runs for any of it.
    """
    best: Fresh | None = None
    for after in range(1, min(_MOST_AFTER, len(points) - 1) + 1):
        old, new = points[:-after], points[-after:]
        if len(old) < LEAST_BEFORE and not (before and len(old)):
            break
        p_value = min(1.0, after * (after + 1) * _p_value(old, new, before, least_share))
        if best is None or p_value < best.p_value:
            best = Fresh(len(points) - after, p_value)
    return best


def _p_value(
    old: Sequence[Point],
    new: Sequence[Point],
    before: Sequence[Sequence[Point]],
    least_share: float,
) -> float:
    # The noise without a single new run: alone it says nothing about the noise around its level.
    levels = [*before, old, new] if len(new) > 1 else [*before, old]
    noise = run_noise(levels, least_share)
    difference = center([p.value for p in new]) - center([p.value for p in old])
    usual = typical_error(old)
    unusual = math.fsum(max(error_within(p) ** 2 - usual**2, 0.0) for p in new) / len(new) ** 2
    error = math.sqrt(
        (noise.error_of_mean(len(new)) * noise.tail(difference)) ** 2
        + noise.error_of_mean(len(old)) ** 2
        + unusual
    )
    if not error:
        return 1.0 if not difference else 0.0
    return two_sided_student(difference / error, noise.freedom)
