"""Where a KPI stands after its changes: still worse than it was, better, or back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.change import Change, relative
from projects.matrix_benchmarking.verdict.distributions import (
    student_quantile,
    two_sided_student,
)
from projects.matrix_benchmarking.verdict.noise import RunNoise, center, run_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.verdict.series import Point

_TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """The level of the last runs, beside the one that it is measured by.

    `worse` and `better` are changes that still stand, with the effect between those two levels.
    """

    level: float
    noise: RunNoise
    worse: Change | None = None
    better: Change | None = None


def standing(
    points: Sequence[Point],
    starts: Sequence[int],
    *,
    lower_better: bool,
    least_effect: float,
    least_share: float = 0.0,
    accepted: int = 0,
) -> Standing:
    """Return where `points` stand, whose level changed at `starts`; those up to `accepted` are.

    The measure is the best level since then: what got worse stands until it is as good again, in
    one step or in several, and what got better is the measure from then on.
    """
    bounds = [0, *starts, len(points)]
    levels = [points[a:b] for a, b in pairwise(bounds)]
    noise = run_noise(levels, least_share)
    first = sum(1 for start in starts if start <= accepted)
    best, worse_since, better_since = first, None, None
    for k in range(first + 1, len(levels)):
        step = _between(levels[best], levels[k], bounds[k], noise)
        gain = -step.effect if lower_better else step.effect
        if abs(gain) < least_effect or step.interval[0] <= 0 <= step.interval[1]:
            worse_since = None
        elif gain > 0:
            best, worse_since, better_since = k, None, k
        elif worse_since is None:
            worse_since = k
    level = center([point.value for point in levels[-1]])
    if worse_since is not None:
        worse = _between(levels[best], levels[-1], bounds[worse_since], noise)
        return Standing(level, noise, worse=worse)
    if better_since is not None:
        before = levels[better_since - 1]
        better = _between(before, levels[better_since], bounds[better_since], noise)
        return Standing(level, noise, better=better)
    return Standing(level, noise)


def _between(old: Sequence[Point], new: Sequence[Point], index: int, noise: RunNoise) -> Change:
    """Return the change between two levels with a Student interval."""
    before = center([point.value for point in old])
    after = center([point.value for point in new])
    error = (noise.error_of_mean(len(old)) ** 2 + noise.error_of_mean(len(new)) ** 2) ** 0.5
    reach = student_quantile(_TAIL, noise.freedom) * error
    p_value = two_sided_student((after - before) / error, noise.freedom) if error else 0.0
    return Change(
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
