"""A change of level in a series of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.distributions import two_sided_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 1.96
"""Standard errors that an interval reaches to each side: 95 %."""


@dataclass(frozen=True, slots=True)
class Change:
    """From the point `index` on, the level is `after` where it was `before`.

    `effect` is relative to `before` (-0.12: fell by 12 %) and `interval` its 95 % confidence
    interval. Beside a level of 0 an effect is infinite. `p_value` is corrected for the places that
    were looked at; NaN where the detector has none.
    """

    index: int
    before: float
    after: float
    effect: float
    interval: tuple[float, float]
    p_value: float

    @classmethod
    def measured(
        cls, index: int, before: float, after: float, error: float, p_value: float
    ) -> Change:
        """Return the change between two levels whose difference has the standard error `error`."""
        reach = CONFIDENCE * error
        return cls(
            index=index,
            before=before,
            after=after,
            effect=relative(after - before, before),
            interval=(
                relative(after - before - reach, before),
                relative(after - before + reach, before),
            ),
            p_value=p_value,
        )

    def moved(self, index: int) -> Change:
        """Return the same change at another index."""
        return replace(self, index=index)


def relative(difference: float, level: float) -> float:
    """Return `difference` as a share of the size of `level`."""
    if level:
        return difference / abs(level)
    return math.copysign(math.inf, difference) if difference else 0.0


def between(values: Sequence[float], starts: Sequence[int]) -> list[Change]:
    """Return the changes at `starts`, their levels being the means between them.

    For detectors that tell only where: the p-value is that of the difference of means.
    """
    changes = []
    ends = [0, *starts, len(values)]
    for left, start, right in zip(ends, starts, ends[2:], strict=False):
        before, after = values[left:start], values[start:right]
        error = math.sqrt(_variance(before) / len(before) + _variance(after) / len(after))
        old, new = math.fsum(before) / len(before), math.fsum(after) / len(after)
        p_value = two_sided_normal((new - old) / error) if error else float(new == old)
        changes.append(Change.measured(start, old, new, error, p_value))
    return changes


def _variance(values: Sequence[float]) -> float:
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
