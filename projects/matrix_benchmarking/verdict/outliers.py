"""Outliers drawn in: to the bounds of what is usual around the running median."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 9
"""Points of the running median: four outliers in a row do not move it."""

_BOUND = 2.5  # standard deviations to each side
_TAIL = 0.1
_TAILS_APART = 2.5631  # standard deviations between the tenth and the ninetieth percent
_ALMOST_CONSTANT = 1e-3


def drawn_in(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values, none farther than 2.5 deviations from the median of the 9 around it.

    The deviation is that between the tenth and the ninetieth percent of the residuals: unlike
    the median absolute deviation it sees the second mode of bimodal noise, which has to stay.
    Where more than 80 % of the residuals are 0, what is left counts as outliers.
    """
    medians = _running_medians(values)
    residuals = values - medians
    cut = int(len(residuals) * _TAIL)
    low, high = np.partition(residuals, (cut, len(residuals) - 1 - cut))[[cut, -1 - cut]]
    deviation = (high - low) / _TAILS_APART
    if not deviation:
        deviation = _ALMOST_CONSTANT * np.abs(residuals).mean()
    bound = _BOUND * deviation
    drawn: NDArray[Any] = medians + residuals.clip(-bound, bound)
    return drawn


def _running_medians(values: NDArray[Any]) -> NDArray[Any]:
    """Return the median around each point; beyond the ends the series is mirrored."""
    half = min(WINDOW // 2, len(values) - 1)
    mirrored = np.concatenate((values[half:0:-1], values, values[-2 : -half - 2 : -1]))
    step = mirrored.strides[0]
    windows = as_strided(mirrored, (len(values), 2 * half + 1), (step, step), writeable=False)
    medians: NDArray[Any] = np.partition(windows, half, axis=1)[:, half]
    return medians
