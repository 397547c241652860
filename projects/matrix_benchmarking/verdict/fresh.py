"""A change in the last few runs, too few for a level of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.verdict.difference import PER_WAITING, difference
from projects.matrix_benchmarking.verdict.level import Level, Scatter
from projects.matrix_benchmarking.verdict.noise import run_noise, scatter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.verdict.level import Run

LEAST_BEFORE = 4
"""Runs that a level needs before others can be compared with it."""

MOST_AFTER = 30


@dataclass(frozen=True, slots=True)
class Fresh:
    """Where the last runs part from those before, and the p-value for the whole search."""

    index: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The runs of a series, and the indexes where an established level begins.

    `per_waiting` is how far a run strays that had to wait: `difference.strayed`. `known` are the
    parts that were asked for, by their first run and their end; it may be shared by all `Levels`
    of the same runs.
    """

    runs: Sequence[Run]
    starts: Sequence[int] = ()
    per_waiting: float = PER_WAITING
    known: dict[tuple[int, int], Level] = field(default_factory=dict)

    def parted(self, after: int = 0) -> list[Level]:
        """Return the runs of each level, the last `after` ones by themselves."""
        begin, end = max(self.starts, default=0), len(self.runs)
        more = [end - after] if 0 < after < end - begin else []
        bounds = [0, *self.starts, *more, end]
        return [self._part(*ends) for ends in pairwise(bounds)]

    def _part(self, begin: int, end: int) -> Level:
        ends = begin, end
        if ends not in self.known:
            self.known[ends] = Level(self.runs[begin:end])
        return self.known[ends]


class Kind:
    """The series of one kind: how they scatter together, if each parted at the same run."""

    def __init__(self, series: Sequence[Levels]) -> None:
        self._series = series
        self._known: dict[int, Scatter] = {}

    def scatter(self, after: int = 0) -> Scatter:
        """Return the scatter where the last `after` runs are taken for another level."""
        if after not in self._known:
            each = (scatter_of(levels.parted(after)) for levels in self._series)
            self._known[after] = Scatter.together(each)
        return self._known[after]


def last_change(levels: Levels, kind: Kind, floor: float = 0.0) -> Fresh | None:
    """Return the likeliest change among the last 30 runs since the last established one.

    For every number k of last runs, Student's test against those before; the noise is that of all
    levels. The p-value of k counts k (k + 1) times, so that the last run alone has half of all
    chances. None where there are too few runs for any of it.
    """
    best: Fresh | None = None
    length = len(levels.runs) - max(levels.starts, default=0)
    for after in range(1, min(MOST_AFTER, length - 1) + 1):
        if length - after < LEAST_BEFORE and not levels.starts:
            break
        parted = levels.parted(after)
        usual = kind.scatter(after)
        noise = run_noise(parted, usual, floor)
        found = difference(parted[-2], parted[-1], noise, levels.per_waiting)
        p_value = found.p_value
        if after == 1 and abs(found.new - found.old) <= usual.farthest:
            # One run of this kind strayed as far before: that is what may happen again.
            p_value = max(p_value, 1 / (usual.freedom + 1))
        p_value = min(1.0, after * (after + 1) * p_value)
        if best is None or p_value < best.p_value:
            best = Fresh(len(levels.runs) - after, p_value)
    return best


def established(levels: Levels, kind: Kind, most: float, floor: float = 0.0) -> list[int]:
    """Return those starts where the levels on both sides differ with a p-value up to `most`."""
    parted = levels.parted()
    noise = run_noise(parted, kind.scatter(), floor)
    pairs = zip(levels.starts, parted, parted[1:], strict=False)
    return [
        start
        for start, old, new in pairs
        if difference(old, new, noise, levels.per_waiting).p_value <= most
    ]
