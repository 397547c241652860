"""A plotly figure as an SVG picture, drawn without a browser."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.drawing import marks
from projects.matrix_benchmarking.reports.drawing.panel import (
    LETTER,
    Panel,
    cut,
    escape,
    plain,
    text,
    title_of,
)
from projects.matrix_benchmarking.reports.drawing.scales import scale_of
from projects.matrix_benchmarking.reports.drawing.theme import FONT, LIGHT, Theme
from projects.matrix_benchmarking.reports.drawing.traces import read_traces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.matrix_benchmarking.reports.drawing.traces import Trace

WIDTH, HEIGHT = 960, 460
"""Pixels of a picture whose figure says no others."""

_LEFT, _RIGHT, _BOTTOM, _LEGEND_ROW, _HEADING = 68, 24, 62, 22, 34


def svg(figure: Any, theme: Theme = LIGHT, *, heading: bool = True, name: str = "p") -> str:
    """Return the picture of a figure: a plotly `Figure`, or the mapping that one is written as.

    Drawn are lines, dots, bars, boxes, violins and histograms on linear, logarithmic, date and
    category axes, side by side if the figure says so, with legend, shapes that are lines or
    rectangles, and annotations. A figure of another kind becomes a picture that says so.
    `heading=False` leaves the figure's title out, for a page that has its own; `name` keeps
    several pictures of one page apart.
    """
    spec = as_mapping(figure)
    layout = spec.get("layout") or {}
    traces, others = read_traces(spec.get("data") or [])
    width, height = _pixels(layout, "width", WIDTH), _pixels(layout, "height", HEIGHT)
    title = title_of(layout)
    body = [f'<rect width="{width:g}" height="{height:g}" fill="{theme.paper}"/>']
    top = 14.0
    if heading and title:
        body.append(text(16, 26, cut(title, width), theme.ink, size=15, bold=True))
        top += _HEADING - 14
    legend, rows = _legend(traces, layout, width, top, theme)
    body += legend
    top += rows * _LEGEND_ROW + 26
    if others or not traces:
        said = f"No still picture of: {', '.join(sorted(set(others)))}" if others else "No data"
        body.append(text(width / 2, height / 2, said, theme.soft, anchor="middle"))
    left = _left(traces)
    area = (left, top, width - left - _RIGHT, height - top - _BOTTOM)
    for number, ((x_axis, y_axis), mine) in enumerate(_by_axes(traces)):
        panel = _panel(mine, layout, x_axis, y_axis, area)
        body += _panel_content(panel, mine, layout, (x_axis, y_axis), f"{name}-{number}", theme)
    body += _annotations(layout, area, traces, theme)
    label = escape(title or "figure")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{label}" '
        f'font-family="{FONT}">\n' + "\n".join(body) + "\n</svg>\n"
    )


def as_mapping(figure: Any) -> Mapping[str, Any]:
    """Return a figure as the mapping `{"data": [...], "layout": {...}}`."""
    if isinstance(figure, dict):
        return figure
    mapping: Mapping[str, Any] = figure.to_dict()
    return mapping


def _pixels(layout: Mapping[str, Any], key: str, otherwise: int) -> float:
    value = layout.get(key)
    if isinstance(value, int | float) and math.isfinite(value):
        return min(max(float(value), 200.0), 4000.0)
    return float(otherwise)


def _left(traces: Sequence[Trace]) -> float:
    """Return the room for the labels of the y axis: names need more than numbers."""
    names = [place if isinstance(place, str) else "" for trace in traces for place in trace.y]
    longest = max((len(name) for name in names), default=0)
    return min(max(float(_LEFT), longest * LETTER + 20), 300.0)


def _by_axes(traces: Sequence[Trace]) -> Iterator[tuple[tuple[str, str], list[Trace]]]:
    def key(trace: Trace) -> tuple[str, str]:
        return trace.x_axis, trace.y_axis

    for axes, group in groupby(sorted(traces, key=key), key=key):
        yield axes, list(group)


def _axis(layout: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = layout.get(f"{name[0]}axis{name[1:]}")
    return found if isinstance(found, dict) else {}


def _panel(
    traces: list[Trace],
    layout: Mapping[str, Any],
    x_name: str,
    y_name: str,
    area: tuple[float, float, float, float],
) -> Panel:
    xaxis, yaxis = _axis(layout, x_name), _axis(layout, y_name)
    upright = any(t.kind == "bar" and not t.sideways for t in traces)
    lying = any(t.kind == "bar" and t.sideways for t in traces)
    xs = [value for trace in traces for value in trace.x]
    ys = [value for trace in traces for value in _heights(trace)]
    # The place of a box is a name, even where the name is a number.
    boxes = next((t for t in traces if t.spread), None)
    if boxes is not None:
        names = {"type": "category"}
        xaxis, yaxis = (
            (xaxis, names | dict(yaxis)) if boxes.sideways else (names | dict(xaxis), yaxis)
        )
    left, top, width, height = area
    x0, x1 = _domain(xaxis)
    y0, y1 = _domain(yaxis)
    inner = 34.0 if x0 > 0 else 0.0  # room for the labels of an axis that is not the first
    return Panel(
        scale_of(xaxis, xs, from_zero=lying),
        scale_of(yaxis, ys, from_zero=upright),
        left + x0 * width + inner,
        top + (1 - y1) * height,
        (x1 - x0) * width - inner,
        (y1 - y0) * height,
    )


def _heights(trace: Trace) -> list[Any]:
    error = trace.get("error_y")
    array = error.get("array") if isinstance(error, dict) else None
    if not array:
        return trace.y
    both = list(zip(trace.y, array, strict=False))
    numbers = [(y, e) for y, e in both if isinstance(y, int | float) and isinstance(e, int | float)]
    return [*trace.y, *(y + e for y, e in numbers), *(y - e for y, e in numbers)]


def _domain(axis: Mapping[str, Any]) -> tuple[float, float]:
    given = axis.get("domain")
    if isinstance(given, list | tuple) and len(given) == 2:  # noqa: PLR2004 - two ends
        low, high = float(given[0]), float(given[1])
        return (low, high) if 0 <= low < high <= 1 else (0.0, 1.0)
    return 0.0, 1.0


def _panel_content(  # noqa: PLR0917 - private, and each is needed
    panel: Panel,
    traces: list[Trace],
    layout: Mapping[str, Any],
    axes: tuple[str, str],
    clip: str,
    theme: Theme,
) -> Iterator[str]:
    yield from panel.axes(_axis(layout, axes[0]), _axis(layout, axes[1]), theme)
    yield (
        f'<clipPath id="{clip}"><rect x="{panel.left - 5:.1f}" y="{panel.top - 5:.1f}" '
        f'width="{panel.width + 10:.1f}" height="{panel.height + 10:.1f}"/></clipPath>'
    )
    yield f'<g clip-path="url(#{clip})">'
    yield from _shapes(panel, layout, axes, theme)
    for trace in traces:
        yield from marks.draw(trace, panel, traces, theme)
    yield "</g>"


def _shapes(
    panel: Panel, layout: Mapping[str, Any], axes: tuple[str, str], theme: Theme
) -> Iterator[str]:
    right, bottom = panel.left + panel.width, panel.top + panel.height
    for shape in layout.get("shapes") or []:
        xref, yref = str(shape.get("xref", "x")), str(shape.get("yref", "y"))
        if xref.split(maxsplit=1)[0] not in (axes[0], "paper") or yref.split(maxsplit=1)[0] not in (
            axes[1],
            "paper",
        ):
            continue
        whole_x, whole_y = xref != axes[0], yref != axes[1]
        x0, x1 = (
            (panel.left, right)
            if whole_x
            else (panel.px(shape.get("x0")), panel.px(shape.get("x1")))
        )
        y0, y1 = (
            (panel.top, bottom)
            if whole_y
            else (panel.py(shape.get("y0")), panel.py(shape.get("y1")))
        )
        if x0 is None or x1 is None or y0 is None or y1 is None:
            continue
        line = shape.get("line") or {}
        colour = escape(line.get("color") or theme.soft)
        if shape.get("type") == "line":
            dash = ' stroke-dasharray="5 4"' if line.get("dash") else ""
            yield f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{colour}"{dash}/>'
        elif shape.get("type") == "rect":
            fill = escape(shape.get("fillcolor") or colour)
            opacity = shape.get("opacity", 0.15)
            yield (
                f'<rect x="{min(x0, x1):.1f}" y="{min(y0, y1):.1f}" width="{abs(x1 - x0):.1f}" '
                f'height="{abs(y1 - y0):.1f}" fill="{fill}" fill-opacity="{opacity}"/>'
            )


def _legend(
    traces: Sequence[Trace], layout: Mapping[str, Any], width: float, top: float, theme: Theme
) -> tuple[list[str], int]:
    """Return the legend above the plot, and how many rows it takes."""
    asked = layout.get("showlegend")
    named: dict[str, str] = {}
    for trace in traces:
        if trace.name and trace.get("showlegend") is not False:
            named.setdefault(trace.name, marks.colour_of(trace, theme))
    if asked is False or (asked is None and len(named) < 2):  # noqa: PLR2004 - one needs no legend
        return [], 0
    drawn, x, row = [], 16.0, 0
    for name, colour in named.items():
        label = cut(plain(name), 260)
        wide = 28 + len(label) * LETTER
        if x + wide > width - 16 and x > 16:  # noqa: PLR2004 - not the first of its row
            x, row = 16.0, row + 1
        y = top + row * _LEGEND_ROW
        drawn.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="12" height="10" rx="2" fill="{escape(colour)}"/>'
        )
        drawn.append(text(x + 17, y + 9.5, label, theme.soft, size=12))
        x += wide + 8
    return drawn, row + 1


def _annotations(
    layout: Mapping[str, Any],
    area: tuple[float, float, float, float],
    traces: Sequence[Trace],
    theme: Theme,
) -> Iterator[str]:
    panels = {axes: _panel(mine, layout, *axes, area) for axes, mine in _by_axes(traces)}
    left, top, width, height = area
    for note in layout.get("annotations") or []:
        xref, yref = str(note.get("xref", "paper")), str(note.get("yref", "paper"))
        panel = next((p for axes, p in panels.items() if xref in axes or yref in axes), None)
        x, y = note.get("x"), note.get("y")
        px = panel.px(x) if panel and not xref.startswith("paper") else left + _share(x) * width
        py = (
            panel.py(y)
            if panel and not yref.startswith("paper")
            else top + (1 - _share(y)) * height
        )
        if px is None or py is None:
            continue
        anchor = {"left": "start", "right": "end"}.get(str(note.get("xanchor")), "middle")
        yield text(
            px, py - 6, plain(str(note.get("text") or "")), theme.soft, anchor=anchor, size=12
        )


def _share(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.5
