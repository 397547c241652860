"""A verdict as `verdict.html`: what changed with its history, then every KPI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.matrix_benchmarking.reports import figures
from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.history_figure import history_figure
from projects.matrix_benchmarking.reports.judged import gravest_first, headline, outcome
from projects.matrix_benchmarking.reports.kpi_table import kpi_table
from projects.matrix_benchmarking.reports.page import page, state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.matrix_benchmarking.reports.judged import Judged

MOST_CARDS = 30
_LOUD = ("regression", "improvement", "acknowledged", "invalid")


def verdict_page(
    judged: Sequence[Judged],
    *,
    title: str = "Verdict",
    notes: Sequence[str] = (),
    facts: Mapping[str, object] | None = None,
) -> str:
    """Return the page."""
    loud = [each for each in gravest_first(judged) if each.status in _LOUD]
    body = [*_notes(notes), *_cards(loud)]
    body += ["<section>\n<h2>All KPIs</h2>", kpi_table(judged), "</section>"]
    body.append(
        "<footer>A verdict compares with the history of the same point on the same kind of "
        "machine. ▼ worse, ▲ better, ◆ worse and acknowledged, · no change beyond the noise, "
        "≠ measured elsewhere, ? too little history.</footer>"
    )
    return page(
        title,
        body,
        badge=outcome(judged),
        listed_as=f"{title}: {headline(judged)}",
        facts={"verdict": headline(judged), **(facts or {})},
        plotly=bool(loud),
    )


def _notes(notes: Sequence[str]) -> Iterator[str]:
    for note in notes:
        yield f'<div class="card warn">{escape(note)}</div>'


def _cards(loud: Sequence[Judged]) -> Iterator[str]:
    if not loud:
        return
    yield '<section>\n<h2>What changed</h2>\n<div class="figures">'
    for number, each in enumerate(loud[:MOST_CARDS], 1):
        yield _card(each, number)
    yield "</div>"
    if len(loud) > MOST_CARDS:
        yield f'<p class="soft">and {len(loud) - MOST_CARDS} more, in the table below.</p>'
    yield "</section>"


def _card(each: Judged, number: int) -> str:
    where = f' <span class="soft">{escape(each.where)}</span>' if each.where else ""
    said = f"<p>{escape(each.short)}</p>" if each.short else ""
    drawn = ""
    if each.earlier:
        figure = figures.read_figure(history_figure(each), each.kpi.name)
        drawn = figures.bare(figure, number)
    return (
        f'<article class="card {"bad" if each.kind == "bad" else each.kind}">'
        f"<h3>{state(each.status)} &nbsp;{escape(each.kpi.name)}{where} "
        f'<span class="soft">{escape(each.kpi.text)}</span></h3>{said}{drawn}</article>'
    )
