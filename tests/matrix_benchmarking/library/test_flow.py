from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from projects.core.errors import NoResults, SecretError, exit_status_of
from projects.matrix_benchmarking.history.registry import Plan, Wanted
from projects.matrix_benchmarking.library import flow
from projects.matrix_benchmarking.verdict.acknowledgement import Acknowledgement

if TYPE_CHECKING:
    from tests.matrix_benchmarking.library.conftest import Runs

HistoryOf = Callable[[int], None]


def test_a_first_run_has_pages_and_no_verdict(runs: Runs) -> None:
    run = runs.measure()
    outcome = runs.judge(run)
    assert {each.status for each in outcome.judged} == {"no history", "not judged"}
    left = {path.name for path in (run / "plots").iterdir()}
    assert {
        "error_report.html",
        "lts_payload.json",
        "lts_payload.schema.json",
        "plotly.min.js",
        "report_00_throughput.html",
        "report_01_latency.html",
        "verdict.html",
        "verdict.json",
        "verdict.junit.xml",
        "verdict.md",
        "verdict.txt",
    } <= left
    assert len(list((run / "plots").rglob("*.png"))) >= 3


def test_an_unchanged_run_is_ok(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    outcome = runs.judge(runs.measure(), selection=())
    assert {each.status for each in outcome.judged} == {"ok", "not judged"}


def test_a_slowed_run_is_a_regression_of_the_right_size(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    run = runs.measure(slowed_by=1.8)
    with pytest.raises(flow.Regression, match="6 regressions") as raised:
        runs.judge(run, selection=())
    assert exit_status_of(raised.value) == 1
    read = json.loads((run / "plots" / "verdict.json").read_text())
    for each in read["kpis"]:
        if each["name"].startswith("latency_p"):
            effect = each["judgement"]["change"]["effect"]
            assert effect == pytest.approx(0.8, abs=0.08)
    assert re.search(r"rose by (7[5-9]|8[0-5]) %", (run / "plots/verdict.txt").read_text())


def test_an_acknowledged_regression_passes(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    known = Acknowledgement(
        "*", datetime(2026, 11, 20, 10, 8, tzinfo=UTC), "a new disk", date(2026, 12, 24)
    )
    outcome = runs.judge(runs.measure(slowed_by=1.8), selection=(), acknowledgements=(known,))
    assert {each.status for each in outcome.judged} == {"acknowledged", "not judged"}


def test_another_machine_is_not_comparable(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    outcome = runs.judge(runs.measure(slowed_by=2, kernel="6.9"), selection=())
    assert {each.status for each in outcome.judged} == {"not comparable", "not judged"}


def test_keys_that_need_not_agree_can_be_left_out(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    outcome = runs.judge(runs.measure(kernel="6.9"), selection=(), fingerprint_keys=("processor",))
    assert {each.status for each in outcome.judged} == {"ok", "not judged"}


def test_a_required_history_that_is_missing_is_exit_status_3(runs: Runs) -> None:
    with pytest.raises(flow.Unjudged, match="history is required") as raised:
        runs.judge(runs.measure(), selection=(), require_history=True)
    assert exit_status_of(raised.value) == 3


def test_judging_again_gives_the_same_and_adds_nothing(runs: Runs, history_of: HistoryOf) -> None:
    history_of(6)
    run = runs.measure()
    first = runs.judge(run, selection=())
    text = (run / "plots" / "lts_payload.json").read_bytes()
    runs.judge(runs.measure(), selection=())
    again = runs.judge(run, selection=())
    assert [each.judgement for each in again.judged] == [each.judgement for each in first.judged]
    assert (run / "plots" / "lts_payload.json").read_bytes() == text


def test_a_failed_test_is_plotted_and_not_kept(runs: Runs) -> None:
    outcome = runs.judge(runs.measure(), selection=(), test_failed=True)
    assert outcome.notes == ["The test failed: its results are not added to the history."]
    second = runs.judge(runs.measure(), selection=())
    assert all(not each.earlier for each in second.judged)


def test_a_regression_is_kept_unless_told_otherwise(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    request = runs.request(runs.measure(slowed_by=2), selection=())
    plan = replace(request.plan, upload_lts_on_regression=False)
    outcome = flow.process(replace(request, plan=plan))
    assert "A regression: these results are not added to the history." in outcome.notes


def test_a_truncated_result_costs_only_itself(runs: Runs) -> None:
    run = runs.measure()
    cut = next(run.glob("000__*")) / "results.json"
    cut.write_text(cut.read_text()[:50])
    outcome = runs.judge(run, selection=())
    assert outcome.parsed
    assert len(outcome.parsed.payloads) == 1
    assert "1 directory has a problem, see error_report.html." in outcome.notes
    assert "results.json" in (run / "plots" / "error_report.html").read_text()


def test_a_plot_that_raises_is_exit_status_2_after_all_others(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.sqlite_bench.visualizations.sqlite import plots

    def explode(data: object) -> Any:
        raise LookupError("no such column")

    wrong = replace(plots.latency, function=explode)
    kept = [wrong if each is plots.latency else each for each in plots.PLOTS]
    monkeypatch.setattr(plots, "PLOTS", type(plots.PLOTS)(tuple(kept)))
    run = runs.measure()
    with pytest.raises(flow.Incomplete, match="plot Latency distribution raised Look") as raised:
        runs.judge(run)
    assert exit_status_of(raised.value) == 2
    assert "no such column" in (run / "plots" / "error_report.html").read_text()
    assert (run / "plots" / "report_00_throughput.html").is_file()


def test_a_nan_is_an_invalid_value_and_exit_status_2(runs: Runs) -> None:
    run = runs.measure()
    file = next(run.glob("000__*")) / "results.json"
    numbers = json.loads(file.read_text()) | {"rows_per_second": float("nan")}
    file.write_text(json.dumps(numbers))
    with pytest.raises(flow.Incomplete, match=r"throughput \(.*nan") as raised:
        runs.judge(run, selection=())
    assert exit_status_of(raised.value) == 2


def test_nothing_to_read_is_exit_status_3_and_has_an_error_report(runs: Runs) -> None:
    empty = runs.base / "empty"
    empty.mkdir()
    with pytest.raises(NoResults, match="no result below it can be read") as raised:
        runs.judge(empty)
    assert exit_status_of(raised.value) == 3
    assert (empty / "plots" / "error_report.html").is_file()


def no_secret(name: str) -> Any:
    raise SecretError(f"{name} is missing")


@pytest.mark.parametrize("matters", [True, False])
def test_a_history_that_cannot_be_opened_fails_the_test_only_if_told_so(
    runs: Runs, matters: bool
) -> None:
    options = {"instance": "smoke", "index": "i", "build_counter_index": ""}
    server = Wanted("opensearch", options, fail_test_on_fail=matters)
    plan = Plan(export=(server,), baseline=server, fail_test_on_regression=matters)
    request = runs.request(runs.measure(), selection=(), plan=plan, read_secret=no_secret)
    outcome = flow.process(request)
    assert any("opensearch.yaml is missing" in note for note in outcome.notes)
    if matters:
        with pytest.raises(flow.Incomplete, match=r"opensearch\.yaml is missing"):
            flow.conclude(request, outcome)
    else:
        flow.conclude(request, outcome)


def test_a_regression_is_told_before_what_is_incomplete(runs: Runs, history_of: HistoryOf) -> None:
    history_of(8)
    request = runs.request(runs.measure(slowed_by=2), selection=())
    outcome = flow.process(request)
    outcome.problems.append("the disk is full")
    with pytest.raises(flow.Regression) as raised:
        flow.conclude(request, outcome)
    assert raised.value.__notes__ == ["then also: the disk is full"]
