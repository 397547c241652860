"""The distribution of each KPI over the points of the matrix, from the samples behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.matrix_benchmarking.reports.judged import point, varying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.matrix_benchmarking.kpis.kpi import KpiValue
    from projects.matrix_benchmarking.reports.plots import PlotData

MOST_BOXES = 60
FEWEST_SAMPLES = 2
FEWEST_FOR_A_BOX = 5
"""Quartiles of fewer samples would pretend; they are drawn as dots."""

COLOUR = "#3b8fc6"


def distributions(data: PlotData) -> list[dict[str, Any]]:
    """Return a figure per KPI that has samples: a box per point, lying, in the KPI's unit."""
    values = [value for payload in data.payloads for value in payload.kpis.values()]
    by_name: dict[str, list[KpiValue]] = {}
    for value in values:
        if len(value.samples) >= FEWEST_SAMPLES:
            by_name.setdefault(value.name, []).append(value)
    return [_figure(name, found[:MOST_BOXES]) for name, found in by_name.items()]


def _figure(name: str, values: Sequence[KpiValue]) -> dict[str, Any]:
    names = varying(value.labels for value in values)
    traces = [_trace(value, point(value.labels, names) or value.name) for value in values]
    every = [sample for value in values for sample in value.samples]
    wide = min(every) > 0 and max(every) / min(every) > 50  # noqa: PLR2004 - else the small are flat
    return {
        "data": traces[::-1],  # plotly stacks from below
        "layout": {
            "title": {"text": f"{name}: distribution"},
            "xaxis": {
                "title": {"text": values[0].unit},
                "showgrid": True,
                **({"type": "log"} if wide else {}),
            },
            "yaxis": {"showgrid": False},
            "height": 150 + 30 * len(values),
            "showlegend": False,
        },
    }


def _trace(value: KpiValue, place: str) -> dict[str, Any]:
    """Return a lying box, or dots where there are too few samples for one."""
    common = {"name": place, "x": value.samples, "y": [place] * len(value.samples)}
    if len(value.samples) < FEWEST_FOR_A_BOX:
        dots = {"color": COLOUR, "size": 7, "opacity": 0.7}
        return common | {"type": "scatter", "mode": "markers", "marker": dots}
    box = {"type": "box", "orientation": "h", "boxpoints": "outliers"}
    return common | box | {"marker": {"color": COLOUR, "size": 4}}
