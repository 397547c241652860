from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projects.core import errors
from projects.core.artifacts import journal
from projects.core.artifacts.spans import fold, read_events
from projects.core.processes import cancellation
from projects.core.processes.progress import progress, track

if TYPE_CHECKING:
    from pathlib import Path


def test_tracking_yields_everything_and_tells_how_far_it_is(root: Path) -> None:
    with journal.Journal(root / "events.jsonl"):
        assert list(track("abc", "letters", unit="letters")) == ["a", "b", "c"]
        assert list(track(iter("ab"), "unknown")) == ["a", "b"]
        with progress("by hand", 10) as state:
            state.advance()
            state.update(7)
            state.advance(2)
    known, unknown, by_hand = fold(read_events(root / "events.jsonl")).roots
    assert known.progress is not None
    assert (known.name, known.progress.done, known.progress.total) == ("letters", 3, 3)
    assert known.progress.unit == "letters"
    assert unknown.progress is not None
    assert (unknown.progress.done, unknown.progress.total) == (2, None)
    assert by_hand.progress is not None
    assert by_hand.progress.done == 9


def test_tracking_stops_between_elements_when_it_is_cancelled() -> None:
    seen: list[int] = []
    with cancellation.Scope("test") as scope, pytest.raises(errors.Cancelled):
        for number in track(range(10), "numbers"):
            seen.append(number)
            if number == 2:
                scope.cancel("enough")
    assert seen == [0, 1, 2]


def test_a_loop_that_is_left_early_did_not_fail(root: Path) -> None:
    with journal.Journal(root / "events.jsonl"):
        for _ in track(range(5), "loop"):
            break
    (loop,) = fold(read_events(root / "events.jsonl")).roots
    assert loop.outcome == "passed"
