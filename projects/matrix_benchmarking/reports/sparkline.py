"""A history in the height of a line of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports.drawing.panel import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, MOST = 132, 28, 60
"""Pixels; and how many of the last values are shown."""


def sparkline(
    values: Sequence[float], *, kind: str = "quiet", changed_at: int | None = None
) -> str:
    """Return a small SVG of the last values, the newest (the one that is judged) as a dot.

    `kind` colours the dot: bad, good, warn, quiet. `changed_at` is the index of the first value
    after a change; from there on the line is drawn darker. NaN and infinite values are gaps.
    """
    shown = [float(v) for v in values[-MOST:]]
    offset = max(len(values) - MOST, 0)
    finite = [v for v in shown if math.isfinite(v)]
    if not finite:
        return '<span class="soft">no values</span>'
    low, high = min(finite), max(finite)
    height = (high - low) or 1.0
    step = (WIDTH - 12) / max(len(shown) - 1, 1)

    def at(number: int) -> tuple[float, float]:
        middle = 0.5 if high == low else (shown[number] - low) / height
        x = WIDTH - 6.0 if len(shown) == 1 else 6 + number * step
        return x, 5 + (1 - middle) * (HEIGHT - 10)

    places = [at(n) if math.isfinite(v) else None for n, v in enumerate(shown)]
    change = None if changed_at is None else max(changed_at - offset, 0)
    head = places if change is None else places[: change + 1]
    tail = [] if change is None else places[change:]
    colour = {"bad": "--bad", "good": "--good", "warn": "--warn"}.get(kind, "--ink")
    words = f"{len(values)} values from {low:.6g} to {high:.6g}, the last is {shown[-1]:.6g}"
    dot = places[-1]
    return (
        f'<svg class="spark" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f"{_line(head, 'var(--soft)', 0.7)}{_line(tail, f'var({colour})', 1.0)}"
        + (
            f'<circle cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="3" fill="var({colour})"/>'
            if dot
            else ""
        )
        + "</svg>"
    )


def _line(places: Sequence[tuple[float, float] | None], colour: str, opacity: float) -> str:
    parts, pen = [], False
    for place in places:
        if place is None:
            pen = False
            continue
        parts.append(f"{'L' if pen else 'M'}{place[0]:.1f} {place[1]:.1f}")
        pen = True
    if len(parts) < 2:  # noqa: PLR2004 - a single point is no line
        return ""
    path = "".join(parts)
    return (
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4" '
        f'stroke-opacity="{opacity}" stroke-linejoin="round"/>'
    )
