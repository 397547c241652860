"""Bars as they are written in the configuration."""

from __future__ import annotations

import pytest

from projects.bench.library.bars import Bar, parse_bars
from projects.core.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "seconds"), [("3 ms", 3e-3), ("1 us", 1e-6), ("20µs", 2e-5), (" 1.5 s ", 1.5)]
)
def test_bars_are_durations(text: str, seconds: float) -> None:
    (bar,) = parse_bars(text)
    assert bar.value == pytest.approx(seconds)
    assert not bar.rival


def test_or_ratios_or_several() -> None:
    assert parse_bars("5 x aws s3,0.8x best, 2 s") == [
        Bar(5.0, "aws s3"),
        Bar(0.8, "best"),
        Bar(2.0),
    ]


@pytest.mark.parametrize(
    "text", ["3", "ms", "3 m", "-3 ms", "3 ms more", "", "5 x", "x aws", "0 x aws", "3 ms,"]
)
def test_a_bar_that_is_neither_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no duration"):
        parse_bars(text)


def test_they_are_shown_with_what_they_compare() -> None:
    assert [str(bar) for bar in parse_bars("3 ms, 5 x aws")] == ["≤ 3.00 ms", "≥ 5.00 x aws"]
