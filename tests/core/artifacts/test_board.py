"""What runs now, and how long it will."""

from __future__ import annotations

from projects.core.artifacts.board import Board, Row


def started(identity: str, parent: str | None, kind: str, name: str) -> dict[str, object]:
    return {"type": "started", "id": identity, "parent": parent, "kind": kind, "name": name}


def board() -> Board:
    found = Board()
    found.start(started("r", None, "run", "demo"), 0)
    found.start(started("c", "r", "command", "scale"), 1)
    found.start(started("s", "c", "step", "wait"), 2)
    return found


def row(found: Board, identity: str) -> Row:
    one = found.find(identity)
    assert one is not None
    return one


def test_rows_form_a_tree_with_paths_as_history_has_them() -> None:
    found = board()
    assert row(found, "s").path == "scale / wait"
    assert row(found, "r").path == ""
    assert row(found, "s").depth == 2
    assert list(found.top) == ["r"]
    assert list(row(found, "r").children) == ["c"]


def test_what_ended_is_gone_and_counted() -> None:
    found = board()
    found.end({"id": "s", "outcome": "failed"})
    found.end({"id": "c", "outcome": "passed"})
    found.end({"id": "never started", "outcome": "passed"})
    assert (found.passed, found.bad) == (1, 1)
    assert not row(found, "r").children


def test_what_is_left_follows_from_the_progress() -> None:
    found = board()
    found.progress({"id": "s", "done": 0, "total": 100, "unit": "rows"}, 10)
    assert row(found, "s").rate() is None
    found.progress({"id": "s", "done": 50, "total": 100, "unit": "rows"}, 15)
    assert row(found, "s").rate() == 10
    assert row(found, "s").left(15, {}) == 5
    assert row(found, "s").left(17, {}) == 3
    assert row(found, "s").left(99, {}) == 0


def test_what_is_left_follows_from_earlier_runs_otherwise() -> None:
    found = board()
    assert row(found, "s").left(5, {"scale / wait": 10}) == 7
    assert row(found, "s").left(50, {"scale / wait": 10}) is None
    assert row(found, "s").left(5, {}) is None
