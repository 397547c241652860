"""The error report: what failed in a run, which results have a problem, which plots raised."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.artifacts.failures import gather
from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.page import link, page, row, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from projects.matrix_benchmarking.results.result import Collection, Finding, Result

MOST_TEXT = 20_000
MOST_LISTED = 500


@dataclass(frozen=True, slots=True)
class Broken:
    """A plot that raised: its page, its name, the traceback."""

    page: str
    plot: str
    headline: str
    trace: str


def error_page(
    collection: Collection | None,
    results: Path,
    here: Path,
    broken: Sequence[Broken] = (),
    *,
    title: str = "Error report",
) -> str:
    """Return the page; `results` is what was plotted, `here` is where the page will be.

    Links are relative, so they hold in an export of both.
    """
    failed = gather(results)[:MOST_LISTED]
    exits = [r for r in collection.results if r.exit_code] if collection else []
    findings = list(collection.findings)[:MOST_LISTED] if collection else []
    wrong = len(failed) + len(findings) + len(broken)
    body = [
        *_timeline(results, here),
        *_failures(failed, results, here),
        *_results(exits, results, here),
        *_findings(findings, results, here),
        *_plots(broken),
    ]
    if not wrong and not exits:
        body.append('<p class="card">Nothing failed: every result was read, every plot drawn.</p>')
    badge = ("bad", f"✘ {wrong} wrong") if wrong else ("good", "✔ nothing wrong")
    facts = {
        "failures": len(failed),
        "results": len(collection.results) if collection else 0,
        "results that failed": len(exits),
        "findings": len(findings),
        "plots that raised": len(broken),
    }
    listed_as = f"{title}: {badge[1][2:]}"
    return page(title, body, badge=badge, facts=facts, listed_as=listed_as)


def _timeline(results: Path, here: Path) -> Iterator[str]:
    links = [(name, words) for name, words in _TOP if (results / name).exists()]
    if links:
        items = "".join(f'<a href="{_to(results / n, here)}">{words}</a>' for n, words in links)
        yield f'<nav aria-label="The run">{items}</nav>'


_TOP = (
    ("timeline.html", "Timeline"),
    ("FAILURES", "FAILURES"),
    ("junit.xml", "junit.xml"),
    ("config.yaml", "Configuration"),
    ("_run.log", "Log"),
)


def _failures(failed: Sequence[tuple[str, str]], results: Path, here: Path) -> Iterator[str]:
    if not failed:
        return
    yield '<section>\n<h2>What failed</h2>\n<ul class="plain">'
    for path, headline in failed:
        trace = _read(results / path)
        yield (
            f'<li class="card bad"><b>{escape(headline)}</b><br>'
            f'<a href="{_to(results / path, here)}"><code>{escape(path)}</code></a>'
            f"<details><summary>what it says</summary><pre>{escape(trace)}</pre></details></li>"
        )
    yield "</ul>\n</section>"


def _results(exits: Sequence[Result], results: Path, here: Path) -> Iterator[str]:
    if not exits:
        return
    yield "<section>\n<h2>Results whose test failed</h2>"
    yield table(
        ("Settings", "Exit code", "Directory"),
        [
            row(
                f"={each.exit_code}",
                f'<a href="{_to(each.directory, here)}/">'
                f"{escape(_relative(each.directory, results))}</a>",
                first=escape(each.key),
            )
            for each in exits[:MOST_LISTED]
        ],
        numbers=(1,),
    )
    yield "</section>"


def _findings(findings: Sequence[Finding], results: Path, here: Path) -> Iterator[str]:
    if not findings:
        return
    yield "<section>\n<h2>What could not be read as a result</h2>"
    yield table(
        ("Directory", "Why"),
        [
            row(
                escape(each.message),
                first=f'<a href="{_to(each.directory, here)}/">'
                f"{escape(_relative(each.directory, results))}</a>",
            )
            for each in findings
        ],
    )
    yield "</section>"


def _plots(broken: Sequence[Broken]) -> Iterator[str]:
    if not broken:
        return
    yield '<section>\n<h2>Plots that raised</h2>\n<ul class="plain">'
    for each in broken:
        yield (
            f'<li class="card bad"><b>{escape(each.plot)}</b> '
            f'<span class="soft">of {escape(each.page)}</span><br>{escape(each.headline)}'
            f"<details><summary>traceback</summary><pre>{escape(each.trace[-MOST_TEXT:])}</pre>"
            "</details></li>"
        )
    yield "</ul>\n</section>"


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(MOST_TEXT + 1)
    except OSError as error:
        return str(error)
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "\n…"


def _relative(path: Path, root: Path) -> str:
    return os.path.relpath(path, root)


def _to(path: Path, here: Path) -> str:
    return link(os.path.relpath(path, here))
