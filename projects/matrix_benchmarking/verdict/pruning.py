"""Candidates for changes: moved to their likeliest place, and kept when they stand a test."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from projects.matrix_benchmarking.verdict.segmentation import sums_before

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from projects.matrix_benchmarking.verdict.autocorrelation import Noise
    from projects.matrix_benchmarking.verdict.segmentation import Segmentation

_REACH = 10

_BINS = 64
_FARTHEST = 6.0  # deviations that a histogram of the noise reaches
_SCALE = (_BINS - 1) / (2 * _FARTHEST)
_AT = np.arange(_BINS) / _SCALE - _FARTHEST
_WIDTH = 0.3  # deviations: narrow enough for two modes to stay two
_KERNEL = np.exp(-((np.arange(-8, 9) / (_SCALE * _WIDTH)) ** 2) / 2)
_KERNEL /= _KERNEL.sum()
_NORMAL_SHARE = 0.2  # of the density: what no residual has shown is unlikely, not impossible
_NORMAL = _NORMAL_SHARE * np.exp(-(_AT**2) / 2) / math.sqrt(2 * math.pi) + 1e-4


class Kept(NamedTuple):
    """Changes that stood the test, and by how many standard errors each (beyond the skew)."""

    changes: list[int]
    statistics: list[float]


def moved(values: NDArray[Any], cut: Segmentation, noise: Noise, least_segment: int) -> list[int]:
    """Return the changes, each where the likelihood of AR(1) noise around its levels is largest.

    A change can move by 10 points, and leaves each segment its least length. Autocorrelated noise
    hides a change from sums, but not from the step between two neighbours; and where the noise has
    two modes, its density tells them from a change.
    """
    loss_of = _loss(values, cut, noise)
    bounds = [0, *cut.changes, len(values)]
    sums, phi = cut.sums, noise.phi
    for k in range(1, len(bounds) - 1):
        before, here, after = bounds[k - 1 : k + 2]
        low = max(before + least_segment, here - _REACH)
        high = min(after - least_segment, here + _REACH)
        if low >= high:
            continue
        old = (sums[here] - sums[before]) / (here - before)
        new = (sums[after] - sums[here]) / (after - here)
        now, last = values[low : high + 1], values[low - 1 : high]
        rest = now - phi * last
        if_old = loss_of(rest - (1 - phi) * old)
        if_new = loss_of(rest - (1 - phi) * new)
        if_first = loss_of(rest - new + phi * old)
        loss = np.cumsum(if_old) - if_old + if_first - np.cumsum(if_new)
        bounds[k] = low + int(loss.argmin())
    return bounds[1:-1]


def _loss(
    values: NDArray[Any], cut: Segmentation, noise: Noise
) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return minus the log of the density of what is new in a point, from what is left of `cut`.

    The density is a smoothed histogram of 64 bins, and a fifth of it normal.
    """
    residuals = values - cut.levels
    deviation = math.sqrt(noise.innovation)
    new = (residuals[1:] - noise.phi * residuals[:-1]) / deviation
    bins = np.rint((new.clip(-_FARTHEST, _FARTHEST) + _FARTHEST) * _SCALE).astype(np.intp)
    counts = np.bincount(bins, minlength=_BINS)
    seen = np.convolve(counts, _KERNEL, mode="same") * (_SCALE / len(new))
    loss = -np.log((1 - _NORMAL_SHARE) * seen + _NORMAL)

    def loss_of(what: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = np.interp(what / deviation, _AT, loss)
        return found

    return loss_of


def kept(
    values: NDArray[Any],
    changes: list[int],
    noise: Noise,
    skewness: float,
    threshold: float,
) -> Kept:
    """Drop the weakest change, as long as it is below `threshold`, and test the others again.

    The test is that of generalized least squares: values whitened by `noise`, a level and a step
    in the two segments around the change. Means of few points of skewed noise go astray farther
    than normal ones, which raises the threshold by the first Cornish-Fisher term of the
    difference of two means.
    """
    white = values.copy()
    white[1:] -= noise.phi * values[:-1]
    white[0] *= 1 - noise.phi
    sums = sums_before(white)
    astray = _SKEW * skewness * (threshold**2 - 1) / 6
    left = list(changes)
    while left:
        statistics = _statistics(white, sums, left, noise, astray)
        weakest = int(statistics.argmin())
        if statistics[weakest] >= threshold:
            return Kept(left, [float(t) for t in statistics])
        del left[weakest]
    return Kept([], [])


_SKEW = 1.5  # calibrated; 1 would be the first term alone


def _statistics(
    white: NDArray[Any],
    sums: NDArray[Any],
    changes: list[int],
    noise: Noise,
    astray: float,
) -> NDArray[Any]:
    bounds = np.array([0, *changes, len(white)])
    begin, step, end = bounds[:-2].copy(), bounds[1:-1], bounds[2:]
    begin[1:] += 1  # the first whitened value of a segment holds the step before it
    rest = 1 - noise.phi
    old, new = step - begin, end - step
    one_one = rest**2 * (end - begin)
    one_step = rest * (1 + (new - 1) * rest)
    step_step = 1 + (new - 1) * rest**2
    one_white = rest * (sums[end] - sums[begin])
    step_white = white[step] + rest * (sums[end] - sums[step + 1])
    error = np.sqrt((step_step - one_step**2 / one_one) * noise.innovation)
    t = (step_white - one_step * one_white / one_one) / error
    skew = (1 / new**2 - 1 / old**2) / (1 / new + 1 / old) ** 1.5
    beyond: NDArray[Any] = np.abs(t) - np.maximum(astray * skew * np.sign(t), 0.0)
    return beyond
