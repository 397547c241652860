"""Where a series stands after its changes: still worse than it was, better, or back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.change import Change, relative
from projects.matrix_benchmarking.verdict.difference import Difference, difference

if TYPE_CHECKING:
    from projects.matrix_benchmarking.verdict.fresh import Levels
    from projects.matrix_benchmarking.verdict.noise import RunNoise, Scale

_TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """The level of the last runs, beside the one that it is measured by.

    `level` is on the scale of the runs. `worse` and `better` are changes that still stand, with
    the effect between those two levels.
    """

    level: float
    worse: Change | None = None
    better: Change | None = None


def standing(
    levels: Levels,
    noise: RunNoise,
    scale: Scale,
    *,
    lower_better: bool,
    least_effect: float,
    accepted: int = 0,
) -> Standing:
    """Return where runs stand, whose level changed at its starts; those up to `accepted` are.

    The measure is the best level since then: what got worse stands until it is as good again, in
    one step or in several, and what got better is the measure from then on.
    """
    parted, bounds = levels.parted(), [0, *levels.starts]

    def between(old: int, new: int, since: int) -> Change:
        found = difference(parted[old], parted[new], noise, levels.per_waiting)
        return _change(found, bounds[since], scale)

    first = sum(1 for start in levels.starts if start <= accepted)
    best, worse_since, better_since = first, None, None
    for k in range(first + 1, len(parted)):
        step = between(best, k, k)
        gain = -step.effect if lower_better else step.effect
        if abs(gain) < least_effect or step.interval[0] <= 0 <= step.interval[1]:
            worse_since = None
        elif gain > 0:
            best, worse_since, better_since = k, None, k
        elif worse_since is None:
            worse_since = k
    level = parted[-1].center
    if worse_since is not None:
        return Standing(level, worse=between(best, len(parted) - 1, worse_since))
    if better_since is not None:
        better = between(better_since - 1, better_since, better_since)
        return Standing(level, better=better)
    return Standing(level)


def _change(found: Difference, index: int, scale: Scale) -> Change:
    """Return the change between two levels with a Student interval."""
    moved, reach = found.new - found.old, found.reach(_TAIL)
    before, after = scale.back(found.old), scale.back(found.new)
    return Change(
        index=index,
        before=before,
        after=after,
        effect=relative(after - before, before),
        interval=(
            scale.share(moved - reach, found.old),
            scale.share(moved + reach, found.old),
        ),
        p_value=found.p_value,
    )
