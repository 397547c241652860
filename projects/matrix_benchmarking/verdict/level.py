"""Runs in a row that had one level: where that is, and how they scatter around it."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import islice
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

from projects.matrix_benchmarking.verdict.zscore import robust_deviation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_BOUND = 3.5
_ENOUGH_TO_BOUND = 8  # residuals: the median deviation of fewer is too often far too small
_MOST_CORRELATED = 0.9
_MOST_PRESSURE = 0.8


class Run(NamedTuple):
    """A run on a `Scale`: its value, the standard error of its repetitions, and its pressure."""

    value: float
    error: float | None
    pressure: float


class Scatter(NamedTuple):
    """How runs stray from their levels: sums of squares, and of products of one and the next.

    `pairs` are the products, `freedom` the degrees of freedom of the squares; `farthest` is how
    far a run was from its level at most.
    """

    squares: float = 0.0
    freedom: int = 0
    products: float = 0.0
    pairs: int = 0
    farthest: float = 0.0

    @classmethod
    def together(cls, scatters: Iterable[Scatter]) -> Scatter:
        """Return the scatter of several series."""
        squares, freedom, products, pairs, farthest = zip(*scatters, strict=True)
        return cls(math.fsum(squares), sum(freedom), math.fsum(products), sum(pairs), max(farthest))

    @property
    def correlation(self) -> float:
        """The correlation between one run and the next, not below 0.

        That of residuals is too small by about (1 + 3 phi) / n, for their mean is 0 (Marriott and
        Pope, 1954); where that is most of it, nobody knows.
        """
        if not self.squares or not self.pairs:
            return 0.0
        found = self.products / self.pairs / (self.squares / (self.freedom or 1))
        return min(max(found, 0.0), _MOST_CORRELATED)


class Level:
    """One or more runs of one level; what they tell is worked out when it is first asked for.

    A verdict compares the last 1, 2, … 30 runs with those before, and asks the same of each part
    several times.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def __len__(self) -> int:
        return len(self.runs)

    @cached_property
    def center(self) -> float:
        """The mean of the values, outliers drawn in."""
        ordered = sorted([run.value for run in self.runs])
        median = statistics.median(ordered)
        differences = _drawn_in([value - median for value in ordered], ordered)
        return median + math.fsum(differences) / len(ordered)

    @cached_property
    def scatter(self) -> Scatter:
        """How the runs scatter."""
        freedom = len(self.runs) - 1
        if freedom < 1:  # one run has no spread
            return Scatter()
        # Outliers and all: what strayed once may stray again.
        center = self.center
        residuals = [run.value - center for run in self.runs]
        return Scatter(
            math.fsum(map(mul, residuals, residuals)),
            freedom,
            math.fsum(map(mul, residuals, islice(residuals, 1, None))),
            freedom,
            max(map(abs, residuals)),
        )

    @cached_property
    def waiting(self) -> float:
        """The median of `waiting`."""
        return statistics.median(waiting(run.pressure) for run in self.runs)

    @cached_property
    def errors(self) -> list[float]:
        """The standard errors within the runs that have repetitions."""
        return [run.error for run in self.runs if run.error is not None]


def typical_error(levels: Iterable[Level]) -> float:
    """Return the median of the standard errors within the runs that have repetitions."""
    errors = [error for level in levels for error in level.errors]
    return statistics.median(errors) if errors else 0.0


def waiting(pressure: float) -> float:
    """Return the logarithm of how much longer work takes that waits for this share of its time."""
    return -math.log1p(-min(pressure, _MOST_PRESSURE))


def _drawn_in(differences: list[float], ordered: Sequence[float]) -> list[float]:
    """Return the differences to the median of ordered values, outliers among 8 or more drawn in."""
    if len(ordered) < _ENOUGH_TO_BOUND:
        return differences
    bound = _BOUND * robust_deviation(ordered) or math.inf
    low, high = bisect_left(differences, -bound), bisect_right(differences, bound)
    return [-bound] * low + differences[low:high] + [bound] * (len(ordered) - high)
