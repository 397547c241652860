"""What repeated measurements say: median, spread, difference and ratio round by round."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOISY = 0.1
_ROUNDED_UP_TO_1 = 0.9995


@dataclass(frozen=True, slots=True)
class Summary:
    """Median and spread of samples, all in the unit of the samples."""

    count: int
    smallest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    deviation: float
    """Median absolute deviation from the median, not scaled."""

    @property
    def noisy(self) -> bool:
        """Whether the quartiles lie more than a tenth of the median apart."""
        return self.upper_quartile - self.lower_quartile > _NOISY * abs(self.median)


def summarize(samples: Sequence[float]) -> Summary:
    """Return median and spread of at least one sample; a ValueError when there is none.

    Quartiles are the "inclusive" ones: the smallest and the largest sample are the ends of the
    population, as five rounds of a benchmark are all there is.
    """
    if not samples:
        raise ValueError("no samples to summarize")
    middle = statistics.median(samples)
    lower, upper = samples[0], samples[0]
    if len(samples) > 1:
        lower, _, upper = statistics.quantiles(samples, n=4, method="inclusive")
    return Summary(
        count=len(samples),
        smallest=min(samples),
        lower_quartile=lower,
        median=middle,
        upper_quartile=upper,
        deviation=statistics.median(abs(sample - middle) for sample in samples),
    )


def differences(samples: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return `samples - base`, round by round, so that a slow moment of the machine cancels."""
    return [one - other for one, other in zip(samples, base, strict=True)]


def ratios(samples: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return `samples / base`, round by round."""
    return [one / other for one, other in zip(samples, base, strict=True)]


def format_seconds(seconds: float) -> str:
    """Return the duration with three significant digits and the unit that suits it."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if abs(seconds) * factor >= _ROUNDED_UP_TO_1:
            return f"{_three_digits(seconds * factor)} {unit}"
    return f"{_three_digits(seconds * 1e9)} ns"


def format_ratio(ratio: float) -> str:
    """Return `12.3 x`, with three significant digits."""
    return f"{_three_digits(ratio)} x"


def _three_digits(number: float) -> str:
    for limit, digits in ((9.995, 2), (99.95, 1)):
        if abs(number) < limit:
            return f"{number:.{digits}f}"
    return f"{number:,.0f}"
