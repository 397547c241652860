"""A small recorded run for the tests of everything that is drawn from a journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from projects.core.artifacts import spans

BEGAN = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


class Recording:
    """Events as a journal would hold them, at moments in seconds after the beginning."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def started(self, at: float, identity: str, kind: str, name: str, **more: Any) -> None:
        event = {"parent": None, "kind": kind, "name": name, **more}
        self.events.append({"at": moment(at), "type": "started", "id": identity, **event})

    def ended(self, at: float, identity: str, seconds: float, **more: Any) -> None:
        event = {"outcome": "passed", "seconds": seconds, "overhead": 0.001, **more}
        self.events.append({"at": moment(at), "type": "ended", "id": identity, **event})

    def add(self, at: float, kind: str, identity: str, **more: Any) -> None:
        self.events.append({"at": moment(at), "type": kind, "id": identity, **more})

    def run(self, *, alive: bool = False) -> spans.Run:
        return spans.fold(self.events, alive=alive)


def moment(at: float) -> str:
    text = (BEGAN + timedelta(seconds=at)).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")


def failing_run() -> Recording:
    """prepare passes; of two parallel tasks one fails and the other is cancelled; export passes."""
    told = Recording()
    facts = {"project": "demo", "verb": "test_ci", "presets": ["quick"], "host": "lab-1"}
    told.started(0, "r", "run", "demo test_ci", dir=".", version="0.1.0", **facts)
    told.started(1, "e", "entrypoint", "test_ci", parent="r", dir="000__test_ci")
    told.started(
        2,
        "c",
        "command",
        "cluster scale",
        parent="e",
        dir="000__test_ci/000__cluster__scale",
        parameters={"replicas": 3, "names": ["a", "b"]},
    )
    told.add(3, "progress", "c", done=2, total=3, unit="nodes")
    told.add(3.5, "note", "c", level="warning", message="attempt 1 of 3 failed", data={})
    told.ended(12, "c", 10, attempt=2, attempts=3)
    told.started(12, "t", "task", 'point <wal> & "off"', parent="e", dir="000__test_ci/001__p")
    told.started(12, "u", "task", "point delete", parent="e", dir="000__test_ci/002__q")
    told.started(13, "s", "step", "measure", parent="t")
    told.ended(20, "s", 7, outcome="failed", error="TestFailed: p99 is\x00 <12 ms>")
    told.ended(20, "t", 8, outcome="failed", error="TestFailed: p99 is <12 ms>")
    told.ended(21, "u", 9, outcome="cancelled", error="Cancelled: a sibling failed")
    told.ended(22, "e", 21, outcome="failed", error="ParallelFailed: points")
    told.started(22, "x", "export", "to a folder", parent="r", dir="001__export")
    told.ended(24, "x", 2)
    told.started(24, "k", "step", "plots", parent="r")
    told.ended(24, "k", 0, outcome="skipped")
    told.ended(25, "r", 25, outcome="failed", error="ParallelFailed: points")
    return told
