"""A point too many deviations from the median of its level; the deviation is robust."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.verdict.change import Change, between
from projects.matrix_benchmarking.verdict.sequential import Direction, scan, wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CONSISTENT = 1.4826
"""The deviation of normal numbers per median absolute deviation."""

_CONSISTENT_MEAN = 1.2533
_ROUNDING = 1e-9


def detect(
    values: NDArray[Any],
    *,
    limit: float = 5.0,
    least_level: int = 8,
    least_share: float = 0.0,
    direction: Direction = "both",
) -> list[Change]:
    """Return where a value is more than `limit` deviations from the median of its level.

    `least_level` points are a level. Of a constant one the deviation is 0, and any other value a
    change; `least_share` of the level is the least that the deviation counts for. `direction` is
    where to look: "higher" or "lower" values, or both.
    """

    def is_new(level: Sequence[float], rest: Sequence[float]) -> bool:
        median = statistics.median(level)
        deviation = robust_deviation(level)
        difference = rest[0] - median
        least = max(least_share, _ROUNDING) * abs(median)
        return abs(difference) > limit * max(deviation, least) and wanted(difference, direction)

    numbers = [float(value) for value in values]
    return between(numbers, scan(numbers, is_new, least=max(least_level, 1)))


def robust_deviation(values: Sequence[float]) -> float:
    """Return the median absolute deviation, scaled to be that of normal numbers.

    Where more than half of the values are the same it is that of the mean, so that two values in
    turn are not taken for a constant (Iglewicz and Hoaglin 1993).
    """
    median = statistics.median(values)
    apart = [abs(value - median) for value in values]
    return CONSISTENT * statistics.median(apart) or _CONSISTENT_MEAN * statistics.fmean(apart)
