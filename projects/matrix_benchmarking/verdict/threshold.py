"""A point farther from the level than a share of it that somebody chose."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.verdict.change import Change, between, relative
from projects.matrix_benchmarking.verdict.sequential import Direction, scan, wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def detect(
    values: NDArray[Any], *, limit: float = 0.1, direction: Direction = "both"
) -> list[Change]:
    """Return where a value leaves the median of its level by more than `limit`, a share of it.

    `direction` is where to look: "higher" or "lower" values, or both.
    """

    def is_new(level: Sequence[float], rest: Sequence[float]) -> bool:
        median = statistics.median(level)
        difference = rest[0] - median
        return abs(relative(difference, median)) > limit and wanted(difference, direction)

    numbers = [float(value) for value in values]
    return between(numbers, scan(numbers, is_new, least=1))
