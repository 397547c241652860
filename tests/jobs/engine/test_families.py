"""Jobs that are sent from inside jobs: they run beside them, and end with them."""

from __future__ import annotations

from typing import Any

import pytest

from projects.jobs.engine import families
from projects.jobs.engine.engine import Submitted
from projects.jobs.engine.refusals import Conflict, InvalidRequest
from projects.jobs.model.entities import Job
from projects.jobs.model.states import Outcome, State
from tests.jobs.engine.conftest import Gate, House


@pytest.fixture
def house(house: House, gate: Gate) -> House:
    house.tool("wait", gate.wait)
    house.tool("holds", gate.wait, resources=["gpu"])
    house.tool("needs", "true", resources=["disk"])
    house.tool("quick", "echo done")
    house.start(parallel_submissions=1, parallel_jobs=1, capacity=1)
    return house


def send(house: House, parent: Job, *names: str, **more: Any) -> Submitted:
    request = {"job_specs": [{"name": name} for name in names], **more}
    return house.engine.submit(request, "ann", parent)


def first(house: House, *names: str) -> Job:
    return house.running(house.submit(*names).job_ids[0])


def test_it_runs_beside_the_job_that_sent_it_though_all_places_are_taken(
    house: House, gate: Gate
) -> None:
    parent = first(house, "wait", "quick")
    other = house.submit("quick").job_ids[0]
    sent = send(house, parent, "quick", "quick", priority=7)
    assert [house.done(id_).outcome for id_ in sent.job_ids] == [Outcome.SUCCESS] * 2
    assert house.job(parent.number).state == State.RUNNING
    assert house.job(other).state == State.NEW
    assert (sent.submission.parent, sent.submission.priority) == (parent.id, 0)
    said = house.engine.why_waiting(other)
    assert said.startswith("At most 1 submission"), said
    gate.open()
    assert house.done(other).outcome == Outcome.SUCCESS


def test_what_waits_below_a_job_says_so(house: House, gate: Gate) -> None:
    parent = first(house, "wait")
    sent = send(house, parent, "wait", "wait")
    house.running(sent.job_ids[0])
    said = house.engine.why_waiting(sent.job_ids[1])
    assert said.endswith(f" Job {parent.number}, which has sent it, keeps its own place."), said
    gate.open()


@pytest.mark.parametrize("how", ["cancelled", "ended"])
def test_it_ends_with_the_job_that_sent_it(house: House, gate: Gate, how: str) -> None:
    parent = first(house, "wait")
    house.tool("long", "sleep 600")
    sent = send(house, parent, "long", "quick")
    running = house.running(sent.job_ids[0])
    below = send(house, running, "long")
    house.running(below.job_ids[0])
    if how == "cancelled":
        house.engine.cancel(parent.number)
    else:
        gate.open()
    ended = [house.done(id_) for id_ in (*sent.job_ids, *below.job_ids)]
    assert [job.outcome for job in ended] == [Outcome.CANCELLED] * 3
    assert ended[0].reason == f"job {parent.id}, which had sent it, is over"
    assert ended[2].reason == f"job {running.id}, which had sent it, is over"


def test_nothing_is_sent_from_a_job_that_is_over(house: House, gate: Gate) -> None:
    parent = first(house, "wait")
    gate.open()
    house.done(parent.number)
    with pytest.raises(Conflict, match=f"job {parent.id}.* has ended .* sent detached"):
        send(house, parent, "quick")
    assert house.store.counts().total == 1


def test_what_was_sent_while_its_job_ended_ends_too(house: House, gate: Gate) -> None:
    """The store took it before it knew of the end; the engine had forgotten the job by then."""
    parent = first(house, "wait")
    keep, kept = house.store.submit, []

    def slow(new: Any) -> Any:
        if new.parent is None:
            return keep(new)
        kept.append(keep(new))
        gate.open()
        house.done(parent.number)
        return kept[0]

    house.store.submit = slow  # type: ignore[method-assign]
    house.tool("long", "sleep 600")
    sent = send(house, parent, "long")
    assert house.done(sent.job_ids[0]).outcome == Outcome.CANCELLED


def test_a_server_that_is_killed_in_between_forgets_nothing(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("long", "sleep 600")
    parent = first(house, "wait")
    monkeypatch.setattr(house.engine._sweeper, "look", lambda: None)
    monkeypatch.setattr(house.engine._work, "_left_over", lambda: None)
    sent = send(house, parent, "long", "long")
    house.running(sent.job_ids[0])
    gate.open()
    house.done(parent.number)
    house.stop()
    house.start()
    assert [house.done(id_).outcome for id_ in sent.job_ids] == [Outcome.CANCELLED] * 2


def test_it_goes_on_below_its_job_after_a_restart(house: House, gate: Gate) -> None:
    parent = first(house, "wait")
    sent = send(house, parent, "wait", "quick")
    house.running(sent.job_ids[0])
    house.stop()
    house.start()
    assert house.job(sent.job_ids[1]).state == State.NEW
    house.engine.cancel(sent.job_ids[0])
    assert house.done(sent.job_ids[1]).outcome == Outcome.SUCCESS
    assert house.job(parent.number).state == State.RUNNING
    gate.open()


def test_a_job_that_holds_something_sends_only_what_needs_nothing(house: House, gate: Gate) -> None:
    parent = first(house, "holds")
    with pytest.raises(InvalidRequest, match=f'holds needs "gpu", which job {parent.id}'):
        send(house, parent, "quick", "holds")
    with pytest.raises(InvalidRequest, match=r'needs needs "disk", but .* for ever') as raised:
        send(house, parent, "needs")
    assert list(raised.value.fields) == ["job_specs[0].name"]
    middle = house.running(send(house, parent, "wait").job_ids[0])
    with pytest.raises(InvalidRequest, match=f'"gpu", which job {parent.id}'):
        send(house, middle, "holds")
    gate.open()


def test_families_are_bounded_in_depth(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "MOST_DEPTH", 3)
    job = first(house, "wait")
    for _ in range(2):
        job = house.running(send(house, job, "wait").job_ids[0])
    with pytest.raises(Conflict, match="3 jobs are above this one"):
        send(house, job, "quick")
    gate.open()


def test_one_that_is_retried_after_its_job_runs_as_any_other(house: House, gate: Gate) -> None:
    parent = first(house, "wait")
    sent = send(house, parent, "quick").job_ids[0]
    house.done(sent)
    gate.open()
    house.done(parent.number)
    house.engine.retry(sent)
    house.until(lambda: house.job(sent).attempt == 2 and house.job(sent).state == State.DONE)
    assert house.job(sent).outcome == Outcome.SUCCESS
