"""E-divisive means with Student's test, as Apache Otava (formerly Hunter) finds them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.verdict.change import Change

if TYPE_CHECKING:
    from numpy.typing import NDArray


def detect(
    values: NDArray[Any],
    *,
    window: int = 50,
    p_value: float = 0.001,
    least_effect: float = 0.0,
) -> list[Change]:
    """Return the change points; the defaults are Otava's.

    Source: otava.analysis.compute_change_points of apache-otava 0.8; arXiv 2301.03034.
    """
    from otava.analysis import compute_change_points

    found, _ = compute_change_points(
        values.tolist(), window_len=window, max_pvalue=p_value, min_magnitude=least_effect
    )
    changes = []
    bounds = [0, *(point.index for point in found), len(values)]
    for k, point in enumerate(found):
        stats = point.stats
        error = math.sqrt(
            stats.std_1**2 / (bounds[k + 1] - bounds[k])
            + stats.std_2**2 / (bounds[k + 2] - bounds[k + 1])
        )
        before, after = float(stats.mean_1), float(stats.mean_2)
        p = float(stats.pvalue)
        changes.append(Change.measured(int(point.index), before, after, error, p))
    return changes
