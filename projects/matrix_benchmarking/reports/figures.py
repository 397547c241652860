"""A figure on a page: a still picture that becomes interactive, and the same as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.errors import unreadable
from projects.matrix_benchmarking.reports.drawing.panel import escape, title_of
from projects.matrix_benchmarking.reports.drawing.svg import as_mapping, svg
from projects.matrix_benchmarking.reports.drawing.theme import PAGE
from projects.matrix_benchmarking.reports.page import PLOTLY, json_text, link

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_OURS = ("template", "title")  # of a layout: the page has its own


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as plain data, with what stands above it."""

    title: str
    help: str
    data: Mapping[str, Any]


def read_figure(figure: Any, name: str, help: str = "") -> Figure:  # noqa: A002 - as a KPI has it
    """Return a plotly figure (or its mapping) as plain data, under its own title or `name`.

    Errors
    ------
    TypeError
        It is no figure.
    """
    if not isinstance(figure, dict) and not hasattr(figure, "to_dict"):
        raise TypeError(f"a plot returned {type(figure).__name__}: a plotly figure was expected")
    spec = as_mapping(figure)
    return Figure(title_of(spec.get("layout") or {}) or name, help, spec)


def block(figure: Figure, number: int, pictures: str = "") -> str:
    """Return the `<figure>` of a page; `pictures` is the path of its files without the ending."""
    said = f"<p>{escape(figure.help)}</p>" if figure.help else ""
    files = " ".join(
        f'<a href="{link(pictures)}.{ending}" download>{ending.upper()}</a>'
        for ending in ("svg", "png")
        if pictures
    )
    caption = f"<figcaption><b>{escape(figure.title)}</b><span>{files}</span>{said}</figcaption>"
    head = f'<figure class="card" data-live id="figure-{number}">'
    return f"{head}{caption}{_inside(figure, number)}</figure>"


def bare(figure: Figure, number: int) -> str:
    """Return the figure without frame and caption, for a card that has its own."""
    return f'<figure data-live id="figure-{number}">{_inside(figure, number)}</figure>'


def _inside(figure: Figure, number: int) -> str:
    layout = {k: v for k, v in (figure.data.get("layout") or {}).items() if k not in _OURS}
    layout |= {k: {**_LOGARITHMIC, **v} for k, v in layout.items() if _is_logarithmic(v)}
    spec = json_text({"data": list(figure.data.get("data") or []), "layout": layout})
    still = svg(figure.data, PAGE, heading=False, name=f"f{number}")
    return (
        f'<div class="still">{still}</div><div class="live"></div>'
        f'<script type="application/json">{spec}</script>'
    )


# Left alone, plotly labels each of 2, 3, … 9 there, and only with this digit of the number.
_LOGARITHMIC = {"nticks": 6, "tickformat": ",~g"}


def _is_logarithmic(axis: Any) -> bool:
    return isinstance(axis, dict) and axis.get("type") == "log"


def write_pictures(figure: Figure, stem: Path) -> None:
    """Write `stem.svg` and `stem.png`, light, with the title.

    Errors
    ------
    InfrastructureError
        A file cannot be written.
    """
    from projects.matrix_benchmarking.reports.drawing.png import png

    layout = {**(figure.data.get("layout") or {}), "title": {"text": figure.title}}
    picture = svg({"data": figure.data.get("data") or [], "layout": layout})
    try:
        stem.with_name(f"{stem.name}.svg").write_text(picture, encoding="utf-8")
        stem.with_name(f"{stem.name}.png").write_bytes(png(picture))
    except OSError as error:
        raise unreadable(stem, error) from error


def write_plotly(directory: Path) -> None:
    """Put `plotly.min.js` into a directory, for the pages beside it; nothing is loaded from afar.

    Errors
    ------
    InfrastructureError
        The file cannot be written.
    """
    from importlib.resources import files

    script = files("plotly").joinpath("package_data", PLOTLY).read_bytes()
    try:
        (directory / PLOTLY).write_bytes(script)
    except OSError as error:
        raise unreadable(directory / PLOTLY, error) from error
