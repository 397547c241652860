"""How far runs of unchanged software lie apart: the noise floor of a KPI."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.change import CONFIDENCE, relative
from projects.matrix_benchmarking.verdict.level import Run, Scatter, typical_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.matrix_benchmarking.verdict.level import Level
    from projects.matrix_benchmarking.verdict.series import Point

GUESS = 0.15
"""Deviation of runs of which nobody knows anything yet, a share of their level."""

_GUESS_RUNS = 2.0
_KIND_RUNS = 8.0
_UNLIKE = 4.0  # the variance of a kind counts up to so many guesses, or
_UNLIKE_ITSELF = 10.0  # so many of the KPI itself
_GUESSED_CORRELATION = 0.4
_CORRELATION_RUNS = 10.0
_ROUNDING = 1e-9


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


def scatter_of(levels: Iterable[Level]) -> Scatter:
    """Return how runs scatter that had the given levels."""
    return Scatter.together(level.scatter for level in levels)


def run_noise(levels: Sequence[Level], kind: Scatter | None, floor: float = 0.0) -> RunNoise:
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
    within = typical_error(levels)
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
