"""How far two levels of a KPI lie apart, and how sure that is."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.distributions import (
    student_quantile,
    two_sided_student,
)
from projects.matrix_benchmarking.verdict.noise import Run, RunNoise, center, typical_error

if TYPE_CHECKING:
    from collections.abc import Sequence

_PRESSURE_MARGIN = 0.1
PER_WAITING = 1.2
"""Standard deviations of the logarithm of a value, by the logarithm of how much longer work took
that had to wait for a processor: waiting is counted for the machine, not for what is measured."""

_GUESS_RUNS = 2.0

_MOST_PRESSURE = 0.8
_TAILS = 4.0
"""Degrees of freedom that a run has at most, however well the noise is known: single runs stray
farther than a normal distribution has it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The levels `old` and `new`, the standard error between them, its degrees of freedom."""

    old: float
    new: float
    error: float
    freedom: float

    @property
    def p_value(self) -> float:
        """The probability of such a difference, or a larger one, where nothing has changed."""
        return two_sided_student((self.new - self.old) / self.error, self.freedom)

    def reach(self, tail: float) -> float:
        """Return how far the interval reaches to each side that misses the truth by `tail`."""
        return student_quantile(tail, self.freedom) * self.error


def difference(
    old: Sequence[Run], new: Sequence[Run], noise: RunNoise, per_waiting: float = PER_WAITING
) -> Difference:
    """Return how far `new` is from `old`.

    Beside the noise of both means, an error has what is odd about the new runs: repetitions that
    scatter more than usual, and more pressure, for then other work had the machine. The latter adds
    to the degrees of freedom too (Satterthwaite, 1946), as it is not estimated.
    """
    usual = typical_error(old)
    odd = math.fsum(max((run.error or 0.0) ** 2 - usual**2, 0.0) for run in new) / len(new) ** 2
    estimated = noise.error_of_mean(len(old)) ** 2 + noise.error_of_mean(len(new)) ** 2 + odd
    variance = estimated + (per_waiting * excess(old, new)) ** 2
    freedom = min(noise.freedom, _TAILS * min(len(old), len(new)))
    return Difference(
        old=center([run.value for run in old]),
        new=center([run.value for run in new]),
        error=math.sqrt(variance),
        freedom=freedom * (variance / estimated) ** 2,
    )


def excess(old: Sequence[Run], new: Sequence[Run]) -> float:
    """Return how much more waiting there was for the new runs than for the old, beyond noise."""
    usual, now = (statistics.median(waiting(run.pressure) for run in runs) for runs in (old, new))
    return max(now - usual - _PRESSURE_MARGIN, 0.0)


def strayed(quiet: Sequence[Run], busy: Sequence[Run]) -> float:
    """Return `PER_WAITING` as the busier runs of a KPI tell it; the guess counts like two runs."""
    level = center([run.value for run in quiet])
    told = [
        ((run.value - level) / more) ** 2
        for run in busy
        if (more := excess(quiet, [run])) > _PRESSURE_MARGIN
    ]
    squares = _GUESS_RUNS * PER_WAITING**2 + math.fsum(told)
    return math.sqrt(squares / (_GUESS_RUNS + len(told)))


def waiting(pressure: float) -> float:
    """Return the logarithm of how much longer work takes that waits for this share of its time."""
    return -math.log1p(-min(pressure, _MOST_PRESSURE))
