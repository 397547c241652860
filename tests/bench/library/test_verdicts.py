"""What is judged, by which bar, beside whom."""

from __future__ import annotations

import pytest

from projects.bench.library.result import Result
from projects.bench.library.verdicts import ROWS, judge, read_bars
from projects.core.errors import ConfigurationError


def startup(python: list[float], version: list[float], **rivals: list[float]) -> Result:
    seconds = {"python -c pass": python, "run_toolbox.py --version": version}
    return Result("startup", {}, seconds | {f"{n} --version": s for n, s in rivals.items()})


def export(**contestants: list[float]) -> Result:
    seconds = {f"{name}, small files": samples for name, samples in contestants.items()}
    return Result("export", {"files": 9, "megabytes": 1}, seconds)


def test_a_ratio_is_taken_round_by_round_with_the_rival_that_the_bar_names() -> None:
    aws = "aws s3 cp --recursive"
    result = export(topgallant=[1.0, 2.0, 1.0], obstore=[0.9, 1.8, 0.9], **{aws: [5.0, 10.0, 6.0]})
    verdicts = judge([result], {"export_small": "5 x aws, 0.95 x best"})
    assert [v.reached for v in verdicts] == [True, False]
    assert [v.against.median for v in verdicts if v.against] == pytest.approx([5.0, 0.9])
    assert [v.limit for v in verdicts] == pytest.approx([1.0, 0.947], abs=1e-3)


def test_a_ratio_with_a_rival_that_was_not_measured_is_neither_reached_nor_missed() -> None:
    (verdict,) = judge([export(topgallant=[1.0])], {"export_small": "5 x aws"})
    assert verdict.reached is None
    assert verdict.limit is None


def test_a_rival_that_a_row_does_not_have_is_an_error_with_what_is_possible() -> None:
    with pytest.raises(ConfigurationError, match='unknown rival of export_small "asw"'):
        read_bars({"export_small": "5 x asw"})


def test_the_base_is_subtracted_round_by_round() -> None:
    (verdict,) = judge([startup([0.02, 1.02, 0.02], [0.07, 1.07, 0.07])], {"version": "60 ms"})
    assert verdict.measured.median == pytest.approx(0.05)
    assert verdict.measured.upper_quartile == pytest.approx(0.05)
    assert verdict.reached


def test_a_bar_that_is_missed_is_said() -> None:
    (verdict,) = judge([startup([0.02], [0.09])], {"version": "60 ms"})
    assert not verdict.reached


def test_the_best_rival_counts_not_the_average() -> None:
    result = startup([0.02], [0.1], tmt=[1.0], reframe=[0.3], ansible=[0.4])
    (verdict,) = judge([result], {"version": "60 ms"})
    assert verdict.best_rival == "reframe --version"
    assert verdict.ahead
    assert verdict.ahead.median == pytest.approx(3.0)


def test_without_peers_there_is_nobody_to_be_ahead_of() -> None:
    (verdict,) = judge([startup([0.02], [0.1])], {"version": "60 ms"})
    assert verdict.best_rival is None
    assert verdict.ahead is None


def test_peers_that_run_a_process_are_compared_with_our_command_that_does() -> None:
    seconds = {
        "function": [1e-7],
        "toolbox command": [1e-3],
        "toolbox command running true": [4e-3],
        "ansible role, 1 task": [0.8],
    }
    (verdict,) = judge([Result("command_overhead", {}, seconds)], {"command": "3 ms"})
    assert verdict.reached
    assert verdict.ahead
    assert verdict.ahead.median == pytest.approx(200)


def test_each_point_is_judged() -> None:
    points = [
        Result("configuration", {"applied": applied}, {"topgallant: load": [applied / 1000]})
        for applied in (6, 60)
    ]
    verdicts = judge(points, {"load": "15 ms"})
    assert [(v.point, v.reached) for v in verdicts] == [
        ("6 presets applied", True),
        ("60 presets applied", False),
    ]


def test_rows_without_a_bar_are_not_judged() -> None:
    assert judge([startup([0.02], [0.1])], {}) == []


def test_row_keys_are_unique_and_no_rival_is_shown_twice() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert len(set(row.cases)) == len(row.cases)
        assert row.kind_of(row.subject) == "ours"
        assert {row.kind_of(rival) for rival in row.rivals} <= {"peer"}


def test_an_unknown_bar_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match='unknown bar "vers"; did you mean "version"'):
        judge([], {"vers": "60 ms"})
