"""Many KPIs, few false alarms: which p-values of a run count."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def discoveries(
    p_values: Sequence[float], rate: float = 0.01, *, any_dependence: bool = False
) -> list[bool]:
    """Return for each p-value whether it counts, so that at most `rate` of those are false.

    Benjamini and Hochberg (1995), right for KPIs that are independent or rise and fall together;
    with `any_dependence` Benjamini and Yekutieli (2001), stricter by the harmonic number of their
    count. A NaN does not count, nor is it one of them.
    """
    ordered = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    count = len(ordered)
    if any_dependence:
        rate /= sum(1 / k for k in range(1, count + 1)) or 1.0
    reached = max(
        (rank for rank, (p, _) in enumerate(ordered, 1) if p <= rate * rank / count), default=0
    )
    counted = [False] * len(p_values)
    for _, index in ordered[:reached]:
        counted[index] = True
    return counted
