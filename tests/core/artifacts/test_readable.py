"""Durations, shares and counts."""

from __future__ import annotations

import pytest

from projects.core.artifacts import readable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"),
        (4e-6, "4 µs"),
        (0.00099949, "999 µs"),
        (0.0009996, "1 ms"),
        (0.085, "85 ms"),
        (0.0996, "0.1 s"),
        (1.24, "1.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (133, "2 min 13 s"),
        (3599.6, "1 h 00 min"),
        (3840, "1 h 04 min"),
        (360000, "100 h 00 min"),
    ],
)
def test_a_duration_has_the_digits_that_matter(seconds: float, text: str) -> None:
    assert readable.duration(seconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 10, "0.0 %"), (1, 1e6, "< 0.1 %"), (1, 80, "1.2 %"), (1, 3, "33 %"), (1, 0, "0.0 %")],
)
def test_a_share_is_in_percent(part: float, whole: float, text: str) -> None:
    assert readable.share(part, whole) == text


def test_counts_know_their_plural() -> None:
    assert readable.count(1, "process") == "1 process"
    assert readable.count(2, "process") == "2 processes"
    assert readable.count(0, "step") == "0 steps"
