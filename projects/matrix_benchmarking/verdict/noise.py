"""How far runs of unchanged software lie apart: the noise floor of a KPI."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from projects.matrix_benchmarking.verdict.change import CONFIDENCE, relative
from projects.matrix_benchmarking.verdict.zscore import robust_deviation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.matrix_benchmarking.verdict.series import Point

GUESS = 0.15
"""Deviation of runs of which nobody knows anything yet, a share of their level."""

_GUESS_RUNS = 2.0
_KIND_RUNS = 8.0
_UNLIKE = 4.0  # the variance of a kind counts up to so many guesses, or
_UNLIKE_ITSELF = 10.0  # so many of the KPI itself
_BOUND = 3.5
_ENOUGH_TO_BOUND = 8  # residuals: the median deviation of fewer is too often far too small
_MOST_CORRELATED = 0.9
_GUESSED_CORRELATION = 0.4
_CORRELATION_RUNS = 10.0
_ROUNDING = 1e-9


class Run(NamedTuple):
    """A run on a `Scale`: its value, the standard error of its repetitions, and its pressure."""

    value: float
    error: float | None
    pressure: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Values as logarithms where all are positive (`unit` 0), else in units of the largest.

    The noise of a duration or a rate is a share of it, and half as fast is as far as twice.
    """

    unit: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Scale:
        """Return the scale for the values of a series."""
        known = list(values)
        positive = min(known, default=0.0) > 0
        return cls(0.0 if positive else max(map(abs, known), default=0.0) or 1.0)

    def run(self, point: Point) -> Run:
        """Return a point on the scale."""
        samples = [sample for sample in point.samples if math.isfinite(sample)]
        if len(samples) < 2:  # noqa: PLR2004 - one sample has no spread
            return Run(self._to(point.value), None, point.pressure)
        if not self.unit and min(samples) <= 0:
            error = statistics.stdev(samples) / point.value
        else:
            error = statistics.stdev(map(self._to, samples))
        return Run(self._to(point.value), error / math.sqrt(len(samples)), point.pressure)

    def back(self, value: float) -> float:
        """Return a value of the scale in the unit of the KPI."""
        return value * self.unit if self.unit else math.exp(value)

    def share(self, difference: float, level: float) -> float:
        """Return a difference on the scale as a share of `level`, which is on it too."""
        if self.unit:
            return relative(difference, level)
        return math.expm1(min(difference, 700.0))

    def _to(self, value: float) -> float:
        return value / self.unit if self.unit else math.log(value)


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


@dataclass(frozen=True, slots=True)
class RunNoise:
    """Standard deviation of one run around its level on a `Scale`, its degrees of freedom.

    `phi` is the correlation between one run and the next.
    """

    deviation: float
    freedom: float
    phi: float = 0.0

    def error_of_mean(self, count: int) -> float:
        """Return the standard error of the mean of `count` runs in a row."""
        phi = self.phi
        inflated = (1 + phi) / (1 - phi) - 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)
        return self.deviation * math.sqrt(inflated / count)


def scatter_of(levels: Sequence[Sequence[Run]]) -> Scatter:
    """Return how runs scatter that had the given levels, one sequence for each."""
    return Scatter.together(map(_scatter, levels))


def _scatter(level: Sequence[Run]) -> Scatter:
    values = [run.value for run in level]
    if len(values) < 2:  # noqa: PLR2004 - one run has no spread
        return Scatter()
    # Outliers and all: what strayed once may stray again.
    mean = center(values)
    residuals = [value - mean for value in values]
    return Scatter(
        math.fsum(r * r for r in residuals),
        len(level) - 1,
        math.fsum(a * b for a, b in pairwise(residuals)),
        len(level) - 1,
        max(map(abs, residuals)),
    )


def run_noise(
    levels: Sequence[Sequence[Run]], kind: Scatter | None, floor: float = 0.0
) -> RunNoise:
    """Return the noise of a KPI whose runs had the given levels, with what others tell of it.

    A variance of n runs has n - 1 degrees of freedom, which is next to nothing when there are
    few. So it is moderated, after Smyth (2004, the variances of limma): `kind`, the scatter of all
    KPIs of the same name, counts like eight runs, and itself as much as there are runs, beside
    `GUESS`, which counts like two; for KPIs of a run stray together, many are no more than one.
    The correlation, of which as little is known, begins at 0.4, and that counts like ten runs.
    What repetitions within the runs tell is the least the noise can be; so is `floor`, the
    deviation of runs of unchanged software, which takes the place of the guess.

    Without a `kind` the noise is what the levels themselves tell.
    """
    own = scatter_of(levels)
    correlation = (kind or own).correlation
    if kind is None:
        between, freedom = math.sqrt(own.squares / max(own.freedom, 1)), max(own.freedom, 1.0)
    else:
        between, freedom = _moderated(own, kind, floor)
        guessed = _CORRELATION_RUNS * _GUESSED_CORRELATION + own.freedom * correlation
        correlation = guessed / (_CORRELATION_RUNS + own.freedom)
    within = typical_error([run for level in levels for run in level])
    return RunNoise(max(between, within, floor, _ROUNDING), freedom, correlation)


def _moderated(own: Scatter, kind: Scatter, floor: float) -> tuple[float, float]:
    guess = (floor or GUESS) ** 2
    usual = kind.squares / kind.freedom if kind.freedom else guess
    if own.freedom:
        # A kind may have far noisier KPIs than this one is known to be.
        usual = min(usual, max(_UNLIKE * guess, _UNLIKE_ITSELF * own.squares / own.freedom))
    usual = (_GUESS_RUNS * guess + own.freedom * usual) / (_GUESS_RUNS + own.freedom)
    freedom = _KIND_RUNS + own.freedom
    return math.sqrt((_KIND_RUNS * usual + own.squares) / freedom), freedom


def noise_floor(level: float, noise: RunNoise, scale: Scale) -> float:
    """Return by what share of the level, which is on `scale`, 95 % of the runs stray at most."""
    return abs(scale.share(CONFIDENCE * noise.deviation, level))


def center(values: Sequence[float]) -> float:
    """Return the mean of the values, outliers drawn in."""
    median = statistics.median(values)
    return median + math.fsum(_drawn_in(values, median)) / len(values)


def typical_error(runs: Sequence[Run]) -> float:
    """Return the median of the standard errors within the runs that have repetitions."""
    errors = [run.error for run in runs if run.error is not None]
    return statistics.median(errors) if errors else 0.0


def _drawn_in(values: Sequence[float], median: float) -> list[float]:
    """Return the differences to the median, outliers among at least 8 drawn in."""
    differences = [value - median for value in values]
    if len(values) < _ENOUGH_TO_BOUND:
        return differences
    bound = _BOUND * robust_deviation(values) or math.inf
    return [min(max(difference, -bound), bound) for difference in differences]
