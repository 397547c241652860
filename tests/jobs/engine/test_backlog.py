"""The window of what waits: read in chunks, in order, and nothing twice while the store lags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.engine import backlog as module
from projects.jobs.engine.backlog import Backlog
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.store import Store, open_store
from projects.jobs.store.values import Change, NewJob, NewSubmission


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/s.db")
    yield opened
    opened.close()


def submit(store: Store, jobs: int = 1, rank: int | None = None) -> Any:
    return store.submit(NewSubmission("ann", [NewJob("t")] * jobs, rank=rank))


def start_first(backlog: Backlog, live: dict[int, Any]) -> Any:
    line = backlog.turns()[0]
    ready = line.jobs[0]
    backlog.take(line, ready)
    live[ready.number] = line
    return line, ready


def drain(backlog: Backlog, live: dict[int, Any]) -> list[int]:
    """Start and end everything, one by one, without telling the store."""
    order = []
    while backlog.turns():
        line, ready = start_first(backlog, live)
        order.append(ready.number)
        backlog.ended(line)
    return order


def test_all_jobs_come_once_in_the_order_of_rank_and_position(
    store: Store, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "CHUNK", 7)
    monkeypatch.setattr(module, "LOW", 3)
    late, early = submit(store, 30, rank=2), submit(store, 20, rank=1)
    live: dict[int, Any] = {}
    order = drain(Backlog(store, 1, live), live)
    assert order == [*range(early.first, early.first + 20), *range(late.first, late.first + 30)]


def test_what_has_ended_without_the_store_knowing_is_not_read_again(
    store: Store, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "_HEAD", 1)
    numbers = [submit(store).first for _ in range(40)]
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    assert drain(backlog, live) == numbers
    more = submit(store)
    backlog.add(more.submission)
    assert drain(backlog, live) == [more.first]


def test_a_window_of_few_submissions_reads_the_others_later(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_HEAD", 2)
    monkeypatch.setattr(module, "MOST_LINES", 5)
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    backlog.turns()
    sent = [submit(store, rank=100 - n) for n in range(20)]
    for each in sent:
        backlog.add(each.submission)
    assert len(backlog._further) <= 5
    assert drain(backlog, live) == [each.first for each in reversed(sent)]


def test_a_job_that_is_put_back_takes_its_old_place(store: Store, monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    monkeypatch.setattr(module, "LOW", 2)
    sent = submit(store, 9)
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    line, first = start_first(backlog, live)
    start_first(backlog, live)
    backlog.put_back(first.job)
    backlog.ended(line)
    backlog.ended(line)
    assert backlog.turns()[0].jobs[0].job is first.job
    del live[first.number]
    ninth = store.job(sent.first + 8)
    assert ninth is not None
    backlog.put_back(ninth)  # beyond what has been read
    assert drain(backlog, live) == [first.number, *range(sent.first + 2, sent.first + 9)]


def test_what_is_looked_for_again_comes_once_and_in_its_place(
    store: Store, monkeypatch: Any
) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    monkeypatch.setattr(module, "LOW", 2)
    sent = submit(store, 9)
    ended = Change(sent.first, 1, 1, State.DONE, outcome=Outcome.FAILED)
    store.record([ended])
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    line, second = start_first(backlog, live)
    backlog.put_back(second.job)  # which the store doesn't know yet
    store.retry(sent.first, reason="once more", at=2)
    backlog.look_again(sent.submission)
    backlog.look_again(sent.submission)
    assert [ready.number for ready in backlog.turns()[0].jobs][:2] == [sent.first, second.number]
    backlog.ended(line)
    assert drain(backlog, live) == [*range(sent.first, sent.first + 9)]


def test_what_is_looked_for_again_is_found_after_its_submission_has_left(store: Store) -> None:
    sent = submit(store)
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    assert drain(backlog, live) == [sent.first]
    live.clear()
    backlog.look_again(sent.submission)
    assert drain(backlog, live) == [sent.first]


def test_what_is_withheld_is_neither_kept_nor_read(store: Store) -> None:
    sent = submit(store, 5)
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    backlog.turns()
    backlog.withdraw(sent.first + 1, sent.submission.number)
    backlog.withdraw(sent.first + 2, sent.submission.number)
    assert [ready.number - sent.first for ready in backlog.turns()[0].jobs] == [0, 3, 4]
    backlog.withdraw_submission(sent.submission.number)
    backlog.add(sent.submission)
    assert backlog.turns() == []
    store.cancel_waiting([sent.first + 1], reason="no", at=1)
    for number in (sent.first + 1, sent.first + 2):
        backlog.allow(number)
    backlog.allow_submission(sent.submission)
    assert drain(backlog, live) == [sent.first + n for n in (0, 2, 3, 4)]


def test_a_submission_with_running_jobs_is_adopted(store: Store) -> None:
    sent, other = submit(store, 3), submit(store)
    store.record([Change(sent.first, 1, 1, State.RUNNING)])
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    line = backlog.adopt(sent.submission)
    live[sent.first] = line
    assert [turn.number for turn in backlog.turns()] == [sent.submission.number, 2]
    done = Change(sent.first, 1, 2, State.DONE, outcome=Outcome.SUCCESS)
    store.record([done])
    del live[sent.first]
    backlog.ended(line)
    assert drain(backlog, live) == [sent.first + 1, sent.first + 2, other.first]


def test_what_begins_again_is_not_forgotten_by_a_cancel_that_failed(store: Store) -> None:
    sent = submit(store, 3)
    live: dict[int, Any] = {}
    backlog = Backlog(store, 1, live)
    line, first = start_first(backlog, live)
    store.record([Change(sent.first, 1, 1, State.RUNNING)])
    backlog.put_back(first.job)  # which the store doesn't know yet
    backlog.ended(line)
    backlog.withdraw_submission(sent.submission.number)
    assert backlog.turns() == []
    backlog.allow_submission(sent.submission)
    assert drain(backlog, live) == [sent.first, sent.first + 1, sent.first + 2]
