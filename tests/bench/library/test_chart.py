"""The chart is well-formed, escaped, and its lengths follow the durations."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.bench.library.chart import Bar, draw
from projects.bench.library.samples import summarize

POSITIVE = st.floats(min_value=1e-9, max_value=1e4)


def lengths(svg: str) -> list[float]:
    return [float(found) for found in re.findall(r'<rect [^>]*width="([\d.]+)"', svg)]


def test_longer_takes_more_room() -> None:
    bars = [Bar("a", summarize([0.001]), "ours"), Bar("b", summarize([1.0]), "peer")]
    short, long = lengths(draw("title", bars))
    assert 0 < short < long


def test_decades_are_as_far_apart_as_each_other() -> None:
    bars = [Bar(str(s), summarize([s]), "peer") for s in (0.01, 0.1, 1.0)]
    first, second, third = lengths(draw("title", bars))
    assert third - second == pytest.approx(second - first, abs=0.2)


def test_the_limit_is_drawn_when_there_is_one() -> None:
    bars = [Bar("a", summarize([0.02]), "ours")]
    assert 'class="limit"' in draw("t", bars, limit=0.06)
    assert "bar: 60.0 ms" in draw("t", bars, limit=0.06)
    assert 'class="limit"' not in draw("t", bars)


@given(
    st.lists(st.tuples(st.text(max_size=20), st.lists(POSITIVE, min_size=1)), min_size=1),
    st.none() | POSITIVE,
)
def test_any_names_and_durations_make_well_formed_svg(
    cases: list[tuple[str, list[float]]], limit: float | None
) -> None:
    # XML knows no control characters; those are not what this is about.
    clean = [("".join(c for c in name if c.isprintable()), samples) for name, samples in cases]
    bars = [Bar(name, summarize(samples), "peer") for name, samples in clean]
    root = ET.fromstring(draw('<&">', bars, limit=limit))  # noqa: S314 - our own text
    assert len(root.findall(".//rect")) == len(bars)


def test_a_difference_below_zero_has_no_length_and_does_no_harm() -> None:
    (length,) = lengths(draw("t", [Bar("a", summarize([-0.001]), "ours")]))
    assert length >= 0


def test_nothing_to_draw_is_an_error() -> None:
    with pytest.raises(ValueError, match="no bars"):
        draw("t", [])
