"""What is judged, by which bar, beside whom."""

from __future__ import annotations

import pytest

from projects.bench.library.result import Result
from projects.bench.library.verdicts import ROWS, judge, parse_duration
from projects.core.errors import ConfigurationError


def startup(python: list[float], version: list[float], **rivals: list[float]) -> Result:
    seconds = {"python -c pass": python, "run_toolbox.py --version": version}
    return Result("startup", {}, seconds | {f"{n} --version": s for n, s in rivals.items()})


@pytest.mark.parametrize(
    ("text", "seconds"), [("3 ms", 3e-3), ("1 us", 1e-6), ("20µs", 2e-5), (" 1.5 s ", 1.5)]
)
def test_bars_are_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["3", "ms", "3 m", "-3 ms", "3 ms more", ""])
def test_a_bar_that_is_no_duration_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no duration"):
        parse_duration(text)


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
        assert {row.kind_of(rival) for rival in row.rivals} == {"peer"}


def test_an_unknown_bar_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match='unknown bar "vers"; did you mean "version"'):
        judge([], {"vers": "60 ms"})
