"""Student's t: the next few points against those of the level before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from projects.matrix_benchmarking.verdict.change import Change, between
from projects.matrix_benchmarking.verdict.distributions import two_sided_student
from projects.matrix_benchmarking.verdict.sequential import Direction, scan, wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray


def detect(
    values: NDArray[Any],
    *,
    p_value: float = 1e-4,
    least_level: int = 5,
    after: int = 3,
    direction: Direction = "both",
) -> list[Change]:
    """Return where the mean of the next `after` points differs from that of the level.

    The variance is that of the two together (pooled), and taken for that of normal noise. Fewer
    than `after` points are left at the end of the series; they are tested all the same.
    `direction` is where to look: "higher" or "lower" values, or both.
    """

    def is_new(level: NDArray[Any], rest: NDArray[Any]) -> bool:
        new = rest[: max(after, 1)]
        difference = float(new.mean() - level.mean())
        if not wanted(difference, direction):
            return False
        found = p_value_of(level, new)
        return found < p_value and (len(rest) <= after or found <= one_later(level, rest))

    def one_later(level: NDArray[Any], rest: NDArray[Any]) -> float:
        longer = np.append(level, rest[0])
        return p_value_of(longer, rest[1 : 1 + max(after, 1)])

    return between(
        [float(value) for value in values], scan(values, is_new, least=max(least_level, 2))
    )


def p_value_of(old: NDArray[Any], new: NDArray[Any]) -> float:
    """Return the two-sided p-value of Student's test with pooled variance, of at least 3 values."""
    freedom = len(old) + len(new) - 2
    difference = float(new.mean() - old.mean())
    squares = float(old.var() * len(old) + new.var() * len(new))
    error = math.sqrt(squares / freedom * (1 / len(old) + 1 / len(new)))
    if not error:
        return 1.0 if not difference else 0.0
    return two_sided_student(difference / error, freedom)
