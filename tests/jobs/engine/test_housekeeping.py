"""What is forgotten and when (SAT-28, SAT-29), and a store that fails while jobs run."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.engine import recorder, retention
from projects.jobs.engine.listeners import Listeners, News
from projects.jobs.model import moment
from projects.jobs.model.entities import Job
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.errors import StoreLocked
from projects.jobs.store.values import Change


def never(_: float) -> bool:
    return False


def test_sat_28_directories_of_jobs_that_ended_long_ago_go_rows_stay(
    house: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    house.tool("messy", f"mkdir -p a/b; touch a/b/c; chmod 0 a/b; ln -s {outside} link")
    old, logs = house.run("messy"), house.data / "job_logs"
    assert house.settings.get("expire_days") is None
    assert house.engine.settings.expire_days == 10
    assert retention.expire(house.store, logs, 10, never) == 0
    assert retention.expire(house.store, logs, -1, never) == 1
    assert not house.logs(old).exists()
    assert (outside / "kept").exists()
    job = house.job(old.id)
    assert (job.state, job.outcome, job.return_code) == (State.ARCHIVED, Outcome.SUCCESS, 0)


def test_one_that_is_retried_while_others_expire_keeps_what_it_writes(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("quick", "echo $TOPGALLANT_ATTEMPT")
    first, second = house.run("quick"), house.run("quick")
    remove = retention.remove

    def slowly(logs: Path, job_id: str) -> bool:
        if job_id == first.id:
            house.engine.retry(second.id)
            house.until(lambda: house.job(second.id).outcome and house.job(second.id).attempt == 2)
        return remove(logs, job_id)

    monkeypatch.setattr(retention, "remove", slowly)
    assert retention.expire(house.store, house.data / "job_logs", 0, never) == 1
    assert house.job(first.id).state == State.ARCHIVED
    assert house.output(second) == f"{second.id}.2\n"


def test_sat_28_so_many_days_as_the_settings_say(house: Any) -> None:
    house.tool("quick", "true")
    house.start(expire_days=1, clear_logs_at_start=False)
    old = house.run("quick")
    house.stop()
    house.start(expire_days=0)
    until(lambda: house.job(old.id).state == State.ARCHIVED)
    assert not house.logs(old).exists()
    assert house.store.jobs().items[0].outcome == Outcome.SUCCESS


def test_a_link_in_the_place_of_a_directory_is_removed_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "kept").touch()
    (tmp_path / "logs").mkdir()
    os.symlink(tmp_path / "outside", tmp_path / "logs" / "id")
    assert retention.remove(tmp_path / "logs", "id")
    assert retention.remove(tmp_path / "logs", "id")  # gone already
    assert (tmp_path / "outside" / "kept").exists()


def until(condition: Any) -> None:
    import time

    end = time.monotonic() + 60
    while not condition():  # files of another thread: nobody tells
        assert time.monotonic() < end
        time.sleep(0.01)


def test_tidying_up_leaves_nine_tenths_of_the_time_to_jobs(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that goes on by one second with each directory, and by as much as is waited."""
    monkeypatch.setattr(retention, "BATCH", 2)
    house.tool("quick", "true")
    house.start(clear_logs_at_start=False, parallel_jobs=2)
    for id_ in house.submit(*["quick"] * 5).job_ids:
        house.done(id_)
    now, pauses = [0.0], []
    real = retention.remove

    def remove(*words: Any) -> bool:
        now[0] += 1
        return real(*words)

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        now[0] += seconds
        return len(pauses) == stop_after

    monkeypatch.setattr(retention, "remove", remove)
    stop_after, logs = 3, house.data / "job_logs"
    cleared = retention.clear_finished(house.store, logs, (), moment.now(), wait, lambda: now[0])
    assert cleared == 4
    assert pauses == [0, 18, 18]  # and not one more directory once it is to stop
    now[0], stop_after = 0, 99
    pauses.clear()
    assert retention.expire(house.store, logs, -1, wait, lambda: now[0]) == 5
    assert pauses == [0, 18, 18, 9]


def test_sat_29_start_clears_the_logs_of_finished_jobs_only(house: Any, gate: Any) -> None:
    house.tool("quick", "true")
    house.tool("wait", f"echo began; {gate.wait}")
    house.start(clear_logs_at_start=False)
    finished = house.run("quick")
    sent = house.submit("wait")
    running = house.running(sent.job_ids[0])
    foreign = house.data / "job_logs" / "notes"
    foreign.mkdir()
    house.stop()
    house.start()
    assert house.logs(finished).exists()  # the flag
    house.stop()
    house.start(clear_logs_at_start=True)
    until(lambda: not house.logs(finished).exists())
    gate.open()
    job = house.done(running.id)
    assert house.output(job) == "began\n"
    assert foreign.exists()
    assert house.job(finished.id).outcome == Outcome.SUCCESS


def test_sat_29_logs_of_a_job_that_ended_while_no_server_was_there_are_kept(
    house: Any, gate: Any
) -> None:
    house.tool("wait", f"{gate.wait}; echo late")
    running = house.running(house.submit("wait").job_ids[0])
    house.stop()
    gate.open()
    until(lambda: not os.path.exists(f"/proc/{running.pid}"))
    house.start(clear_logs_at_start=True)
    job = house.done(running.id)
    house.engine._keeper.join(0.2)
    assert house.output(job) == "late\n"


