"""The store fails for a while and comes back, the engine is held up: no job is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.errors import StoreAway


def failing(monkeypatch: pytest.MonkeyPatch, store: Any, name: str, *errors: Exception) -> None:
    """Let the next calls of a method of the store raise these, one after the other."""
    left, call = list(errors), getattr(store, name)

    def fail(*args: Any, **more: Any) -> Any:
        if left:
            raise left.pop(0)
        return call(*args, **more)

    monkeypatch.setattr(store, name, fail)


AWAY = StoreAway("the store is away")


def test_a_start_counts_that_was_recorded_though_the_connection_was_lost_before_the_answer(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("once", "exit 5", on_restart="fail")
    store, record = house.store, house.store.record
    lost = iter([True])

    def torn(changes: Any, **more: Any) -> Any:
        refused = record(changes, **more)
        if next(lost, False):
            raise AWAY
        return refused

    monkeypatch.setattr(store, "record", torn)
    job = house.run("once")
    assert (job.return_code, job.attempt) == (5, 1)


def test_what_cannot_be_recorded_together_is_not_dropped_when_the_store_goes_away(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("quick", "exit 5")
    store = house.store
    failing(monkeypatch, store, "record", *[ValueError("our mistake")] * 3, AWAY, AWAY)
    assert house.run("quick").return_code == 5


def test_an_end_that_cannot_be_recorded_is_told_to_the_next_server(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("quick", "exit 5")
    store, record = house.store, house.store.record
    tried = threading.Event()

    def refuse(changes: Any, **more: Any) -> Any:
        if any(change.state == State.DONE for change in changes):
            tried.set()
            raise ValueError("our mistake")
        return record(changes, **more)

    monkeypatch.setattr(store, "record", refuse)
    (id_,) = house.submit("quick").job_ids
    assert tried.wait(60)
    while house.engine._recorder.waiting:
        assert house.job(id_).outcome is None
    house.engine._loop.ask(lambda: None)  # what follows from it is done
    house.stop()
    monkeypatch.undo()
    house.start()
    job = house.done(id_)
    assert (job.return_code, job.attempt) == (5, 1)


def test_a_cancel_that_the_store_does_not_take_leaves_the_job_where_it_was(
    house: Any, gate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("wait", gate.wait)
    first, second = house.submit("wait", "wait", parallel=1).job_ids
    house.running(first)
    failing(monkeypatch, house.store, "cancel_waiting", AWAY)
    with monkeypatch.context() as away:
        reading: Callable[..., Any] = house.store.job

        def of_engine(number: Any) -> Any:
            if threading.current_thread().name == "engine":
                raise AWAY
            return reading(number)

        away.setattr(house.store, "job", of_engine)
        with pytest.raises(StoreAway):
            house.engine.cancel(second)
        house.engine._loop.ask(lambda: None)
    gate.open()
    assert house.done(second).outcome is Outcome.SUCCESS


def test_a_retried_job_runs_though_the_store_cannot_be_read_just_then(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("again", "exit 0")
    job = house.run("again")
    store = house.store
    reading = store.submission

    def of_engine(number: Any) -> Any:
        if threading.current_thread().name == "engine":
            raise AWAY
        return reading(number)

    monkeypatch.setattr(store, "submission", of_engine)
    house.engine.retry(job.id)
    assert house.done(job.id).attempt == 2


def test_what_was_given_up_waiting_for_does_not_happen_later(house: Any) -> None:
    held, happened = threading.Event(), []
    house.engine._loop.post(lambda: held.wait(60) and None)
    with pytest.raises(InfrastructureError, match="doesn't answer"):
        house.engine._loop.ask(lambda: happened.append(1), timeout=0.0)
    held.set()
    house.engine._loop.ask(lambda: None)
    assert happened == []
