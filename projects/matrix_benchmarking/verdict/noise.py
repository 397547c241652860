"""How far runs of unchanged software lie apart: the noise floor of a KPI."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.change import CONFIDENCE, relative
from projects.matrix_benchmarking.verdict.zscore import robust_deviation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.verdict.series import Point

_BOUND = 3.5
_ENOUGH_TO_BOUND = 8  # residuals: the median deviation of fewer is too often far too small
_ENOUGH_TO_CORRELATE = 20
_ENOUGH_FOR_TAIL = 3
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RunNoise:
    """Standard deviation of one run around its level in the KPI's unit, its degrees of freedom.

    `phi` is the correlation between one run and the next. `above` and `below` are how much larger
    than the deviation those to one side of the level are: latencies stray upwards.
    """

    deviation: float
    freedom: int
    phi: float = 0.0
    above: float = 1.0
    below: float = 1.0

    def tail(self, difference: float) -> float:
        """Return how much larger deviations are to the side of `difference`, at least 1."""
        return self.above if difference > 0 else self.below

    def error_of_mean(self, count: int) -> float:
        """Return the standard error of the mean of `count` runs in a row."""
        phi = self.phi
        inflated = (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)
        return self.deviation * math.sqrt(inflated / count)


def run_noise(levels: Sequence[Sequence[Point]], least_share: float = 0.0) -> RunNoise:
    """Return the noise of runs that had the given levels, one sequence of points for each.

    Between the runs: their deviation from the mean of their level, outliers drawn in. Within: the
    standard error that repetitions tell of. What lies between runs contains what lies within, so
    it decides; but a few runs may lie closer together than their repetitions allow, by chance.
    `least_share` of the level is the least the deviation can be, from runs of unchanged software.
    """
    residuals = [r for level in levels for r in _residuals([point.value for point in level])]
    freedom = max(len(residuals) - len(levels), 1)
    between = math.sqrt(math.fsum(r * r for r in residuals) / freedom)
    points = [point for level in levels for point in level]
    size = max((abs(center([p.value for p in level])) for level in levels), default=0.0)
    deviation = max(between, typical_error(points), least_share * size, _ROUNDING * size)
    return RunNoise(
        deviation,
        freedom,
        _correlation(residuals, len(levels)),
        above=_tail([r for r in residuals if r > 0], deviation),
        below=_tail([r for r in residuals if r < 0], deviation),
    )


def noise_floor(level: float, noise: RunNoise) -> float:
    """Return by what share of the level 95 % of the runs stray at most."""
    return abs(relative(CONFIDENCE * noise.deviation, level))


def floor_of_repeats(runs: Sequence[Point]) -> float:
    """Return the deviation of at least 3 runs of unchanged software, a share of their level.

    The A/A floor that `Rules.floors` takes.
    """
    level = center([run.value for run in runs])
    return abs(relative(run_noise([runs]).deviation, level))


def center(values: Sequence[float]) -> float:
    """Return the mean of the values, outliers drawn in."""
    median = statistics.median(values)
    return median + math.fsum(_drawn_in(values, median)) / len(values)


def error_within(point: Point) -> float:
    """Return the standard error of a value by its repetitions; 0 where there are fewer than 2."""
    samples = [sample for sample in point.samples if math.isfinite(sample)]
    if len(samples) < 2:  # noqa: PLR2004 - one sample has no spread
        return 0.0
    return statistics.stdev(samples) / math.sqrt(len(samples))


def typical_error(points: Sequence[Point]) -> float:
    """Return the median of the standard errors within the runs that have repetitions."""
    errors = [error_within(point) for point in points if len(point.samples) > 1]
    return statistics.median(errors) if errors else 0.0


def _residuals(values: Sequence[float]) -> list[float]:
    median = statistics.median(values)
    drawn = _drawn_in(values, median)
    mean = math.fsum(drawn) / len(drawn)
    return [value - mean for value in drawn]


def _drawn_in(values: Sequence[float], median: float) -> list[float]:
    """Return the differences to the median, outliers among at least 8 drawn in."""
    differences = [value - median for value in values]
    if len(values) < _ENOUGH_TO_BOUND:
        return differences
    bound = _BOUND * robust_deviation(values) or math.inf
    return [min(max(difference, -bound), bound) for difference in differences]


def _tail(residuals: Sequence[float], deviation: float) -> float:
    if len(residuals) < _ENOUGH_FOR_TAIL:
        return 1.0
    return max(1.0, math.sqrt(math.fsum(r * r for r in residuals) / len(residuals)) / deviation)


def _correlation(residuals: Sequence[float], levels: int) -> float:
    if len(residuals) < _ENOUGH_TO_CORRELATE:
        return 0.0
    import numpy as np

    from projects.matrix_benchmarking.verdict.autocorrelation import of_residuals

    return of_residuals(np.array(residuals), levels).phi