def test_jobs_go_on_while_the_store_takes_nothing(house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(recorder, "_FIRST_PAUSE", 0.01)
    house.tool("quick", "true")
    house.start(parallel_jobs=2)
    real, failing = house.store.record, threading.Event()

    def record(*args: Any, **more: Any) -> Any:
        if failing.is_set():
            raise StoreLocked("another process is writing")
        return real(*args, **more)

    monkeypatch.setattr(house.store, "record", record)
    failing.set()
    sent = house.submit(*["quick"] * 6)
    until(lambda: all((house.data / "job_logs" / id_).exists() for id_ in sent.job_ids))
    until(lambda: not house.engine.health().ready)
    assert house.job(sent.job_ids[0]).state == State.NEW
    said = house.engine.why_waiting(sent.job_ids[0])
    assert said == "It has begun, which isn't recorded yet."
    assert "another process is writing" in house.engine.health().problems[0]
    with pytest.raises(InfrastructureError, match="another process is writing"):
        house.engine._recorder.flush(timeout=0.05)
    failing.clear()
    assert {house.done(id_).outcome for id_ in sent.job_ids} == {Outcome.SUCCESS}
    until(lambda: house.engine.health().ready)


def test_a_store_that_does_not_answer_is_a_problem_before_it_fails(
    house: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(recorder, "PATIENCE", 0.05)
    house.tool("quick", "true")
    house.start()
    real, locked = house.store.record, threading.Event()

    def record(*args: Any, **more: Any) -> Any:
        assert locked.wait(30)
        return real(*args, **more)

    monkeypatch.setattr(house.store, "record", record)
    sent = house.submit("quick")
    try:
        until(lambda: not house.engine.health().ready)
        assert "hasn't taken what happened for" in house.engine.health().problems[0]
    finally:
        locked.set()
    assert house.done(sent.job_ids[0]).outcome == Outcome.SUCCESS
    assert house.engine.health().ready


def test_what_waits_is_read_again_when_the_store_could_not(house: Any, monkeypatch: Any) -> None:
    from projects.jobs.engine import loop

    monkeypatch.setattr(loop, "_AGAIN", 0.05)
    house.tool("quick", "true")
    house.start()
    real, failures = house.store.next_jobs, [3]

    def next_jobs(*args: Any, **more: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise StoreLocked("away")
        return real(*args, **more)

    monkeypatch.setattr(house.store, "next_jobs", next_jobs)
    assert house.run("quick").outcome == Outcome.SUCCESS
    assert house.engine.health().ready


def test_a_mistake_of_ours_with_one_job_ends_that_job_only(house: Any, monkeypatch: Any) -> None:
    house.tool("quick", "true")
    house.start()
    orders = house.engine._work._orders
    real = orders.make

    def make(job: Job) -> Any:
        if job.position == 1:
            raise KeyError("a bug")
        return real(job)

    monkeypatch.setattr(orders, "make", make)
    jobs = [house.done(id_) for id_ in house.submit("quick", "quick", "quick").job_ids]
    assert [job.outcome for job in jobs] == [Outcome.SUCCESS, Outcome.LOST, Outcome.SUCCESS]
    assert "a bug" in jobs[1].reason
    assert house.engine.running() == 0


def test_a_change_that_cannot_be_recorded_does_not_stop_the_others(monkeypatch: Any) -> None:
    monkeypatch.setattr(recorder, "_FIRST_PAUSE", 0.001)
    taken: list[int] = []

    class Store:
        def record(self, changes: Any, *, durable: bool = False) -> Any:
            if any(change.number == 2 for change in changes):
                raise ValueError("a bug")
            taken.extend(change.number for change in changes)
            return []

        def sync(self) -> None:
            pass

    made = recorder.Recorder(Store(), lambda _, __: None)  # type: ignore[arg-type]
    made.start()
    changes = [Change(number, 1, 1, State.RUNNING) for number in (1, 2, 3)]
    made.put([recorder.Note(change, None) for change in changes])  # type: ignore[arg-type]
    made.flush()
    assert taken == [1, 3]
    assert made.close()


def news(number: int) -> News:
    return News(moment.now(), number, "", 1, "", 1, State.RUNNING)


def test_a_listener_that_fails_is_no_other_listeners_business() -> None:
    listeners, done = Listeners(), threading.Event()
    heard: list[int] = []

    def fail(news: Any, missed: int) -> None:
        raise ValueError("not ours")

    def hear(news: Any, missed: int) -> None:
        heard.extend(each.number for each in news)
        done.set()

    leave = listeners.subscribe(fail)
    listeners.subscribe(hear)
    listeners.tell([news(1)])
    assert done.wait(60)
    done.clear()
    leave()
    listeners.tell([news(2)])
    assert done.wait(60)
    assert heard == [1, 2]


def test_sat_35_a_cancel_between_the_recorded_start_and_the_launch_is_not_lost(
    house: Any, monkeypatch: Any
) -> None:
    house.tool("careful", "true", on_restart="fail")
    house.start()
    real, held, go = house.store.record, threading.Event(), threading.Event()

    def record(changes: Any, **more: Any) -> Any:
        if any(change.state == State.STARTING for change in changes):
            held.set()
            go.wait(60)
        return real(changes, **more)

    monkeypatch.setattr(house.store, "record", record)
    (job_id,) = house.submit("careful").job_ids
    assert held.wait(60)
    canceller = threading.Thread(target=house.engine.cancel, args=(job_id, "too late?"))
    canceller.start()
    live = house.engine._work._live
    until(lambda: any(each.stop for each in list(live.values())))
    go.set()
    canceller.join(60)
    job = house.done(job_id)
    assert (job.outcome, job.reason) == (Outcome.CANCELLED, "too late?")
    assert not house.logs(job).exists()
    assert house.engine.running() == 0
