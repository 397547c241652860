"""The picture of a numeric column over time, with its changes of level and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from projects.matrix_benchmarking.reports.drawing.panel import cut, escape, text
from projects.matrix_benchmarking.reports.drawing.svg import svg
from projects.matrix_benchmarking.reports.drawing.theme import DARK, LIGHT, PAGE, Theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.hub.tables.columns import Column
    from projects.hub.tables.verdicts import Drawn

Shade = Literal["auto", "light", "dark"]

_WIDTH, _HEIGHT, _LINE = 960, 380, 20
_STATUS = {
    "regression": "bad",
    "improvement": "good",
    "invalid": "bad",
}


def picture(
    column: Column,
    drawn: Sequence[Drawn],
    time_name: str,
    remarks: Sequence[str] = (),
    shade: Shade = "auto",
) -> bytes:
    """Return the picture as SVG; "auto" is light or dark as the reader's system is.

    The sentences of the verdicts stand below the plot, and in the description for those who
    don't see it; `remarks` follow them.
    """
    theme = {"auto": PAGE, "light": LIGHT, "dark": DARK}[shade]
    said = [(one.sentence, _STATUS.get(one.status, "")) for one in drawn]
    said += [(remark, "") for remark in remarks]
    plotted = svg(_figure(column, drawn, time_name, theme), theme)
    return _with_words(plotted, said, theme, shade).encode()


def _figure(column: Column, drawn: Sequence[Drawn], time_name: str, theme: Theme) -> dict[str, Any]:
    # Rows of one upload have the same moment: then they are drawn one after the other.
    moments = {at for one in drawn for at in one.moments}
    by_time = len(moments) > 1
    data: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    for number, one in enumerate(drawn):
        # Milliseconds: thousands of texts take longer to write and to read than the picture.
        places = [at / 1000 for at in one.moments] if by_time else list(one.rows)
        colour = theme.colour(number)
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(places) <= 300 else "lines",  # noqa: PLR2004
                "name": ", ".join(one.labels.values()) or column.name,
                "x": places,
                "y": list(one.values),
                "line": {"width": 1.3, "color": colour},
                "marker": {"size": 5 if len(places) <= 100 else 3, "color": colour},  # noqa: PLR2004
            }
        )
        shapes += _changes(one, places, colour, theme)
    unit = f" ({column.unit})" if column.unit else ""
    return {
        "data": data,
        "layout": {
            "title": {"text": f"{column.name}{unit}"},
            "xaxis": {
                "title": {"text": time_name if by_time else "row"},
                "type": "date" if by_time else "linear",
            },
            "yaxis": {"title": {"text": column.unit}},
            "width": _WIDTH,
            "height": _HEIGHT,
            "showlegend": len(drawn) > 1,
            "shapes": shapes,
        },
    }


def _changes(one: Drawn, places: list[Any], colour: str, theme: Theme) -> list[dict[str, Any]]:
    """Return the levels between changes, dashed, and a line where each change is."""
    shapes = []
    bounds = [0, *(place for place, _, _ in one.changes), len(places)]
    levels = [before for _, before, _ in one.changes] + [after for *_, after in one.changes[-1:]]
    for begin, end, level in zip(bounds, bounds[1:], levels, strict=False):
        ends = {"x0": places[begin], "x1": places[max(end - 1, begin)], "y0": level, "y1": level}
        shapes.append({"type": "line", **ends, "line": {"color": colour, "dash": "dash"}})
    for place, _, _ in one.changes:
        judged = one.judgement.change is not None and one.judgement.change.index == place
        status = _STATUS.get(one.status, "") if judged else ""
        tint = {"bad": theme.bad, "good": theme.good}.get(status, theme.soft)
        upright = {"x0": places[place], "x1": places[place], "y0": 0, "y1": 1, "yref": "paper"}
        shapes.append({"type": "line", **upright, "line": {"color": tint, "dash": "dash"}})
    return shapes


def _with_words(plotted: str, said: Sequence[tuple[str, str]], theme: Theme, shade: Shade) -> str:
    """Return the picture with lines of text below the plot, and what they say as description."""
    height = _HEIGHT + _LINE * len(said) + (10 if said else 0)
    _, _, inside = plotted.partition(">\n")
    inside = inside.removesuffix("\n</svg>\n")
    colours = {"bad": theme.bad, "good": theme.good}
    words = [
        text(
            16,
            _HEIGHT + _LINE * (number + 0.5),
            cut(sentence, _WIDTH - 32),
            colours.get(status, theme.soft),
            size=13,
        )
        for number, (sentence, status) in enumerate(said)
    ]
    head = plotted[: plotted.index(">\n")]
    head = head.replace(f'viewBox="0 0 {_WIDTH} {_HEIGHT}"', f'viewBox="0 0 {_WIDTH} {height}"')
    head = head.replace(f'height="{_HEIGHT}"', f'height="{height}"')
    description = escape(" ".join(sentence for sentence, _ in said))
    style = f"<style>{_STYLE}</style>\n" if shade == "auto" else ""
    paper = f'<rect width="{_WIDTH}" height="{height}" fill="{theme.paper}"/>'
    return "\n".join(
        [f"{head}>", f"<desc>{description}</desc>", f"{style}{paper}", inside, *words, "</svg>\n"]
    )


def _variables(theme: Theme) -> str:
    named = {
        "card": theme.paper,
        "ink": theme.ink,
        "soft": theme.soft,
        "line": theme.line,
        "bad": theme.bad,
        "good": theme.good,
    }
    named |= {f"s{number}": colour for number, colour in enumerate(theme.series)}
    return ";".join(f"--{name}:{colour}" for name, colour in named.items())


_STYLE = (
    f":root{{{_variables(LIGHT)}}}"
    f"@media (prefers-color-scheme: dark){{:root{{{_variables(DARK)}}}}}"
)
