"""A bar chart of durations on a logarithmic axis, as SVG written by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from projects.bench.library.samples import Summary, format_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LABELS, _PLOT, _FIGURES = 250, 420, 80
_LINE, _TOP = 24, 26
_SHORTEST = 1e-9
"""Nothing below a nanosecond has a place on the axis; differences may even be negative."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One case: its name, its seconds, and whose it is: `ours`, `peer` or `floor`."""

    label: str
    seconds: Summary
    kind: str


def draw(title: str, bars: Sequence[Bar], *, limit: float | None = None) -> str:
    """Return an `<svg>` with a bar to each median, a whisker between the quartiles, and `limit`.

    Colours come from the classes `ours`, `peer`, `floor`, `axis`, `limit`, so that a page decides
    them. The axis begins a decade below the smallest value: lengths compare decades, not seconds.
    """
    if not bars:
        raise ValueError("no bars to draw")
    values = [v for bar in bars for v in (bar.seconds.lower_quartile, bar.seconds.upper_quartile)]
    values += [bar.seconds.median for bar in bars] + ([limit] if limit else [])
    positive = [max(value, _SHORTEST) for value in values]
    low = math.floor(math.log10(min(positive)) - 0.3)
    high = math.ceil(math.log10(max(positive)) + 1e-9)

    def x(seconds: float) -> float:
        share = (math.log10(max(seconds, _SHORTEST)) - low) / (high - low)
        return _LABELS + _PLOT * min(max(share, 0.0), 1.0)

    bottom = _TOP + _LINE * len(bars)
    width, height = _LABELS + _PLOT + _FIGURES, bottom + _LINE
    parts = [
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
        f'<text class="title" x="0" y="14">{escape(title)}</text>',
    ]
    for decade in range(low, high + 1):
        at = x(10.0**decade)
        parts += [
            f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{bottom}"/>',
            f'<text class="tick" x="{at:.1f}" y="{bottom + 14}">{_decade(decade)}</text>',
        ]
    for index, bar in enumerate(bars):
        parts += _bar_parts(bar, _TOP + _LINE * index, x)
    if limit:
        parts.append(
            f'<line class="limit" x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="{_TOP - 4}" '
            f'y2="{bottom}"><title>bar: {format_seconds(limit)}</title></line>'
        )
    return "\n".join([*parts, "</svg>"])


def _bar_parts(bar: Bar, top: float, x: Callable[[float], float]) -> list[str]:
    seconds, middle = bar.seconds, top + _LINE / 2
    said = (
        f"{bar.label}: {format_seconds(seconds.median)} "
        f"({format_seconds(seconds.lower_quartile)} to {format_seconds(seconds.upper_quartile)}, "
        f"{seconds.count} rounds)"
    )
    lower, upper = x(seconds.lower_quartile), x(seconds.upper_quartile)
    length = x(seconds.median) - _LABELS
    figure = format_seconds(seconds.median)
    return [
        f'<g class="{escape(bar.kind)}"><title>{escape(said)}</title>',
        f'<text class="label" x="{_LABELS - 8}" y="{middle + 4}">{escape(bar.label)}</text>',
        f'<rect x="{_LABELS}" y="{top + 4}" width="{length:.1f}" height="{_LINE - 8}"/>',
        f'<line class="whisker" x1="{lower:.1f}" x2="{upper:.1f}" y1="{middle}" y2="{middle}"/>',
        f'<text x="{_LABELS + _PLOT + 6}" y="{middle + 4}">{figure}</text></g>',
    ]


def _decade(power: int) -> str:
    for digits, unit in ((0, "s"), (-3, "ms"), (-6, "µs")):
        if power >= digits:
            return f"{10 ** (power - digits)} {unit}"
    return f"{10.0 ** (power + 9):g} ns"
