from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from projects.core.errors import UsageError
from projects.matrix_benchmarking.kpis import payload as payloads
from projects.matrix_benchmarking.kpis.kpi import KpiValue
from projects.matrix_benchmarking.kpis.payload import Payload
from projects.matrix_benchmarking.reports.comparison import Comparison, compare
from projects.matrix_benchmarking.reports.comparison_page import (
    comparison_data,
    comparison_page,
    comparison_text,
)
from projects.matrix_benchmarking.reports.runs import read_run

MakeRun = Callable[..., Path]


def event(what: str, identity: str, **fields: object) -> str:
    at = "2026-11-20T13:00:00.000000Z"
    return json.dumps({"at": at, "type": what, "id": identity, **fields}) + "\n"


@pytest.fixture
def make_run(
    tmp_path: Path,
    make_payload: Callable[..., Payload],
    make_value: Callable[..., KpiValue],
) -> MakeRun:
    def make(name: str, value: float, *, seconds: float, users: int, spread: float = 1) -> Path:
        run = tmp_path / name
        (run / "_meta").mkdir(parents=True)
        (run / "config.yaml").write_text(f"tests: {{users: {users}, rows: [1, 2]}}\n")
        (run / "_meta" / "metadata.yaml").write_text("host: <b>here\nversions: {python: '3.11'}\n")
        (run / "fingerprint.yaml").write_text("processor: EPYC\n")
        kpi = make_value(value, samples=[value - spread, value, value + spread])
        payloads.write([make_payload({"mode": "wal"}, kpi)], run)
        (run / "events.jsonl").write_text(
            event("started", "00000001", kind="command", name="db load", dir="003__db__load_big")
            + event("ended", "00000001", seconds=seconds, outcome="passed")
        )
        return run

    return make


@pytest.fixture
def both(make_run: MakeRun) -> Comparison:
    one, other = (
        make_run("a", 100.0, seconds=1.0, users=4),
        make_run("b", 80.0, seconds=2.0, users=8),
    )
    return compare(read_run(one), read_run(other))


def test_only_what_differs_of_the_configuration_is_there(both: Comparison) -> None:
    assert [(each.key, each.a, each.b) for each in both.configuration] == [("tests.users", 4, 8)]
    assert both.environment == ()


def test_kpis_are_compared_in_their_direction(both: Comparison) -> None:
    (pair,) = both.kpis
    assert pair.change == pytest.approx(-0.2)
    assert pair.better is False
    assert pair.clear is True


def test_samples_that_overlap_are_said_to(make_run: MakeRun) -> None:
    one, other = (
        make_run("c", 100.0, seconds=1, users=1),
        make_run("d", 100.5, seconds=1, users=1),
    )
    (pair,) = compare(read_run(one), read_run(other)).kpis
    assert pair.clear is False


def test_a_change_that_nobody_would_act_on_is_none(make_run: MakeRun) -> None:
    one, other = (
        make_run("e", 100.0, seconds=1, users=1, spread=0.001),
        make_run("f", 100.5, seconds=1, users=1, spread=0.001),
    )
    (pair,) = compare(read_run(one), read_run(other)).kpis
    assert pair.clear is False


def test_a_change_of_single_values_may_be_noise_and_is_not_coloured(both: Comparison) -> None:
    (pair,) = both.kpis
    assert '<span class="mark bad">▼ ' in comparison_page(both)
    assert pair.a
    single = replace(pair, a=pair.a.model_copy(update={"samples": []}))
    assert '<span class="mark bad">' not in comparison_page(replace(both, kpis=(single,)))


def test_durations_are_by_the_name_of_the_directory(both: Comparison) -> None:
    (duration,) = both.durations
    assert (duration.name, duration.a, duration.b) == ("db load_big", 1.0, 2.0)
    assert duration.change == pytest.approx(1.0)


def test_a_run_that_lacks_everything_is_compared_and_says_so(
    both: Comparison, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    found = compare(both.a, read_run(empty))
    told = comparison_text(found)
    assert "config.yaml is missing" in told
    assert "no lts_payload.json below it" in told
    assert found.kpis[0].change is None
    assert "(not there)" in comparison_page(found)


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no directory"):
        read_run(tmp_path / "nowhere")


def test_a_cut_configuration_is_a_problem_and_not_the_end(make_run: MakeRun) -> None:
    run = make_run("cut", 1.0, seconds=1, users=1)
    (run / "config.yaml").write_text("tests: {users: [1,")
    (problem,) = read_run(run).problems
    assert "config.yaml:2:1" in problem


def test_text_page_and_data_tell_the_same(both: Comparison) -> None:
    data = json.loads(json.dumps(comparison_data(both)))
    assert data["configuration"] == {"tests.users": [4, 8]}
    assert data["kpis"][0]["change"] == pytest.approx(-0.2)
    assert "tests.users: 4 → 8" in comparison_text(both)
    assert "tests.users" in comparison_page(both)
    assert "<b>here" not in comparison_page(both)
