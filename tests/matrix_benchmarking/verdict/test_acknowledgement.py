"""The file of accepted changes: what it holds, and what is said about mistakes in it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError, InfrastructureError
from projects.matrix_benchmarking.verdict.acknowledgement import (
    Acknowledgement,
    acknowledgements_of,
    as_yaml,
    read_acknowledgements,
)

GOOD = """\
- kpi: throughput
  labels: {mode: wal, rows: 100}
  since: 2026-11-18
  reason: fsync is done now
  expires: 2027-02-01
- kpi: latency_*
  since: 2026-11-18T12:00:00+02:00
  reason: "the same"
  expires: "2027-02-01"
"""


def read(text: str) -> list[Acknowledgement]:
    return acknowledgements_of(Document.loads(text, "acks.yaml"))


def test_a_good_file_is_read() -> None:
    one, two = read(GOOD)
    assert one.since == datetime(2026, 11, 18, tzinfo=UTC)
    assert one.expires == date(2027, 2, 1)
    assert one.covers("throughput", {"mode": "wal", "rows": "100", "disk": "nvme"})
    assert not one.covers("throughput", {"mode": "wal"})
    assert not one.covers("latency_p99", {"mode": "wal", "rows": "100"})
    assert two.since == datetime(2026, 11, 18, 12, tzinfo=timezone(timedelta(hours=2)))
    assert two.covers("latency_p99", {})
    assert not one.expired(date(2027, 2, 1))
    assert one.expired(date(2027, 2, 2))


def test_what_is_written_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "acks.yaml"
    path.write_text(as_yaml(read(GOOD)), encoding="utf-8")
    assert read_acknowledgements(path) == read(GOOD)


def test_an_empty_file_has_none() -> None:
    assert read("") == []


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: 1\n", "acks.yaml:1:1", "list"),
        ("- throughput\n", "acks.yaml:1:3", "not a text"),
        (GOOD.replace("reason: fsync", "raeson: fsync"), "acks.yaml:4:3", '"reason"'),
        (GOOD.replace("  reason: fsync is done now\n", ""), "acks.yaml:1:3", "lacks reason"),
        (GOOD.replace("2026-11-18\n", "yesterday\n"), "acks.yaml:3:10", "'yesterday'"),
        (GOOD.replace("kpi: throughput", "kpi: [a]"), "acks.yaml:1:8", "text"),
        (GOOD.replace("{mode: wal, rows: 100}", "[wal]"), "acks.yaml:2:11", "mapping"),
        (GOOD.replace("{mode: wal, rows: 100}", "{a: {b: 1}}"), "acks.yaml:2:11", "single"),
    ],
)
def test_a_mistake_is_shown_with_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read(text)
    assert str(raised.value).startswith(place)
    assert said in str(raised.value)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="acks"):
        read_acknowledgements(tmp_path / "acks.yaml")
