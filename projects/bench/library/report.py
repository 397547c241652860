"""The report: which bars are reached, and every case measured, as Markdown, JSON and a page."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from projects.bench.library import change_points, chart
from projects.bench.library.samples import Summary, format_ratio, format_seconds, summarize
from projects.bench.library.verdicts import ROWS, Row, Verdict, judge, point_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.bench.library.result import Result

_VERDICT_TITLES = ("what", "measured", "quartiles", "bar", "reached", "best peer", "ahead of it")
_CASE_TITLES = ("case", "median", "quartiles", "deviation", "rounds")
_NOISY_MARK = " (noisy)"
_REACHED = {True: "yes", False: "no", None: "not measured"}
_CODE = re.compile("`([^`]*)`")

_STYLE = """\
:root { color-scheme: light dark; --ink: #1c2733; --page: #fbfbf9; --line: #d5d9de;
  --ours: #1f6f8b; --peer: #b9b2a3; --floor: #8fae8b; --limit: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ea; --page: #14181d; --line: #333b45;
  --ours: #5ab4d1; --peer: #6d675c; --floor: #5d7f59; --limit: #f2766d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); }
td:nth-child(3), td:nth-child(4), td:nth-child(7) { white-space: nowrap; }
svg { display: block; width: 100%; max-width: 750px; margin: 1.5rem 0; font-size: 12px; }
svg text { fill: var(--ink); } svg .title { font-weight: 600; font-size: 13px; }
.label { text-anchor: end; } .tick { text-anchor: middle; opacity: .7; }
.axis { stroke: var(--line); } .whisker { stroke: var(--ink); stroke-width: 2; }
.ours rect { fill: var(--ours); } .peer rect { fill: var(--peer); }
.floor rect { fill: var(--floor); }
.limit { stroke: var(--limit); stroke-width: 2; stroke-dasharray: 4 3; }
.no { color: var(--limit); font-weight: 600; }
"""


def as_markdown(results: Sequence[Result], bars: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    lines = ["# The toolkit measured by itself", ""]
    lines += _markdown_table(_VERDICT_TITLES, [_verdict_cells(v) for v in judge(results, bars)])
    lines += ["", *(f"{line}  " for line in _conditions(results))]
    for result in results:
        lines += ["", f"## {_heading(result)}", ""]
        lines += _markdown_table(_CASE_TITLES, _case_rows(result))
        if result.scores:
            lines += ["", *_markdown_table(*_score_table(result))]
        lines += [f"\n{name}: {text}" for name, text in result.notes.items()]
        lines += [f"\nFailed: {name}: {reason}" for name, reason in result.failed.items()]
    return "\n".join(lines) + "\n"


def as_json(results: Sequence[Result], bars: Mapping[str, str]) -> str:
    """Return verdicts and results with all samples, durations in seconds."""
    verdicts = [
        {
            "key": verdict.row.key,
            "title": verdict.row.title,
            "point": verdict.point,
            "measured": asdict(verdict.measured),
            "bar": str(verdict.bar),
            "limit": verdict.limit,
            "against": asdict(verdict.against) if verdict.against else None,
            "reached": verdict.reached,
            "best_rival": verdict.best_rival,
            "ahead": asdict(verdict.ahead) if verdict.ahead else None,
        }
        for verdict in judge(results, bars)
    ]
    document: dict[str, Any] = {"verdicts": verdicts, "results": [asdict(r) for r in results]}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def as_page(results: Sequence[Result], bars: Mapping[str, str]) -> str:
    """Return the report as one HTML page that needs no network."""
    verdicts = judge(results, bars)
    rows = "".join(_html_row(_verdict_cells(verdict)) for verdict in verdicts)
    titles = "".join(f"<th>{escape(title)}</th>" for title in _VERDICT_TITLES)
    scores = "".join(_scores(result) for result in results if result.scores)
    scores += "".join(_notes(result) for result in results if result.notes)
    conditions = "<br>".join(escape(line) for line in _conditions(results))
    charts = "\n".join(_charts(results, verdicts))
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>The toolkit measured by itself</title><style>\n{_STYLE}</style></head><body>\n"
        f"<h1>The toolkit measured by itself</h1>\n<table><tr>{titles}</tr>{rows}</table>\n"
        f"<p>{conditions}</p>\n<p>Axes are logarithmic. A whisker spans the quartiles; the dashed "
        f"line is the bar.</p>\n{charts}\n{scores}\n</body></html>\n"
    )


def _scores(result: Result) -> str:
    titles, table = _score_table(result)
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    rows = "".join(_html_row(cells) for cells in table)
    return f"<h2>{escape(_heading(result))}</h2>\n<table><tr>{head}</tr>{rows}</table>"


def _score_table(result: Result) -> tuple[Sequence[str], list[list[str]]]:
    """Return titles and rows of what is no duration."""
    if result.bench == "change_points":
        return change_points.TITLES, change_points.table(result)
    rows = [
        [case, figure, f"{value:,.1f}".removesuffix(".0")]
        for case, figures in result.scores.items()
        for figure, value in figures.items()
    ]
    return ("what", "figure", "value"), rows


def _notes(result: Result) -> str:
    items = "".join(
        f"<li>{escape(name)}: {escape(text)}</li>" for name, text in result.notes.items()
    )
    return f"<h2>{escape(_heading(result))}: what is kept</h2>\n<ul>{items}</ul>"


def _charts(results: Sequence[Result], verdicts: Sequence[Verdict]) -> list[str]:
    return [
        _chart(row, result, verdicts)
        for row in ROWS
        for result in results
        if result.bench == row.bench and row.subject in result.seconds
    ]


def _chart(row: Row, result: Result, verdicts: Sequence[Verdict]) -> str:
    bars = [
        chart.Bar(name, summarize(result.seconds[name]), row.kind_of(name))
        for name in row.cases
        if name in result.seconds
    ]
    point = point_of(result)
    base = summarize(result.seconds[row.base]).median if row.base else 0.0
    own = [v.limit for v in verdicts if v.row is row and v.point == point]
    limits = [base + limit for limit in own if limit is not None]
    title = row.title.replace("`", "") + (f", {point}" if point else "")
    return chart.draw(title, bars, limit=min(limits, default=None))


def _verdict_cells(verdict: Verdict) -> list[str]:
    measured = verdict.measured
    return [
        verdict.row.title + (f", {verdict.point}" if verdict.point else ""),
        format_seconds(measured.median) + (_NOISY_MARK if measured.noisy else ""),
        _quartiles(measured.lower_quartile, measured.upper_quartile),
        str(verdict.bar),
        _REACHED[verdict.reached] + (f" ({_ratio(verdict.against)})" if verdict.against else ""),
        verdict.best_rival or "not measured",
        _ratio(verdict.ahead),
    ]


def _ratio(summary: Summary | None) -> str:
    return format_ratio(summary.median) if summary else ""


def _case_rows(result: Result) -> list[list[str]]:
    rows = []
    summaries = {case: summarize(samples) for case, samples in result.seconds.items()}
    for case, summary in sorted(summaries.items(), key=lambda item: item[1].median):
        rows.append(
            [
                case,
                format_seconds(summary.median) + (_NOISY_MARK if summary.noisy else ""),
                _quartiles(summary.lower_quartile, summary.upper_quartile),
                format_seconds(summary.deviation),
                str(summary.count),
            ]
        )
    return rows


def _quartiles(lower: float, upper: float) -> str:
    return f"{format_seconds(lower)} … {format_seconds(upper)}"


def _heading(result: Result) -> str:
    point = point_of(result)
    return result.bench.replace("_", " ") + (f", {point}" if point else "")


def _conditions(results: Sequence[Result]) -> list[str]:
    """Return machines and versions, each said once, and the load when each result began."""
    lines: list[str] = []
    for result in results:
        machine = {name: value for name, value in result.machine.items() if name != "load"}
        for said in (machine, result.versions):
            text = ", ".join(f"{name}: {value}" for name, value in said.items() if value)
            if text and text not in lines:
                lines.append(text)
    loads = [str(result.machine["load"]) for result in results if "load" in result.machine]
    return [*lines, f"load when each began: {', '.join(loads)}"] if loads else lines


def _markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return [line(titles), "|" + "---|" * len(titles), *(line(row) for row in rows)]


def _html_row(cells: Sequence[str]) -> str:
    def cell(text: str) -> str:
        mark = ' class="no"' if text.partition(" ")[0] == "no" else ""
        html = _CODE.sub(r"<code>\1</code>", escape(text))
        return f"<td{mark}>{html}</td>"

    return "<tr>" + "".join(cell(text) for text in cells) + "</tr>"
