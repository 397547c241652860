"""Our detector: outliers, two modes, autocorrelation, season and drift are noise, steps are not.

The steps of the computation, each O(n) or bounded:

1. Outliers are drawn in towards the running median (`outliers`).
2. The noise is taken for AR(1); correlation and variance come from differences (`autocorrelation`).
3. The series is cut where that explains most, at some 40 likely places (`segmentation`); what is
   left gives a better estimate of the noise, and maybe a season to take off (`season`).
4. It is cut again; if a straight line and fewer steps explain as much, the line is drift.
5. Each change moves to its likeliest place and has to stand a test of its own (`pruning`).

How the constants below were chosen: on the series of `projects.bench.library.labelled_series`
with `CALIBRATION_SEEDS` only (400 of each family with steps of 10 %, 500 clean ones, 200 points),
by hand, so that no family of steady noise has more than 2 % of its clean series alarmed, and
rounded. The figures that `bench change_points` publishes are of `REPORTED_SEEDS`, which none of
this has seen.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from projects.matrix_benchmarking.verdict.autocorrelation import Noise, of_differences, of_residuals
from projects.matrix_benchmarking.verdict.change import Change
from projects.matrix_benchmarking.verdict.distributions import two_sided_normal
from projects.matrix_benchmarking.verdict.outliers import drawn_in
from projects.matrix_benchmarking.verdict.pruning import kept, moved
from projects.matrix_benchmarking.verdict.season import season_of
from projects.matrix_benchmarking.verdict.segmentation import Grid, Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_SEGMENT = 5
THRESHOLD = 4.7
"""Standard errors that a change stands out by; of 200 points, 1 clean series in 200 reaches it."""

_FIRST_PENALTY = 9.0  # squared standard errors; low, for the noise must not keep a step
_PENALTY = 9.0  # candidates only: the test decides
_DRIFT_PENALTY = 0.25 * _PENALTY
_DRIFT_ROUNDS = 2
_HOPELESS = 10 * _PENALTY  # more than another slope could make good
_LEAST_TO_DRIFT = 50  # points; in fewer, a line and a step look the same
_FEW = 6.0
_SEASON_HIDDEN = 0.3  # noise that looks this autocorrelated may be a season
_CONSTANT = 1e-12  # spread of values as large as 1 that is only rounding
_LEAST_DEVIATION = 1e-4  # of the spread: noise of quantized values is not 0


class _Explained(NamedTuple):
    """A series without season, drift and mean; how it is cut; its noise; what was taken off."""

    values: NDArray[Any]
    cut: Segmentation
    noise: Noise
    mean: float
    slope: float = 0.0


def detect(
    values: NDArray[Any],
    *,
    least_segment: int = LEAST_SEGMENT,
    threshold: float = THRESHOLD,
) -> list[Change]:
    """Return the changes of level in finite `values`, oldest first.

    Parameters
    ----------
    values
        In the order of time. Shorter than two segments they have no change.
    least_segment
        Points that a level has to last, at least 2.
    threshold
        Standard errors that a change has to stand out by.

    """
    least_segment = max(int(least_segment), 2)
    largest = float(np.abs(values).max(initial=0.0))
    if len(values) < 2 * least_segment or not largest:
        return []
    unit = values / largest
    middle = float(unit.mean())
    unit -= middle
    drawn = drawn_in(unit)
    if np.ptp(drawn) < _CONSTANT:
        return []
    explained = _explain(drawn, least_segment)
    series, cut, noise, mean, slope = explained
    if not cut.changes:
        return []
    residuals = series - cut.levels
    places = moved(series, cut, noise, least_segment)
    # The fewer points, the less is known about the noise.
    threshold *= 1 + _FEW / len(values)
    changes, statistics = kept(series, places, noise, _skewness(residuals), threshold)
    if not changes:
        return []
    center = (len(values) - 1) / 2
    offsets = middle + mean + slope * (np.array(changes) - center)
    return _measured(explained, changes, statistics, offsets, largest)


def _explain(drawn: NDArray[Any], least_segment: int) -> _Explained:
    mean = float(drawn.mean())
    values = drawn - mean
    floor = (_LEAST_DEVIATION * float(np.ptp(values))) ** 2 or _CONSTANT**2
    noise = _at_least(of_differences(values), floor)
    grid = Grid(values, least_segment)
    gains = grid.of(values)
    cut = gains.cut(noise.long_run, _FIRST_PENALTY)
    season = season_of(values - cut.levels)
    if season is None and noise.phi > _SEASON_HIDDEN:
        other = gains.cut(noise.variance, _FIRST_PENALTY)
        season = season_of(values - other.levels)
    if season is not None:
        values = values - season
        noise = _at_least(of_differences(values), floor)
        grid = Grid(values, least_segment)
        gains = grid.of(values)
        cut = gains.cut(noise.long_run, _FIRST_PENALTY)
    noise = _at_least(of_residuals(values - cut.levels, len(cut.changes) + 1), floor)
    cut = gains.cut(noise.long_run, _PENALTY)
    steady = _Explained(values, cut, noise, mean)
    may_drift = cut.changes and len(values) >= _LEAST_TO_DRIFT
    return _drifting(steady, grid) if may_drift else steady


def _drifting(steady: _Explained, grid: Grid) -> _Explained:
    """Return the series with a straight line taken off, where that spares steps."""
    values, noise = steady.values, steady.noise
    time = np.arange(len(values)) - (len(values) - 1) / 2
    best, cost = steady, steady.cut.cost
    slope = float(time @ values) / float(time @ time)
    for _ in range(_DRIFT_ROUNDS):
        without = values - slope * time
        cut = grid.of(without).cut(noise.long_run, _PENALTY)
        if cut.cost + _DRIFT_PENALTY < cost:
            best, cost = (
                _Explained(without, cut, noise, steady.mean, slope),
                cut.cost + _DRIFT_PENALTY,
            )
        if cut.cost > cost + _HOPELESS:
            break
        within = time - _means(time, cut)
        slope += float(within @ without) / float(within @ within)
    return best


def _means(values: NDArray[Any], cut: Segmentation) -> NDArray[Any]:
    """Return for each value the mean of its segment."""
    bounds = cut.bounds
    lengths = np.diff(bounds)
    return np.repeat(np.add.reduceat(values, bounds[:-1]) / lengths, lengths)


def _measured(
    explained: _Explained,
    changes: list[int],
    statistics: list[float],
    offsets: NDArray[Any],
    unit: float,
) -> list[Change]:
    series, noise = explained.values, explained.noise
    bounds = np.array([0, *changes, len(series)])
    lengths = np.diff(bounds)
    levels = np.add.reduceat(series, bounds[:-1]) / lengths
    variances = noise.variance_of_mean(lengths)
    errors = np.sqrt(variances[1:] + variances[:-1])
    return [
        Change.measured(
            change,
            before=float(levels[k] + offsets[k]) * unit,
            after=float(levels[k + 1] + offsets[k]) * unit,
            error=float(errors[k]) * unit,
            p_value=min(1.0, len(series) * two_sided_normal(statistics[k])),
        )
        for k, change in enumerate(changes)
    ]


def _skewness(residuals: NDArray[Any]) -> float:
    variance = float(residuals @ residuals) / len(residuals)
    if not variance:
        return 0.0
    return float((residuals**3).mean()) / math.pow(variance, 1.5)


def _at_least(noise: Noise, variance: float) -> Noise:
    return (
        Noise(noise.phi, max(noise.variance, variance)) if math.isfinite(noise.variance) else noise
    )
