"""The colours of our figures: on light paper, on dark, and as variables of a page's style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

SERIES = 8
"""Colours for so many series; further ones begin again."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What a picture is drawn with; every colour is CSS."""

    paper: str
    ink: str
    soft: str
    line: str
    series: tuple[str, ...]
    bad: str
    good: str

    def colour(self, index: int) -> str:
        """Return the colour of the series with this number, from 0."""
        return self.series[index % len(self.series)]


# Told apart by people who see no red or no green too (Okabe and Ito, "Color Universal Design",
# 2008), in the shades of the timeline page.
LIGHT = Theme(
    paper="#ffffff",
    ink="#1d2329",
    soft="#5c6670",
    line="#e2e0db",
    series=(
        "#0072b2", "#e08a00", "#009e73", "#c2508f", "#45a5dd", "#d04a02", "#7b61c4", "#7d8790"
    ),
    bad="#d04a02",
    good="#00795a",
)  # fmt: skip
DARK = Theme(
    paper="#1b1f23",
    ink="#e4e7ea",
    soft="#98a2ac",
    line="#2e343a",
    series=(
        "#4aa3df", "#f0ad3d", "#2fb38c", "#e07fb4", "#8fd0f2", "#ff7a3d", "#a993e6", "#9aa4ae"
    ),
    bad="#ff7a3d",
    good="#45c49b",
)  # fmt: skip
PAGE = Theme(
    paper="var(--card)",
    ink="var(--ink)",
    soft="var(--soft)",
    line="var(--line)",
    series=tuple(f"var(--s{number})" for number in range(SERIES)),
    bad="var(--bad)",
    good="var(--good)",
)
"""For a picture within one of our pages, which is light or dark as its reader likes it."""


def template(theme: Theme) -> dict[str, Any]:
    """Return the plotly template (`layout.template`) of a theme with concrete colours.

    Source: https://plotly.com/javascript/reference/layout/#layout-template
    """
    axis = {
        "gridcolor": theme.line,
        "linecolor": theme.line,
        "zerolinecolor": theme.line,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
        "tickfont": {"color": theme.soft, "size": 12},
        "title": {"font": {"color": theme.soft, "size": 13}, "standoff": 10},
        "automargin": True,
    }
    return {
        "layout": {
            "font": {"family": FONT, "color": theme.ink, "size": 13},
            "title": {"font": {"size": 15}, "x": 0, "xref": "container", "xanchor": "left"},
            "paper_bgcolor": theme.paper,
            "plot_bgcolor": theme.paper,
            "colorway": list(theme.series),
            "hoverlabel": {"bgcolor": theme.paper, "bordercolor": theme.line},
            "legend": {
                "orientation": "h",
                "yanchor": "bottom",
                "y": 1.02,
                "x": 0,
                "font": {"color": theme.soft},
            },
            "margin": {"l": 50, "r": 16, "t": 36, "b": 36},
            "bargap": 0.3,
            "bargroupgap": 0.06,
            "boxgap": 0.35,
            "xaxis": {**axis, "showgrid": False, "zeroline": False},
            "yaxis": {**axis, "zeroline": False},
            "annotationdefaults": {"font": {"color": theme.soft, "size": 12}},
            "shapedefaults": {"line": {"color": theme.soft, "width": 1}},
        },
        "data": {
            "bar": [{"marker": {"line": {"width": 0}}}],
            "box": [{"line": {"width": 1.5}, "fillcolor": None}],
        },
    }
