"""The history of one KPI at one point, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.drawing.theme import LIGHT

if TYPE_CHECKING:
    from projects.matrix_benchmarking.reports.judged import Judged

MOST_RUNS = 200

_NEUTRAL = "#808a94"  # reads on light and on dark paper


def history_figure(each: Judged) -> dict[str, Any]:
    """Return the figure: one dot per run, the newest marked, a level before and after a change."""
    values = [*each.earlier, *([each.number] if each.number is not None else [])]
    start = max(len(values) - MOST_RUNS, 0)
    shown = values[start:]
    runs = list(range(start + 1, start + len(shown) + 1))
    colours = {"bad": LIGHT.bad, "good": LIGHT.good, "warn": "#b8860b"}
    newest = colours.get(each.kind, LIGHT.series[0])
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "earlier runs",
            "x": runs,
            "y": shown,
            "text": _moments(each)[start:],
            "hovertemplate": "run %{x}: %{y}<br>%{text}<extra></extra>",
            "line": {"width": 1.2, "color": _NEUTRAL},
            "marker": {"size": 5, "color": _NEUTRAL},
        }
    ]
    if each.number is not None:
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": "this run",
                "x": runs[-1:],
                "y": shown[-1:],
                "hovertemplate": "this run: %{y}<extra></extra>",
                "marker": {"size": 10, "color": newest},
            }
        )
    layout = {
        "title": {"text": f"{each.kpi.name} {each.where}".strip()},
        "xaxis": {"title": {"text": "run"}, "dtick": max(1, len(shown) // 8)},
        "yaxis": {"title": {"text": each.kpi.unit}},
        "height": 300,
        "width": 720,
        "showlegend": False,
        "shapes": _levels(each, start, len(values), newest),
    }
    return {"data": data, "layout": layout}


def _moments(each: Judged) -> list[str]:
    times = list(each.series.times) if each.series is not None else []
    shown = [
        f"{moment:%Y-%m-%d %H:%M}" if hasattr(moment, "year") else str(moment) for moment in times
    ]
    return [*shown, f"{each.kpi.timestamp:%Y-%m-%d %H:%M}"]


def _levels(each: Judged, start: int, runs: int, colour: str) -> list[dict[str, Any]]:
    change = getattr(each.judgement, "change", None)
    if change is None or each.changed_at is None:
        return []
    at = each.changed_at + 1
    first = start + 1
    levels = ((first, at - 1, change.before, _NEUTRAL), (at, runs, change.after, colour))
    return [
        {
            "type": "line",
            "x0": begin - 0.4,
            "x1": end + 0.4,
            "y0": level,
            "y1": level,
            "line": {"color": tint, "width": 2, "dash": "dash"},
        }
        for begin, end, level, tint in levels
        if end >= begin
    ]
