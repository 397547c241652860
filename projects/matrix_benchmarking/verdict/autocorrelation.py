"""How much a point of the noise resembles the one before: a first-order autoregression."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 0.9
_LEFT_OUT = 0.05
_LEAST_LEFT_OUT = 8  # three steps touch six differences to the next but one


class Noise(NamedTuple):
    """AR(1) noise: correlation between neighbours (0 … 0.9), variance of a point."""

    phi: float
    variance: float

    @property
    def long_run(self) -> float:
        """The variance that makes means of many points come out right: n var(mean)."""
        return self.variance * (1 + self.phi) / (1 - self.phi)

    @property
    def innovation(self) -> float:
        """The variance of what is new in a point."""
        return self.variance * (1 - self.phi**2)

    def variance_of_mean(self, count: NDArray[Any]) -> NDArray[Any]:
        """Return the variance of the mean of `count` neighbours.

        Source: the sum of the autocovariances phi^k; Priestley, Spectral Analysis, 5.3.5.
        """
        phi = self.phi
        shrinking = 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2)
        exact: NDArray[Any] = self.variance / count * ((1 + phi) / (1 - phi) - shrinking)
        return exact


def of_differences(values: NDArray[Any]) -> Noise:
    """Return the noise of a series whose steps are still in it.

    Squares of differences have means 2 var (1 - phi) between neighbours and 2 var (1 - phi²)
    between the next but one, so their ratio is 1 + phi. A step touches few of them, and the
    largest 5 % (of few, 8) are left out. The estimate is a rough one; a standard error is taken
    off, for what is taken for noise here hides steps, and `of_residuals` mends only the opposite.
    """
    near = _mean_square(values[1:] - values[:-1])
    far = _mean_square(values[2:] - values[:-2])
    phi = _bounded(far / near - 1 - 1 / math.sqrt(len(values))) if near else 0.0
    return Noise(phi, near / 2 / (1 - phi))


def of_residuals(residuals: NDArray[Any], levels: int) -> Noise:
    """Return the noise that is left after the means of `levels` segments were taken off.

    Taking off means makes neighbours look less alike; the correction is the first-order one of
    a mean, (1 + 3 phi) / n (Marriott and Pope 1954), for each of them.
    """
    count = len(residuals)
    square = float(residuals @ residuals)
    phi = float(residuals[1:] @ residuals[:-1]) / square if square else 0.0
    phi = _bounded(phi + levels * (1 + 3 * phi) / count)
    new = residuals[1:] - phi * residuals[:-1]
    return Noise(phi, float(new @ new) / max(count - 1 - levels, 1) / (1 - phi**2))


def _mean_square(differences: NDArray[Any]) -> float:
    """Return the mean square of normal numbers, of which the largest do not belong to them."""
    squares = differences * differences
    count = len(squares)
    kept = max(count - max(int(_LEFT_OUT * count), _LEAST_LEFT_OUT), (count + 1) // 2)
    smaller = np.partition(squares, kept - 1)[:kept]
    return float(smaller.mean()) / _share_of_square(kept, count)


@lru_cache(maxsize=256)
def _share_of_square(kept: int, count: int) -> float:
    """Return the mean square of the smaller `kept` of `count` standard normal numbers."""
    share = kept / (count + 1)
    normal = NormalDist()
    edge = normal.inv_cdf((1 + share) / 2)
    return (share - 2 * edge * normal.pdf(edge)) / share


def _bounded(phi: float) -> float:
    return min(max(phi, 0.0), _MOST)
