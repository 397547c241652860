"""Made-up series whose changes are known, and how well a detector finds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

Family = Literal["gaussian", "lognormal", "bimodal", "ar1", "drift", "seasonal"]
FAMILIES: tuple[Family, ...] = get_args(Family)

REPORTED_SEEDS = range(1, 100_000)
"""Seeds of published figures; no constant of a detector may have been chosen with them."""

CALIBRATION_SEEDS = range(1_000_000, 2_000_000)
"""Seeds that constants of a detector may be chosen with."""

LEVEL = 100.0
NOISE = 0.03
"""Standard deviation of the noise, share of the level; of two modes together it is 6 %."""
TOLERANCE = 3
"""A change found so many points beside a true one is that one."""
MOST_STEPS = 3

_LEAST_GAP = 15
_OUTLIERS = 0.03
_AR = 0.6
_MODES_APART = 0.12
_MINOR_MODE = 0.3
_WITHIN_MODE = 0.02
_SKEW = 0.5
_DRIFT = 0.05
_SEASON = 0.03
_BESIDE_SEASON = 0.02
_PERIODS = (7, 24)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A series and the indexes of the first points after its true changes."""

    family: Family
    values: NDArray[Any]
    changes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How many changes were found, missed, made up; how many series without one were alarmed."""

    found: int = 0
    missed: int = 0
    made_up: int = 0
    clean: int = 0
    clean_alarmed: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.found + other.found,
            self.missed + other.missed,
            self.made_up + other.made_up,
            self.clean + other.clean,
            self.clean_alarmed + other.clean_alarmed,
        )

    @property
    def precision(self) -> float:
        """Share of the reported changes that are true; 1 when none was reported."""
        reported = self.found + self.made_up
        return self.found / reported if reported else 1.0

    @property
    def recall(self) -> float:
        """Share of the true changes that were found; 1 when there is none."""
        true = self.found + self.missed
        return self.found / true if true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def alarmed(self) -> float:
        """Share of the series without a change in which one was reported."""
        return self.clean_alarmed / self.clean if self.clean else 0.0


def generate(
    family: Family, seed: int, *, length: int = 200, steps: int = 0, effect: float = 0.10
) -> Labelled:
    """Return a series of `length` points at 100 with `steps` changes of the level by ±`effect`.

    The noise has a standard deviation of 3 % of the level:

    - gaussian: independent and normal;
    - lognormal: independent, skewed (log-normal of shape 0.5), and 3 % of the points are outliers,
      1.2 to 1.6 times as high;
    - bimodal: independent, 30 % of the points in a second mode 12 % higher, 2 % within a mode, 6 %
      in all;
    - ar1: normal with an autocorrelation of 0.6 between neighbours;
    - drift: gaussian, and the level rises evenly, by 5 % over the whole series;
    - seasonal: a sine of 3 % with a period of 7 or 24 points over normal noise of 2 %.

    Changes keep 15 points (a sixteenth of a series shorter than 240) to each other and the ends.
    The same arguments give the same series.
    """
    rng = np.random.default_rng([FAMILIES.index(family), seed, length, steps])
    changes = _positions(rng, length, steps)
    level = np.ones(length)
    for change in changes:
        level[change:] *= 1 + effect * rng.choice((-1, 1))
    return Labelled(family, LEVEL * level * _noise(family, rng, length), changes)


def generate_many(
    family: Family, seeds: Iterable[int], *, length: int = 200, effect: float = 0.10
) -> Iterator[Labelled]:
    """Yield a series for each seed, with 0, 1, 2, 3, 0, 1 … changes in turn."""
    for turn, seed in enumerate(seeds):
        yield generate(family, seed, length=length, steps=turn % (MOST_STEPS + 1), effect=effect)


def score(labelled: Labelled, found: Sequence[int]) -> Score:
    """Return the score of the indexes that a detector found; each true change counts once."""
    left = sorted(found)
    hits = 0
    for change in labelled.changes:
        near = [index for index in left if abs(index - change) <= TOLERANCE]
        if near:
            left.remove(min(near, key=lambda index: abs(index - change)))
            hits += 1
    clean = not labelled.changes
    return Score(
        found=hits,
        missed=len(labelled.changes) - hits,
        made_up=len(left),
        clean=int(clean),
        clean_alarmed=int(clean and bool(found)),
    )


def _positions(rng: Generator, length: int, steps: int) -> tuple[int, ...]:
    gap = min(_LEAST_GAP, length // 8)
    room = length - gap * (steps + 1)
    if room < 0:
        raise ValueError(f"{steps} changes do not fit into {length} points")
    offsets = np.sort(rng.integers(0, room + 1, steps))
    return tuple(int(offset) + gap * (i + 1) for i, offset in enumerate(offsets))


def _noise(family: Family, rng: Generator, length: int) -> NDArray[Any]:
    """Return factors with a mean near 1."""
    normal = rng.standard_normal(length)
    time = np.arange(length)
    if family == "gaussian":
        return 1 + NOISE * normal
    if family == "lognormal":
        skewed = np.exp(_SKEW * normal)
        variance = np.expm1(_SKEW**2)
        mean = np.exp(_SKEW**2 / 2)
        factors = 1 + NOISE * (skewed / mean - 1) / np.sqrt(variance)
        outlying = rng.random(length) < _OUTLIERS
        return np.where(outlying, factors * rng.uniform(1.2, 1.6, length), factors)
    if family == "bimodal":
        minor = rng.random(length) < _MINOR_MODE
        return 1 + _MODES_APART * (minor - _MINOR_MODE) + _WITHIN_MODE * normal
    if family == "ar1":
        return 1 + NOISE * _autocorrelated(normal, _AR)
    if family == "drift":
        return (1 + NOISE * normal) * (1 + _DRIFT * time / max(length - 1, 1))
    period = rng.choice(_PERIODS)
    phase = rng.uniform(0, 2 * np.pi)
    seasonal: NDArray[Any] = (
        1 + _SEASON * np.sin(2 * np.pi * time / period + phase) + _BESIDE_SEASON * normal
    )
    return seasonal


def _autocorrelated(normal: NDArray[Any], phi: float) -> NDArray[Any]:
    """Return a stationary AR(1) series with variance 1 from independent normal numbers."""
    values = normal.copy()
    innovation = np.sqrt(1 - phi**2)
    for i in range(1, len(values)):
        values[i] = phi * values[i - 1] + innovation * normal[i]
    return values
