"""Detectors measured side by side."""

from __future__ import annotations

from projects.bench.library.change_points import OURS, PEERS, case, measure, table
from projects.bench.library.report import as_markdown, as_page
from projects.bench.library.result import Result


def test_everybody_sees_every_family_and_is_reported() -> None:
    settings = {"bench": "change_points", "length": 80, "effect": 0.2}
    result = Result("change_points", settings)
    measure(result, rounds=2, series=4, length=80, effect=0.2)
    assert set(result.seconds) == {case(d) for d in (OURS, *PEERS)}
    assert all(len(samples) == 2 for samples in result.seconds.values())
    assert set(result.versions) == {"numpy", *PEERS.values()}
    assert len(table(result)) == 6 * 3
    text = as_markdown([result], {"change_points": "500 us"})
    assert "80 points, steps of 20%" in text
    assert "| gaussian | topgallant | 1.000 |" in text
    assert "<td>gaussian</td>" in as_page([result], {})
