from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from projects.matrix_benchmarking.reports.history_figure import history_figure
from projects.matrix_benchmarking.reports.judged import Judged, gravest_first, headline, outcome
from projects.matrix_benchmarking.reports.kpi_table import kpi_table, percent
from projects.matrix_benchmarking.reports.sparkline import sparkline
from projects.matrix_benchmarking.reports.verdicts import document, junit, markdown, page, text

Make = Callable[..., Judged]
HOSTILE = {"mode": "<b>|[x](http://x) @all"}


@pytest.fixture
def run(make_judged: Make, steady: list[float]) -> list[Judged]:
    """Return a run in which nothing is as it was."""
    return [
        make_judged(100.2, steady),
        make_judged(60.0, steady, name="rate"),
        make_judged(150.0, steady, name="speed"),
        make_judged(5.0, name="first"),
        make_judged(None, steady, name="broken"),
    ]


def test_the_headline_counts_the_gravest_first(run: list[Judged]) -> None:
    assert headline(run) == "1 regression, 1 invalid, 1 improvement, 1 ok, 1 no history"
    assert outcome(run) == ("bad", "▼ slower or worse")
    assert [each.kpi.name for each in gravest_first(run)][:2] == ["rate", "broken"]


def test_a_value_that_is_only_shown_is_not_counted(make_judged: Make, make_value: Any) -> None:
    shown = Judged(make_value(1.0, ignored_for_regression=True))
    assert headline([make_judged(1.0), shown]) == "1 no history"
    assert shown.sentence == "shown only"


def test_the_terminal_tells_what_changed_and_how_to_accept_it(run: list[Judged]) -> None:
    told = text.verdict_text(run, ["a note"])
    assert "▼ regression: rate (mode=wal rows=100): 60 rows/s\n      fell by 40 %" in told
    assert "✘ invalid: broken" in told
    assert "value is nan" in told
    assert "note: a note" in told
    assert "matrix_benchmarking ack" in told
    assert "throughput" not in told


def test_an_unchanged_run_is_one_line(make_judged: Make, steady: list[float]) -> None:
    assert text.verdict_text([make_judged(100.1, steady)]) == "Verdict: 1 ok\n"


def test_the_document_has_every_value_and_is_json(run: list[Judged]) -> None:
    read = json.loads(document.verdict_json(run))
    assert read["outcome"] == "regression"
    assert read["counts"]["regression"] == 1
    rate = next(each for each in read["kpis"] if each["name"] == "rate")
    assert rate["judgement"]["change"]["effect"] == pytest.approx(-0.4, abs=0.01)
    assert (rate["before"], rate["runs_before"]) == (100.0, 10)


def test_a_run_without_history_is_not_judged(make_judged: Make) -> None:
    assert document.verdict_document([make_judged(1.0)])["outcome"] == "not judged"


def test_junit_has_a_case_for_each_value(run: list[Judged]) -> None:
    suite = ET.fromstring(junit.verdict_junit(run))  # noqa: S314 - we wrote it
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    (failure,) = suite.findall(".//failure")
    assert "fell by 40 %" in (failure.get("message") or "")


def test_markdown_shows_what_changed_and_folds_the_rest(run: list[Judged]) -> None:
    told = markdown.verdict_markdown(run)
    assert told.startswith("### ▼ slower or worse: 1 regression")
    assert "- ▼ **rate**" in told
    assert told.index("- ▼ **rate**") < told.index("<details>") < told.index("throughput")


def test_words_of_others_are_no_markdown(make_judged: Make, steady: list[float]) -> None:
    told = markdown.verdict_markdown([make_judged(1.0, steady, labels=HOSTILE)])
    for mark in ("<b>", "](", "@all", "|["):
        assert mark not in told


def test_words_of_others_are_no_html_and_no_xml(make_judged: Make, steady: list[float]) -> None:
    run = [make_judged(1.0, steady, labels=HOSTILE), make_judged(2.0, steady, labels={"mode": "x"})]
    assert "<b>|" not in page.verdict_page(run, notes=["<b>|"])
    ET.fromstring(junit.verdict_junit(run))  # noqa: S314 - we wrote it


def test_the_page_shows_the_history_of_what_changed(run: list[Judged]) -> None:
    told = page.verdict_page(run)
    assert told.count("<figure") == 3  # of the regression, the improvement, the invalid one
    assert told.count('class="spark"') == 4


def test_a_page_without_changes_needs_no_library(make_judged: Make, steady: list[float]) -> None:
    assert "plotly" not in page.verdict_page([make_judged(100.0, steady)])


def test_an_empty_run_has_a_page_too() -> None:
    assert "There are no KPIs." in page.verdict_page([])
    assert headline([]) == "no KPIs"


def test_the_table_has_a_column_for_each_label_that_varies(make_judged: Make) -> None:
    run = [make_judged(1.0, labels={"mode": m, "rows": "1"}) for m in ("wal", "delete")]
    told = kpi_table(run)
    assert '<th scope="col">mode</th>' in told
    assert '<th scope="col">rows</th>' not in told


def test_the_figure_has_the_levels_before_and_after(make_judged: Make, steady: list[float]) -> None:
    figure = history_figure(make_judged(60.0, steady))
    before, after = figure["layout"]["shapes"]
    assert before["y0"] == pytest.approx(100.0, rel=0.01)
    assert after["y0"] == pytest.approx(60.0)
    assert (before["x1"], after["x0"]) == (10.4, 10.6)


def test_a_sparkline_says_in_words_what_it_shows() -> None:
    assert "3 values from 1 to 3, the last is 2" in sparkline([1.0, 3.0, 2.0])
    assert "no values" in sparkline([float("nan")])
    assert "NaN" not in sparkline([1.0, float("nan"), 2.0])


def test_changes_are_rounded_to_what_tells() -> None:
    assert [percent(share) for share in (0.032, -0.12, 0.0)] == [
        "+3.2 %",
        "\N{MINUS SIGN}12 %",
        "+0.0 %",
    ]
