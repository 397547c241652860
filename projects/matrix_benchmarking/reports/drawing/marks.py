"""The marks of a trace: lines, dots, bars, boxes and violins, as SVG elements."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.drawing.traces import box_of, density

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.matrix_benchmarking.reports.drawing.panel import Panel
    from projects.matrix_benchmarking.reports.drawing.theme import Theme
    from projects.matrix_benchmarking.reports.drawing.traces import Trace

_DASHES = {"dash": "6 4", "dot": "2 3", "dashdot": "6 3 2 3", "longdash": "10 4"}
_WIDE = 44.0  # a bar or box gets no wider than this


def colour_of(trace: Trace, theme: Theme) -> str:
    """Return the colour of a trace: its own, or that of its number."""
    for path in (("marker", "color"), ("line", "color"), ("fillcolor",)):
        own = trace.get(*path)
        if isinstance(own, str):
            return own
    return theme.colour(trace.number)


def draw(trace: Trace, panel: Panel, beside: Sequence[Trace], theme: Theme) -> Iterator[str]:
    """Yield the marks of `trace`; `beside` are all traces of the panel, itself among them."""
    colour = colour_of(trace, theme)
    if trace.kind == "bar":
        yield from _bars(trace, panel, beside, colour)
    elif trace.spread:
        yield from _spreads(trace, panel, beside, colour, theme)
    else:
        yield from _points(trace, panel, colour, theme)


def _points(trace: Trace, panel: Panel, colour: str, theme: Theme) -> Iterator[str]:
    places = [
        None if None in at else at
        for at in ((panel.px(x), panel.py(y)) for x, y in zip(trace.x, trace.y, strict=False))
    ]
    mode = str(trace.get("mode") or ("lines+markers" if len(places) <= 20 else "lines"))  # noqa: PLR2004
    if trace.get("fill") in ("tozeroy", "toself") and places:
        yield from _filled(trace, panel, places, colour)
    if "lines" in mode:
        width = _number(trace.get("line", "width"), 2.0)
        dash = _DASHES.get(str(trace.get("line", "dash")), "")
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        step = str(trace.get("line", "shape")) == "hv"
        path = _path(places, step=step)
        if path and width:
            yield (
                f'<path d="{path}" fill="none" stroke="{escape(colour)}" stroke-width="{width:g}" '
                f'stroke-linejoin="round"{dashed}/>'
            )
    yield from _error_bars(trace, panel, colour)
    if "markers" in mode:
        yield from _dots(trace, places, colour, theme)


def _path(places: Sequence[Any], *, step: bool = False) -> str:
    parts, pen = [], False
    before = 0.0
    for place in places:
        if place is None:
            pen = False
            continue
        if pen and step:
            parts.append(f"L{place[0]:.1f} {before:.1f}")
        parts.append(f"{'L' if pen else 'M'}{place[0]:.1f} {place[1]:.1f}")
        pen, before = True, place[1]
    return "".join(parts)


def _filled(trace: Trace, panel: Panel, places: Sequence[Any], colour: str) -> Iterator[str]:
    kept = [place for place in places if place is not None]
    if not kept:
        return
    if trace.get("fill") == "tozeroy":
        kept = [(kept[0][0], panel.zero), *kept, (kept[-1][0], panel.zero)]
    fill, opacity = trace.get("fillcolor"), 1.0
    if not isinstance(fill, str):
        fill, opacity = colour, 0.15
    yield f'<path d="{_path(kept)}Z" fill="{escape(fill)}" fill-opacity="{opacity}"/>'


def _dots(trace: Trace, places: Sequence[Any], colour: str, theme: Theme) -> Iterator[str]:
    size, own = trace.get("marker", "size"), trace.get("marker", "color")
    opacity = _number(trace.get("marker", "opacity"), 1.0)
    hollow = str(trace.get("marker", "symbol") or "").endswith("-open")
    for number, place in enumerate(places):
        if place is None:
            continue
        radius = _number(size[number] if isinstance(size, list) else size, 6.0) / 2
        mine = own[number] if isinstance(own, list) and number < len(own) else colour
        mine = escape(mine if isinstance(mine, str) else colour)
        fill, edge = (theme.paper, f' stroke="{mine}" stroke-width="1.5"') if hollow else (mine, "")
        faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        where = f'cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:g}"'
        yield f'<circle {where} fill="{fill}"{edge}{faint}/>'


def _error_bars(trace: Trace, panel: Panel, colour: str) -> Iterator[str]:
    spec = trace.get("error_y")
    if not isinstance(spec, dict) or spec.get("visible") is False:
        return
    above = spec.get("array") or []
    below = spec.get("arrayminus") or above
    for x, y, plus, minus in zip(trace.x, trace.y, above, below, strict=False):
        if None in (y, plus, minus):
            continue
        at, top, foot = panel.px(x), panel.py(y + plus), panel.py(y - minus)
        if at is None or top is None:
            continue
        foot = panel.top + panel.height if foot is None else foot
        yield _stroke(f"M{at:.1f} {top:.1f}V{foot:.1f}", colour)
        yield _stroke(f"M{at - 3:.1f} {top:.1f}h6M{at - 3:.1f} {foot:.1f}h6", colour)


def _bars(trace: Trace, panel: Panel, beside: Sequence[Trace], colour: str) -> Iterator[str]:
    width, offset = _lane(trace, panel, [t for t in beside if t.kind == "bar"])
    own = trace.get("marker", "color")
    for number, (x, y) in enumerate(zip(trace.x, trace.y, strict=False)):
        at, end = (panel.py(y), panel.px(x)) if trace.sideways else (panel.px(x), panel.py(y))
        if at is None or end is None:
            continue
        start = panel.zero_across if trace.sideways else panel.zero
        first, length = min(start, end), abs(end - start)
        side = at + offset - width / 2
        mine = own[number] if isinstance(own, list) and number < len(own) else colour
        where = (
            f'x="{first:.1f}" y="{side:.1f}" width="{length:.1f}" height="{width:.1f}"'
            if trace.sideways
            else f'x="{side:.1f}" y="{first:.1f}" width="{width:.1f}" height="{length:.1f}"'
        )
        yield f'<rect {where} rx="2" fill="{escape(mine)}"/>'


def _lane(trace: Trace, panel: Panel, beside: Sequence[Trace]) -> tuple[float, float]:
    """Return how wide a bar or box is, and how far from the middle of its place it stands."""
    across = panel.y if trace.sideways else panel.x
    if across.kind == "category":
        slot = panel.slot(scale_is_x=not trace.sideways)
    else:
        values = trace.y if trace.sideways else trace.x
        places = sorted(
            {
                p
                for p in (panel.py(v) if trace.sideways else panel.px(v) for v in values)
                if p is not None
            }
        )
        gaps = [b - a for a, b in itertools.pairwise(places)]
        slot = min(gaps) if gaps else _WIDE * 2
    if trace.kind == "bar" and across.kind != "category" and len(beside) == 1:
        return max(slot - 1, 1.0), 0.0
    lanes = len(beside) if _share_places(beside) else 1
    width = min(slot * 0.78 / lanes, _WIDE)
    mine = next((n for n, other in enumerate(beside) if other is trace), 0) if lanes > 1 else 0
    gap = min(width * 0.08, 3.0)
    return max(width - gap, 1.0), (mine - (lanes - 1) / 2) * width


def _share_places(traces: Sequence[Trace]) -> bool:
    seen: set[str] = set()
    for trace in traces:
        mine = {str(place) for place in (trace.y if trace.sideways else trace.x)}
        if seen & mine:
            return True
        seen |= mine
    return False


def _spreads(
    trace: Trace, panel: Panel, beside: Sequence[Trace], colour: str, theme: Theme
) -> Iterator[str]:
    width, offset = _lane(trace, panel, [t for t in beside if t.spread])
    for place, samples in trace.groups.items():
        middle = panel.py(place) if trace.sideways else panel.px(place)
        if middle is None or not samples:
            continue
        middle += offset
        if trace.kind == "violin":
            yield from _violin(trace, panel, samples, middle, width, colour)
        yield from _box(trace, panel, samples, middle, width, colour, theme)


def _violin(  # noqa: PLR0917 - private, and each is needed
    trace: Trace, panel: Panel, samples: list[float], middle: float, width: float, colour: str
) -> Iterator[str]:
    along = panel.px if trace.sideways else panel.py
    shape = [(along(value), share * width / 2) for value, share in density(samples)]
    edge = [(at, half) for at, half in shape if at is not None]
    outline = [(middle - half, at) for at, half in edge]
    outline += [(middle + half, at) for at, half in reversed(edge)]
    if trace.sideways:
        outline = [(y, x) for x, y in outline]
    if outline:
        yield (
            f'<path d="{_path(outline)}Z" fill="{escape(colour)}" fill-opacity="0.25" '
            f'stroke="{escape(colour)}" stroke-width="1.2"/>'
        )


def _box(  # noqa: PLR0917 - private, and each is needed
    trace: Trace, panel: Panel, samples: list[float], middle: float, width: float, colour: str,
    theme: Theme,
) -> Iterator[str]:  # fmt: skip
    box = box_of(samples)
    along = panel.px if trace.sideways else panel.py
    ends = [along(v) for v in (box.low, box.q1, box.median, box.q3, box.high)]
    if any(end is None for end in ends):
        return
    low, q1, median, q3, high = (end or 0.0 for end in ends)
    half = width * (0.12 if trace.kind == "violin" else 0.5)

    def path(*moves: tuple[float, float]) -> str:
        # Along the axis of the values first, across it second.
        at = [(a, middle + b) if trace.sideways else (middle + b, a) for a, b in moves]
        return _path(at)

    body = path((q1, -half), (q1, half), (q3, half), (q3, -half))
    yield (
        f'<path d="{body}Z" fill="{escape(colour)}" fill-opacity="0.22" '
        f'stroke="{escape(colour)}" stroke-width="1.4"/>'
    )
    yield _stroke(path((median, -half), (median, half)), colour, 2.4)
    yield _stroke(path((low, 0), (q1, 0)) + path((q3, 0), (high, 0)), colour)
    if trace.kind == "violin":
        return
    yield _stroke(path((low, -half / 2), (low, half / 2)), colour)
    yield _stroke(path((high, -half / 2), (high, half / 2)), colour)
    if trace.get("boxpoints") is False:
        return
    outliers = box.outliers[:: max(1, math.ceil(len(box.outliers) / 300))]
    for at in (along(value) for value in outliers):
        if at is not None:
            x, y = (at, middle) if trace.sideways else (middle, at)
            yield (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{theme.paper}" '
                f'stroke="{escape(colour)}" stroke-width="1"/>'
            )


def _stroke(path: str, colour: str, width: float = 1.2) -> str:
    return f'<path d="{path}" fill="none" stroke="{escape(colour)}" stroke-width="{width:g}"/>'


def _number(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else otherwise
