"""A database server that goes away: whoever comes back first runs its jobs, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from projects.jobs.model.states import Outcome, State
from projects.jobs.store.errors import StoreLocked
from projects.jobs.store.store import open_store
from tests.components.postgres import Server
from tests.jobs.engine.conftest import Gate, House
from tests.satellite.live import wait_until

ENDS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
WAIT = "SELECT pg_advisory_lock(1953460325)"


def lose_to_another(url: str) -> Callable[[], None]:
    """End the session that has the claim, with another one in the queue; return how it lets go."""
    other = psycopg.connect(url, autocommit=True)
    taking = threading.Thread(target=other.execute, args=(WAIT,))
    taking.start()
    with psycopg.connect(url, autocommit=True) as connection:
        queued = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: connection.execute(queued).fetchone() == (1,))
        connection.execute(ENDS)
    taking.join(60)
    return other.close


def test_a_restart_of_the_database_costs_neither_jobs_nor_the_claim(
    house: House, gate: Gate, own_postgresql: Server
) -> None:
    house.database = own_postgresql.url
    house.tool("wait", gate.wait)
    house.tool("quick", "true")
    house.start(parallel_submissions=2)
    running = house.running(house.submit("wait").job_ids[0])
    own_postgresql.stop()
    wait_until(lambda: not house.engine.health().ready)
    assert any("no other server" in said for said in house.engine.health().problems)
    assert house.engine._work.held
    own_postgresql.start()
    wait_until(lambda: not house.engine._work.held)
    second = open_store(own_postgresql.url, wait=0.1)
    with pytest.raises(StoreLocked, match="another server works"):
        second.claim()
    second.close()
    assert house.done(house.submit("quick").job_ids[0]).outcome == Outcome.SUCCESS
    gate.open()
    assert house.done(running.number).outcome == Outcome.SUCCESS
    wait_until(lambda: house.engine.health().ready)


def test_nothing_is_started_once_another_server_has_the_jobs(
    house: House, gate: Gate, postgresql: str
) -> None:
    house.database = postgresql
    house.tool("wait", gate.wait)
    house.tool("once", "true", on_restart="fail")
    house.start(parallel_submissions=9)
    house.store._database.wait = 0.1
    running = house.running(house.submit("wait").job_ids[0])
    let_go = lose_to_another(postgresql)
    wait_until(lambda: house.engine.lost)
    assert "another server works with its jobs now" in house.engine.lost
    assert house.engine.health().problems[0] == house.engine.lost
    waiting = [house.submit(name).job_ids[0] for name in ("wait", "once")]
    assert house.engine._loop.ask(house.engine._work.start_jobs) == 0
    assert [house.job(id_).state for id_ in waiting] == [State.NEW, State.NEW]
    house.stop()  # and what runs is ended: it would run there again
    wait_until(lambda: not alive(running.pid))
    let_go()


def alive(pid: int | None) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_another_server_that_was_there_meanwhile_is_seen(postgresql: str) -> None:
    first = open_store(postgresql, wait=0.1)
    first.claim()
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(ENDS)
    second = open_store(postgresql, wait=5)
    second.claim()
    second.close()
    with pytest.raises(StoreLocked, match="worked with its jobs meanwhile"):
        first.claim_again()
    third = open_store(postgresql, wait=0.1)
    third.claim()
    third.close()
    first.close()


def test_a_start_that_was_recorded_meanwhile_waits_for_the_claim(
    house: House, postgresql: str, monkeypatch: Any
) -> None:
    house.database = postgresql
    house.tool("once", "echo began", on_restart="fail")
    house.start()
    real = house.store.record

    def record(changes: Any, **more: Any) -> Any:
        if changes[0].state == State.STARTING:
            house.engine._hold(True)
        return real(changes, **more)

    monkeypatch.setattr(house.store, "record", record)
    (job,) = house.submit("once").job_ids
    wait_until(lambda: house.engine._work._recorded_starts)
    assert house.job(job).state == State.STARTING
    assert not house.logs(house.job(job)).exists()
    monkeypatch.undo()
    house.engine._hold(False)
    assert house.done(job).outcome == Outcome.SUCCESS
