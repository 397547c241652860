"""A season in noise: one sine that stands out of the periodogram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_CYCLES = 6
"""Fewer cycles in a series look like levels."""

_STANDS_OUT = 14.0  # times the median around it: of 100 frequencies of pure noise, 1 in 160 series
_REACH = 8
_BESIDE = 2  # neighbours that a season leaks into
_FINE = np.linspace(-0.75, 0.75, 13)


def season_of(residuals: NDArray[Any]) -> NDArray[Any] | None:
    """Return the sine in residuals without steps, or None where no frequency stands out.

    A frequency is compared with the median of those around it, so that noise with a smooth
    spectrum, like an autoregression, has no season.
    """
    power = np.abs(np.fft.rfft(residuals)[1:]) ** 2
    if len(power) < LEAST_CYCLES + _REACH + _BESIDE:
        return None
    around = _medians_around(power)
    share = power[LEAST_CYCLES - 1 :] / np.maximum(around[LEAST_CYCLES - 1 :], np.finfo(float).tiny)
    peak = int(share.argmax())
    if share[peak] < _STANDS_OUT:
        return None
    return _fitted(residuals, peak + LEAST_CYCLES)


def _medians_around(power: NDArray[Any]) -> NDArray[Any]:
    """Return the median of the 12 frequencies around each, without it and the nearest."""
    mirrored = np.concatenate((power[_REACH:0:-1], power, power[-2 : -_REACH - 2 : -1]))
    step = mirrored.strides[0]
    far = _REACH - _BESIDE
    below = as_strided(mirrored, (len(power), far), (step, step), writeable=False)
    beyond = mirrored[_REACH + _BESIDE + 1 :]
    above = as_strided(beyond, (len(power), far), (step, step), writeable=False)
    ordered = np.partition(np.concatenate((below, above), axis=1), (far - 1, far), axis=1)
    medians: NDArray[Any] = (ordered[:, far - 1] + ordered[:, far]) / 2
    return medians


def _fitted(residuals: NDArray[Any], cycles: int) -> NDArray[Any]:
    """Return the best sine of about `cycles` cycles; seasons seldom fit a series exactly."""
    time = np.arange(len(residuals))
    turns = np.exp(-2j * np.pi / len(residuals) * np.outer(cycles + _FINE, time))
    best = turns[int(np.abs(turns @ residuals).argmax())]
    base = np.stack((best.real, best.imag), axis=1)
    amplitudes = np.linalg.solve(base.T @ base, base.T @ residuals)
    fitted: NDArray[Any] = base @ amplitudes
    return fitted
