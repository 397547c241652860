"""A series cut into segments of constant level, the best cut of all at a handful of places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_CHANGES = 7
"""Changes that one series can have; of more, those that explain most are kept."""

_CELLS = 40
_HALF_WINDOW = 10
_GIVE_UP = 2  # changes that may bring nothing by themselves, only together with the next


@dataclass(frozen=True, slots=True)
class Segmentation:
    """First points of the segments but the first; sums before each point; penalized cost."""

    changes: list[int]
    sums: NDArray[Any]
    cost: float

    @property
    def bounds(self) -> NDArray[Any]:
        """Begin of each segment, and the end of the last."""
        return np.array([0, *self.changes, len(self.sums) - 1])

    @property
    def levels(self) -> NDArray[Any]:
        """The level at each point."""
        bounds = self.bounds
        lengths = bounds[1:] - bounds[:-1]
        at = self.sums[bounds]
        return np.repeat((at[1:] - at[:-1]) / lengths, lengths)


class Grid:
    """The places where a series may be cut: the likeliest in each of some 40 cells.

    Likeliest is where the means of the 10 points before and after differ most.
    """

    def __init__(self, values: NDArray[Any], least_segment: int) -> None:
        length = len(values)
        half = max(min(_HALF_WINDOW, length // 4), 1)
        sums = sums_before(values)
        apart = np.zeros(length)
        apart[half : length - half + 1] = np.abs(
            sums[2 * half :] - 2 * sums[half : length - half + 1] + sums[: length - 2 * half + 1]
        )
        stride = -(-length // _CELLS)
        starts = np.arange(0, length - stride + 1, stride)
        places = starts + apart[: len(starts) * stride].reshape(-1, stride).argmax(axis=1)
        places = places[(places >= least_segment) & (places <= length - least_segment)]
        self._bounds = np.concatenate(([0], places, [length]))
        lengths = self._bounds[None, :] - self._bounds[:, None]
        possible = lengths >= least_segment
        self.inverse = possible / np.maximum(lengths, 1)
        self.impossible = np.where(possible, 0.0, -np.inf)

    def of(self, values: NDArray[Any]) -> Gains:
        """Return what segments of `values` gain, to be cut at one price or another."""
        return Gains(self._bounds, values, self)


class Gains:
    """By how much a level from one bound to another lessens the squares of a series."""

    def __init__(self, bounds: NDArray[Any], values: NDArray[Any], grid: Grid) -> None:
        self._bounds = bounds
        self._sums = sums_before(values)
        at = self._sums[bounds]
        gains = at[None, :] - at[:, None]
        gains *= gains
        gains *= grid.inverse
        gains += grid.impossible
        self._gains = gains
        self._squares = float(values @ values)
        self._columns = np.arange(len(bounds))
        self._best = gains[0]
        self._totals = [float(self._best[-1])]
        self._origins: list[NDArray[Any]] = []

    def cut(self, long_run: float, penalty: float) -> Segmentation:
        """Return the cut with the least squares, each change costing `penalty` x `long_run`.

        Dynamic programming over the number of changes (Jackson et al. 2005), with matrices over
        the places instead of loops: at most 42 x 42, whatever the length of the series. What was
        computed for one price serves the next.
        """
        price = penalty * long_run
        most, count = self._totals[0], 0
        for changes in range(1, MOST_CHANGES + 1):
            if changes == len(self._totals):
                self._add_a_change()
            net = self._totals[changes] - price * changes
            if net > most:
                most, count = net, changes
            elif changes - count >= _GIVE_UP:
                break
        found: list[int] = []
        place = len(self._bounds) - 1
        for origin in reversed(self._origins[:count]):
            place = int(origin[place])
            found.append(int(self._bounds[place]))
        return Segmentation(found[::-1], self._sums, (self._squares - most) / long_run)

    def _add_a_change(self) -> None:
        totals = self._best[:, None] + self._gains
        origin = totals.argmax(axis=0)
        self._best = totals[origin, self._columns]
        self._origins.append(origin)
        self._totals.append(float(self._best[-1]))


def sums_before(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sum of the values before each point, and of all."""
    sums = np.empty(len(values) + 1)
    sums[0] = 0.0
    np.cumsum(values, out=sums[1:])
    return sums
