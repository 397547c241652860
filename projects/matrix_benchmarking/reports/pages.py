"""The pages that `plots.yaml` asks for, drawn into a directory."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.core.errors import ConfigurationError, one_line, unknown, unreadable
from projects.core.secrets import masking
from projects.matrix_benchmarking.reports import figures
from projects.matrix_benchmarking.reports.distributions import distributions
from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.failures import Broken
from projects.matrix_benchmarking.reports.kpi_table import kpi_table
from projects.matrix_benchmarking.reports.page import page
from projects.matrix_benchmarking.reports.plots import REPORT, figures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from projects.matrix_benchmarking.reports.figures import Figure
    from projects.matrix_benchmarking.reports.plots import PlotData, Plots
    from projects.matrix_benchmarking.reports.selection import Selection

KPIS, DISTRIBUTIONS = f"{REPORT}KPIs", f"{REPORT}distributions"
REPORTS = (KPIS, DISTRIBUTIONS)
"""The names beside those of a project's plots that `generate` may hold."""

MOST_FIGURES = 200


@dataclass
class Drawn:
    """What was written: the pages, and the plots that raised."""

    pages: list[Path] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)


def check_names(selection: Sequence[Selection], plots: Plots) -> None:
    """Raise ConfigurationError for the first name that is no plot, with the nearest."""
    for each in selection:
        for name in each.generate:
            if name.startswith(REPORT):
                if name not in REPORTS:
                    raise ConfigurationError(unknown("report", name, REPORTS))
            else:
                plots.named(name, REPORTS)


def draw_pages(
    selection: Sequence[Selection],
    plots: Plots,
    data_for: Callable[[str], PlotData],
    directory: Path,
) -> Drawn:
    """Write `report_NN_ID.html` for each page, its pictures in `report_NN_ID_files/`.

    `data_for(filter)` returns the data that a filter leaves. A plot that raises is in `.broken`,
    and the others are drawn.

    Errors
    ------
    ConfigurationError
        An unknown name; before anything is drawn.
    InfrastructureError
        A file cannot be written.
    """
    check_names(selection, plots)
    drawn = Drawn()
    with_figures = False
    for number, each in enumerate(selection):
        stem = f"report_{number:02d}_{_safe(each.id)}"
        body, found = _sections(each, plots, data_for(each.filter), stem, drawn)
        with_figures = with_figures or bool(found)
        _write_pictures(found, directory / f"{stem}_files")
        facts = {"filter": each.filter or "all results"}
        title = each.id.replace("_", " ")
        text = page(title[:1].upper() + title[1:], body, facts=facts, plotly=bool(found))
        _write(directory / f"{stem}.html", text)
        drawn.pages.append(directory / f"{stem}.html")
    if with_figures:
        figures.write_plotly(directory)
    return drawn


def _sections(
    selected: Selection, plots: Plots, data: PlotData, stem: str, drawn: Drawn
) -> tuple[list[str], list[Figure]]:
    body: list[str] = []
    found: list[Figure] = []
    blocks: list[str] = []

    def close_figures() -> None:
        if blocks:
            body.append(f'<div class="figures">{"".join(blocks)}</div>')
            blocks.clear()

    for name in selected.generate:
        try:
            if name == KPIS:
                close_figures()
                body.append(f"<section><h2>KPIs</h2>{kpi_table(data.judged)}</section>")
                continue
            for figure in _figures(name, plots, data):
                found.append(figure)
                blocks.append(
                    figures.block(figure, len(found), f"{stem}_files/fig_{len(found):02d}")
                )
        except Exception as error:  # a foreign function; the other plots are drawn
            headline = one_line(error)
            drawn.broken.append(Broken(stem, name, headline, traceback.format_exc()))
            blocks.append(
                f'<div class="card bad"><h3>{escape(name)}</h3><p>could not be drawn: '
                f"{escape(headline)}</p></div>"
            )
    close_figures()
    if not body:
        body.append(
            '<p class="card soft">There is nothing to draw: no result passes the filter.</p>'
        )
    return body, found


def _figures(name: str, plots: Plots, data: PlotData) -> list[Figure]:
    if name == DISTRIBUTIONS:
        returned: Sequence[object] = distributions(data)
        said = ""
    else:
        plot = plots.named(name)
        returned, said = figures_of(plot.function(data)), plot.help
    if len(returned) > MOST_FIGURES:
        raise ValueError(f"{len(returned)} figures; at most {MOST_FIGURES} are drawn")
    read = [figures.read_figure(each, name, said) for each in returned]
    return [each for each in read if each.data.get("data")]


def _write_pictures(found: Sequence[Figure], directory: Path) -> None:
    if not found:
        return
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise unreadable(directory, error) from error
    for number, figure in enumerate(found, 1):
        figures.write_pictures(figure, directory / f"fig_{number:02d}")


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:80] or "page"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(masking.mask(text), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise unreadable(path, error) from error
