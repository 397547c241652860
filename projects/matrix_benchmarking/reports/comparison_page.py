"""A comparison of two runs as page, as text for the terminal, and as JSON-like data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.core.artifacts import readable
from projects.matrix_benchmarking.reports.comparison import MISSING
from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.judged import NOTHING
from projects.matrix_benchmarking.reports.kpi_table import percent
from projects.matrix_benchmarking.reports.page import page, row, table
from projects.matrix_benchmarking.verdict.judge import LEAST_EFFECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from projects.matrix_benchmarking.reports.comparison import (
        Comparison,
        Difference,
        Duration,
        KpiPair,
    )

MOST_ROWS = 1000
MOST_CHARACTERS = 200
NOTABLE = 0.1
"""A duration that changed by less than this share is not coloured."""


def comparison_page(comparison: Comparison) -> str:
    """Return the page."""
    a, b = comparison.a.directory.name, comparison.b.directory.name
    body = [
        *_problems(comparison),
        *_kpis(comparison.kpis),
        *_differences(
            "Configuration", comparison.configuration, "The configurations are the same."
        ),
        *_differences("Environment", comparison.environment, "Both ran in the same environment."),
        *_durations(comparison.durations),
    ]
    return page("Comparison of two runs", body, facts={"A": a, "B": b})


def _problems(comparison: Comparison) -> Iterator[str]:
    for name, run in (("A", comparison.a), ("B", comparison.b)):
        for problem in run.problems:
            yield f'<div class="card warn"><b>{name}</b>: {escape(problem)}</div>'


def _kpis(pairs: Sequence[KpiPair]) -> Iterator[str]:
    yield "<section>\n<h2>KPIs</h2>"
    if not pairs:
        yield '<p class="soft">Neither run has KPIs.</p></section>'
        return
    rows = []
    for each in pairs[:MOST_ROWS]:
        kind = {True: "good", False: "bad", None: ""}[_told(each)]
        rows.append(
            row(
                escape(each.where),
                f"={escape(each.a.text if each.a else MISSING)}",
                f"={escape(each.b.text if each.b else MISSING)}",
                f"={_change(each)}",
                _clear(each),
                first=escape(each.name),
                kind=kind,
            )
        )
    yield table(("KPI", "", "A", "B", "B against A", ""), rows, numbers=(2, 3, 4))
    yield (
        '<p class="soft">Two runs are no history: "apart" means that the middle halves of the '
        f"samples of both do not overlap, and are {100 * LEAST_EFFECT:.0f} % or more from each "
        "other: nothing more.</p>\n</section>"
    )


def _change(pair: KpiPair) -> str:
    if pair.change is None:
        return NOTHING
    kind, mark = {True: ("good", "▲ "), False: ("bad", "▼ "), None: ("quiet", "")}[_told(pair)]
    return f'<span class="mark {kind}">{mark}{escape(percent(pair.change))}</span>'


def _told(pair: KpiPair) -> bool | None:
    """Return whether B is better where that can be told: a single value of each may be noise."""
    return pair.better if pair.clear else None


def _clear(pair: KpiPair) -> str:
    words = {True: "apart", False: "overlap", None: ""}[pair.clear]
    return f'<span class="soft">{words}</span>'


def _differences(title: str, found: Sequence[Difference], none: str) -> Iterator[str]:
    yield f"<section>\n<h2>{title}</h2>"
    if found:
        rows = [
            row(_value(each.a), _value(each.b), first=f"<code>{escape(each.key)}</code>")
            for each in found[:MOST_ROWS]
        ]
        yield table(("Key", "A", "B"), rows)
        if len(found) > MOST_ROWS:
            yield f'<p class="soft">and {len(found) - MOST_ROWS} more</p>'
    else:
        yield f'<p class="soft">{none}</p>'
    yield "</section>"


def _value(value: Any) -> str:
    text = str(value)
    text = text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
    return (
        f'<span class="soft">{MISSING}</span>'
        if value == MISSING
        else f"<code>{escape(text)}</code>"
    )


def _durations(found: Sequence[Duration]) -> Iterator[str]:
    yield "<section>\n<h2>Durations of commands</h2>"
    if not found:
        yield '<p class="soft">Neither run has a journal.</p></section>'
        return
    rows = []
    for each in found[:MOST_ROWS]:
        notable = each.change is not None and abs(each.change) >= NOTABLE
        change = NOTHING if each.change is None else percent(each.change)
        rows.append(
            row(
                f"={_seconds(each.a, each.outcome_a)}",
                f"={_seconds(each.b, each.outcome_b)}",
                f'=<span class="mark {"" if notable else "quiet"}">{change}</span>',
                first=escape(each.name),
            )
        )
    yield table(("Command", "A", "B", "B against A"), rows, numbers=(1, 2, 3))
    yield "</section>"


def _seconds(seconds: float | None, outcome: str) -> str:
    if seconds is None:
        return f'<span class="soft">{MISSING}</span>'
    failed = "" if outcome == "passed" else f' <span class="mark bad">{escape(outcome)}</span>'
    return readable.duration(seconds) + failed


def comparison_text(comparison: Comparison) -> str:
    """Return the comparison for a terminal."""
    lines = [f"A  {comparison.a.directory}", f"B  {comparison.b.directory}"]
    for name, run in (("A", comparison.a), ("B", comparison.b)):
        lines += [f"   {name}: {problem}" for problem in run.problems]
    for title, found in (
        ("Configuration", comparison.configuration),
        ("Environment", comparison.environment),
    ):
        lines += ["", f"{title}: {'nothing differs' if not found else ''}".rstrip()]
        lines += [
            f"  {each.key}: {each.a} → {each.b}"[:MOST_CHARACTERS] for each in found[:MOST_ROWS]
        ]
    lines += ["", "KPIs:" if comparison.kpis else "KPIs: none"]
    lines += _columns(
        [
            (
                each.name,
                each.where,
                each.a.text if each.a else MISSING,
                each.b.text if each.b else MISSING,
                "" if each.change is None else percent(each.change),
                {True: "apart", False: "overlap", None: ""}[each.clear],
            )
            for each in comparison.kpis[:MOST_ROWS]
        ]
    )
    lines += ["", "Durations:" if comparison.durations else "Durations: none"]
    lines += _columns(
        [
            (
                each.name,
                MISSING if each.a is None else readable.duration(each.a),
                MISSING if each.b is None else readable.duration(each.b),
                "" if each.change is None else percent(each.change),
            )
            for each in comparison.durations[:MOST_ROWS]
        ]
    )
    return "\n".join(lines) + "\n"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(cells[n]) for cells in rows) for n in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in rows
    ]


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as `{a, b, configuration, environment, kpis, durations, problems}`."""
    return {
        "version": 1,
        "a": str(comparison.a.directory),
        "b": str(comparison.b.directory),
        "problems": {"a": list(comparison.a.problems), "b": list(comparison.b.problems)},
        "configuration": {each.key: [each.a, each.b] for each in comparison.configuration},
        "environment": {each.key: [each.a, each.b] for each in comparison.environment},
        "kpis": [
            {
                "name": each.name,
                "labels": dict(each.labels),
                "unit": (each.b or each.a).unit if each.b or each.a else "",  # type: ignore[union-attr]
                "a": each.a.value if each.a else None,
                "b": each.b.value if each.b else None,
                "change": each.change,
                "better": each.better,
                "apart": each.clear,
            }
            for each in comparison.kpis
        ],
        "durations": [
            {
                "name": each.name,
                "a": each.a,
                "b": each.b,
                "change": each.change,
                "outcomes": [each.outcome_a, each.outcome_b],
            }
            for each in comparison.durations
        ],
    }
