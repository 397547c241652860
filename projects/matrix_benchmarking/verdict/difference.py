"""How far two levels of a KPI lie apart, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.distributions import (
    student_quantile,
    two_sided_student,
)
from projects.matrix_benchmarking.verdict.level import Level, typical_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.verdict.level import Run
    from projects.matrix_benchmarking.verdict.noise import RunNoise

_PRESSURE_MARGIN = 0.1
PER_WAITING = 1.2
"""Standard deviations of the logarithm of a value, by the logarithm of how much longer work took
that had to wait for a processor: waiting is counted for the machine, not for what is measured."""

_GUESS_RUNS = 2.0

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
    old: Level, new: Level, noise: RunNoise, per_waiting: float = PER_WAITING
) -> Difference:
    """Return how far `new` is from `old`.

    Beside the noise of both means, an error has what is odd about the new runs: repetitions that
    scatter more than usual, and more pressure, for then other work had the machine. The latter adds
    to the degrees of freedom too (Satterthwaite, 1946), as it is not estimated.
    """
    usual = typical_error([old])
    beyond = (max((run.error or 0.0) ** 2 - usual**2, 0.0) for run in new.runs)
    odd = math.fsum(beyond) / len(new) ** 2
    estimated = noise.error_of_mean(len(old)) ** 2 + noise.error_of_mean(len(new)) ** 2 + odd
    variance = estimated + (per_waiting * excess(old, new)) ** 2
    freedom = min(noise.freedom, _TAILS * min(len(old), len(new)))
    return Difference(
        old=old.center,
        new=new.center,
        error=math.sqrt(variance),
        freedom=freedom * (variance / estimated) ** 2,
    )


def excess(old: Level, new: Level) -> float:
    """Return how much more waiting there was for the new runs than for the old, beyond noise."""
    now = new.waiting - _PRESSURE_MARGIN
    return max(now - old.waiting, 0.0) if now > 0 else 0.0  # mostly nobody waits


def strayed(quiet: Level, busy: Sequence[Run]) -> float:
    """Return `PER_WAITING` as the busier runs of a KPI tell it; the guess counts like two runs."""
    told = [
        ((run.value - quiet.center) / more) ** 2
        for run in busy
        if (more := excess(quiet, Level([run]))) > _PRESSURE_MARGIN
    ]
    squares = _GUESS_RUNS * PER_WAITING**2 + math.fsum(told)
    return math.sqrt(squares / (_GUESS_RUNS + len(told)))
