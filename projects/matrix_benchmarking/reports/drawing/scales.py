"""Axes without pixels: from a value to a share of the axis, and where its ticks are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_CATEGORIES = 500
"""More different names than this on one axis are not drawn."""

LARGEST = 1e100
"""Beyond it, and where it is no number, a value has no place on any axis."""

MOST_TICKS = 30
"""A step that asks for more of them is not taken."""

_STEPS_OF_TIME = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    86400, 172800, 259200, 432000, 604800, 1209600, 2592000, 7776000, 15552000, 31536000,
)  # fmt: skip
_DAY = 86400
_YEAR = 365 * _DAY
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 and 9999
_SUFFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(slots=True)
class Scale:
    """One axis: `kind` is "linear", "log", "date" or "category"; `low` and `high` are its ends.

    The ends of a log axis are exponents of ten, those of a date axis seconds since the epoch,
    those of a category axis numbers of categories. `step` is
    from tick to tick of a linear axis, None where that follows from the ends.
    """

    kind: str
    low: float = 0.0
    high: float = 1.0
    categories: list[str] = field(default_factory=list)
    step: float | None = None

    def number(self, value: Any) -> float | None:
        """Return `value` in the unit of the ends, None where the axis has no place for it."""
        if self.kind == "category":
            return (
                float(self.categories.index(str(value))) if str(value) in self.categories else None
            )
        number = seconds_of(value) if self.kind == "date" else _float(value)
        if number is None or self.kind != "log":
            return number
        return math.log10(number) if number > 0 else None

    def share(self, value: Any) -> float | None:
        """Return where `value` lies, 0 at the low end and 1 at the high end."""
        number = self.number(value)
        return None if number is None else self.share_of(number)

    def share_of(self, number: float) -> float:
        """Return where a number in the unit of the ends lies."""
        return (number - self.low) / ((self.high - self.low) or 1.0)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """The (share, label) of every tick."""
        if self.kind == "category":
            return [(self.share_of(n), name) for n, name in enumerate(self.categories)]
        if self.kind == "log":
            return [(self.share_of(math.log10(v)), short(v)) for v in self._decades()]
        if self.kind == "date":
            return self._dates()
        step = self.step or _step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(self.share_of(n * step), short(n * step, step)) for n in range(first, last + 1)]

    def _decades(self) -> list[float]:
        first, last = math.floor(self.low), math.ceil(self.high)
        by = max(1, round((last - first) / 6))
        factors = (1,) if last - first > 2 else (1, 2, 5)  # noqa: PLR2004 - few decades: more ticks
        values = [f * 10.0**e for e in range(first, last + 1, by) for f in factors]
        # The room around the least numbers that there are reaches below them, where 10**e is 0.
        inside = [
            v for v in values if v > 0 and self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9
        ]
        return inside or [v for v in (10.0**self.low, 10.0**self.high) if v > 0]

    def _dates(self) -> list[tuple[float, str]]:
        rough = (self.high - self.low) / 6
        step = next((s for s in _STEPS_OF_TIME if s >= rough), 0) or _step(rough / _YEAR) * _YEAR
        form = "%H:%M:%S" if step < 60 else "%H:%M" if step < _DAY else "%d %b"  # noqa: PLR2004
        if self.high - self.low > 370 * _DAY:
            form = "%b %Y"
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [
            (self.share_of(n * step), datetime.fromtimestamp(n * step, UTC).strftime(form))
            for n in range(first, last + 1)
            if _FIRST <= n * step <= _LAST
        ]


def scale_of(axis: Mapping[str, Any], values: Sequence[Any], *, from_zero: bool = False) -> Scale:
    """Return the scale for an axis of plotly's layout that has to show `values`.

    `axis` may give `type`, `range`, `rangemode` and `categoryarray`; what it leaves open follows
    from the values. `from_zero`: bars stand on this axis.
    """
    kind = str(axis.get("type") or _kind(values))
    kind = {"-": _kind(values), "multicategory": "category"}.get(kind, kind)
    if kind == "category":
        names = dict.fromkeys(str(v) for v in (*(axis.get("categoryarray") or ()), *values))
        categories = list(names)[:MOST_CATEGORIES]
        return Scale(kind, -0.5, max(len(categories), 1) - 0.5, categories)
    scale = Scale(kind)
    step = axis.get("dtick")
    if kind == "linear" and isinstance(step, int | float) and step > 0:
        scale.step = float(step)
    numbers = [n for n in map(scale.number, values) if n is not None]
    given = axis.get("range")
    if isinstance(given, list | tuple) and len(given) == 2 and None not in given:  # noqa: PLR2004
        ends = [seconds_of(end) if kind == "date" else _float(end) for end in given]
        if None not in ends:
            scale.low, scale.high = ends  # type: ignore[assignment]
            return scale
    if from_zero or axis.get("rangemode") == "tozero":
        numbers = numbers if kind == "log" else [*numbers, 0.0]
    _fit(scale, numbers, from_zero=from_zero or axis.get("rangemode") == "tozero")
    return scale


def _fit(scale: Scale, numbers: list[float], *, from_zero: bool) -> None:
    if not numbers:
        return
    low, high = min(numbers), max(numbers)
    if low == high:
        slack = abs(low) * 0.1 or 0.5
        low, high = low - slack, high + slack
    slack = (high - low) * 0.06
    if scale.kind == "log" and from_zero:
        # A bar's foot is a power of ten, with something to see of the lowest.
        low = math.floor(low - 0.2)
        scale.low, scale.high = low, high + slack
        return
    if scale.step and (high - low) / scale.step > MOST_TICKS:
        scale.step = None
    at_zero = from_zero and scale.kind == "linear"
    scale.low = low if at_zero and low == 0 else low - slack
    scale.high = high if at_zero and high == 0 else high + slack


def _kind(values: Iterable[Any]) -> str:
    seen = [value for value in values if value is not None]
    if not seen or all(isinstance(v, int | float) for v in seen):
        return "linear"
    if all(isinstance(v, datetime) or _is_date(v) for v in seen):
        return "date"
    return "linear" if all(_float(v) is not None for v in seen) else "category"


def _is_date(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) >= len("2026-01-01") and seconds_of(value) is not None
    )


def seconds_of(value: Any) -> float | None:
    """Return a moment (ISO 8601 text, datetime, or milliseconds as plotly has them) in seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value / 1000 if _FIRST <= value / 1000 <= _LAST else None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _float(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def _step(rough: float) -> float:
    if rough <= 0 or not math.isfinite(rough):
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next((f * power for f in (1, 2, 2.5, 5) if f * power >= rough * 0.999), 10 * power)


def short(value: float, step: float = 0.0) -> str:
    """Return a number as a tick shows it: 250, 1.5k, 20M, 0.05, 1e-07."""
    if value == 0:
        return "0"
    size = abs(value)
    for limit, suffix in _SUFFIXES:
        if size >= limit and max(size, step) < limit * 1000:
            return f"{value / limit:.4g}{suffix}"
    return f"{value:.4g}"
