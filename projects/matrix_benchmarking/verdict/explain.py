"""A verdict in one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.matrix_benchmarking.verdict.change import Change
    from projects.matrix_benchmarking.verdict.series import Point


def subject(kpi: str, labels: Mapping[str, str]) -> str:
    """Return the KPI and its point of the matrix: `throughput (wal, batch_size 100)`."""
    said = [f"{name} {value}" if _bare(value) else value for name, value in labels.items()]
    return f"{kpi} ({', '.join(said)})" if said else kpi


def moved(
    what: str, change: Change, point: Point, *, runs_ago: int, noise_floor: float, better: bool
) -> str:
    """Return what happened to `what`, how sure that is, when, and how noisy it is anyway.

    For example: throughput (wal, rows 100) fell by 12 % (95 % CI 9 to 15 %), at run 4711 of
    2026-11-18, 7 runs ago; noise floor 2 %.
    """
    verb = "rose" if change.after > change.before else "fell"
    ago = ("in this run", "one run ago")[runs_ago] if runs_ago < 2 else f"{runs_ago} runs ago"  # noqa: PLR2004
    run = f"run {point.run} of " if point.run else "the run of "
    kind = ", which is better" if better else ""
    return (
        f"{what} {verb} by {_size(change)}{kind}, at {run}{point.time:%Y-%m-%d}, {ago}; "
        f"noise floor {percent(noise_floor)}"
    )


def disturbed(what: str, pressure: float, usual: float) -> str:
    """Return that a value says nothing, for other work had the machine."""
    now = f"work waited for a processor for {percent(pressure)} of the time"
    return f"{what} was measured on another load: {now}, usually {percent(usual)}; repeat it"


def percent(share: float) -> str:
    """Return a share as a percentage with two digits that count: 0.34 %, 2.1 %, 12 %, 340 %."""
    size = abs(share) * 100
    if not math.isfinite(size):
        return "more than can be said in %"
    if size >= 10 or not size:  # noqa: PLR2004 - two digits
        return f"{size:.0f} %"
    digits = min(1 - math.floor(math.log10(size)), 4)
    text = f"{size:.{digits}f}".rstrip("0").rstrip(".") or "0"
    return f"{text} %"


def _size(change: Change) -> str:
    """Return the effect with its interval; the levels where there is no percentage."""
    if not math.isfinite(change.effect):
        return f"{abs(change.after - change.before):.4g}, from 0 to {change.after:.4g}"
    ends = sorted(end * math.copysign(1, change.effect) for end in change.interval)
    low, high = (f"{'-' if end < 0 else ''}{percent(end)}" for end in ends)
    return f"{percent(change.effect)} (95 % CI {low.removesuffix(' %')} to {high})"


def _bare(value: str) -> bool:
    """Return whether a label says nothing without its name: numbers and switches."""
    try:
        float(value)
    except ValueError:
        return value.casefold() in ("true", "false", "yes", "no", "on", "off", "none", "")
    return True
