"""The reports of one analysis, written into a directory."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from projects.core.artifacts import journal
from projects.core.errors import ConfigurationError, unreadable
from projects.core.secrets import masking
from projects.matrix_benchmarking.reports import failures, figures
from projects.matrix_benchmarking.reports.page import PLOTLY
from projects.matrix_benchmarking.reports.pages import REPORTS, Drawn, check_names, draw_pages
from projects.matrix_benchmarking.reports.plots import PlotData, find_plots
from projects.matrix_benchmarking.reports.selection import every_plot, read_selection
from projects.matrix_benchmarking.reports.verdicts import document, junit, markdown, page, text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from projects.matrix_benchmarking.library.analysis import Parsed
    from projects.matrix_benchmarking.reports.judged import Judged
    from projects.matrix_benchmarking.reports.selection import Selection

_log = logging.getLogger(__name__)


def select(workload: str, plots_file: Path, *, may_be_missing: bool = False) -> list[Selection]:
    """Return the pages of a workload; without `plots.yaml`, one with every plot.

    Errors
    ------
    ConfigurationError
        The file is missing and may not be, is something else, or names an unknown plot.
    """
    plots = find_plots(workload)
    if may_be_missing and not plots_file.is_file():
        return every_plot([*(each.name for each in plots), *REPORTS])
    if not plots_file.is_file():
        raise ConfigurationError(
            f"{plots_file} is missing: it says which plots go on which page; to draw all of them "
            "without it, call visualize.init(allow_no_config_file=True)"
        )
    selection = read_selection(plots_file)
    check_names(selection, plots)
    return selection


def draw(
    parsed: Parsed,
    judged: Sequence[Judged],
    selection: Sequence[Selection],
    workload: str,
    directory: Path,
) -> Drawn:
    """Write the pages and pictures; what raised is in `.broken` and logged."""

    def data_for(filter_: str) -> PlotData:
        kept = parsed.filtered(filter_)
        uuids = {payload.metadata.test_uuid for payload in kept}
        mine = tuple(each for each in judged if each.kpi.test_uuid in uuids)
        return PlotData(kept, mine, filter_)

    with journal.span("step", "draw"):
        drawn = draw_pages(selection, find_plots(workload), data_for, directory)
    for each in drawn.broken:
        _log.error("plot %s of %s could not be drawn: %s", each.plot, each.page, each.headline)
    return drawn


def write_verdict(
    judged: Sequence[Judged], directory: Path, notes: Sequence[str], facts: dict[str, object]
) -> str:
    """Write `verdict.{html,json,junit.xml,md,txt}`; return the text.

    Errors
    ------
    InfrastructureError
        A file cannot be written.
    """
    told = text.verdict_text(judged, notes)
    page_text = page.verdict_page(judged, notes=notes, facts=facts)
    for name, content in {
        "verdict.html": page_text,
        "verdict.json": document.verdict_json(judged, notes),
        "verdict.junit.xml": junit.verdict_junit(judged),
        "verdict.md": markdown.verdict_markdown(judged, notes),
        "verdict.txt": told,
    }.items():
        write(directory / name, content)
    if PLOTLY in page_text and not (directory / PLOTLY).exists():
        figures.write_plotly(directory)
    return told


def write_errors(parsed: Parsed | None, results: Path, directory: Path, drawn: Drawn) -> None:
    """Write `error_report.html`; InfrastructureError if it cannot be."""
    collection = parsed.collection if parsed else None
    found = failures.error_page(collection, results, directory, drawn.broken)
    write(directory / "error_report.html", found)


def write(path: Path, content: str) -> None:
    """Write a text, secrets masked; InfrastructureError if it cannot be."""
    try:
        path.write_text(masking.mask(content), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise unreadable(path, error) from error
