"""Parsing measured: everybody finds the same KPIs, and nobody finds a cache at first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from projects.bench.library import parse_speed
from projects.bench.library.generated_results import generate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    generate(tmp_path / "results", count=12, samples=7, seed=3)
    return tmp_path / "results"


def test_everybody_measured_finds_the_same(root: Path, tmp_path: Path) -> None:
    probes = parse_speed.probes(root, tmp_path, os.environ, serial=True)
    cases = [case for probe in probes for case in probe.measure()]
    assert cases == [
        parse_speed.case(contestant, state)
        for contestant in (parse_speed.OURS, parse_speed.SERIAL, parse_speed.LINEAR)
        for state in ("cold", "warm")
    ]
    assert (tmp_path / "expected").read_text().startswith("12 ")
    assert not list(root.rglob("*cache*"))


def test_a_wrong_answer_ends_it(root: Path, tmp_path: Path) -> None:
    (tmp_path / "expected").write_text("11 1.0 2.0 3.0\n")
    (probe,) = parse_speed.probes(root, tmp_path, os.environ, serial=False)
    with pytest.raises(parse_speed.WrongAnswer, match=r"topgallant says 12 .*, the first one 11 "):
        probe.measure()


def test_the_same_seed_makes_the_same_results(root: Path, tmp_path: Path) -> None:
    generate(tmp_path / "again", count=12, samples=7, seed=3)
    files = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    assert len(files) == 12 * 4 + 1
    for file in files:
        assert (root / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
