"""A season in noise: one sine that stands out of the periodogram."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_CYCLES = 6
"""Fewer cycles in a series look like levels."""

_STANDS_OUT = 14.0  # times the median around it: of 100 frequencies of pure noise, 1 in 160 series
_COULD_STAND_OUT = 0.2  # of the power of the 17 frequencies around: saves the medians
_REACH = 8
_BESIDE = 2  # neighbours that a season leaks into
_FINE_STEP = 0.125
_FINE = np.arange(-6, 7) * _FINE_STEP


def season_of(residuals: NDArray[Any]) -> NDArray[Any] | None:
    """Return the sine in residuals without steps, or None where no frequency stands out.

    A frequency is compared with the median of those around it, so that noise with a smooth
    spectrum, like an autoregression, has no season.
    """
    power = np.abs(np.fft.rfft(residuals)[1:]) ** 2
    if len(power) < LEAST_CYCLES + _REACH + _BESIDE:
        return None
    mirrored = np.concatenate((power[_REACH:0:-1], power, power[-2 : -_REACH - 2 : -1]))
    smooth = np.convolve(mirrored, np.ones(2 * _REACH + 1), mode="valid")
    first = LEAST_CYCLES - 1
    likeliest = power[first:] / np.maximum(smooth[first:], np.finfo(float).tiny)
    peak = int(likeliest.argmax()) + first
    if likeliest[peak - first] < _COULD_STAND_OUT:
        return None
    below = mirrored[peak : peak + _REACH - _BESIDE]
    above = mirrored[peak + _REACH + _BESIDE + 1 : peak + 2 * _REACH + 1]
    beside = [float(value) for value in (*below, *above)]
    if power[peak] <= _STANDS_OUT * statistics.median(beside):
        return None
    return _fitted(residuals, peak + 1)


def _fitted(residuals: NDArray[Any], cycles: int) -> NDArray[Any]:
    """Return the best sine of about `cycles` cycles; seasons seldom fit a series exactly."""
    turn = -2j * np.pi / len(residuals) * np.arange(len(residuals))
    wave, step = residuals * np.exp(turn * (cycles + _FINE[0])), np.exp(turn * _FINE_STEP)
    strengths = []
    for _ in _FINE:
        strengths.append(abs(wave.sum()))
        wave *= step
    best = np.exp(turn * (cycles + _FINE[int(np.argmax(strengths))]))
    base = np.stack((best.real, best.imag), axis=1)
    amplitudes = np.linalg.solve(base.T @ base, base.T @ residuals)
    fitted: NDArray[Any] = base @ amplitudes
    return fitted
