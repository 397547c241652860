"""Runners and spawners that a new server finds hanging: they are ended, what they have goes on."""

from __future__ import annotations

import os
import signal

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.process import arrival, kernel
from projects.jobs.process.journal import Journal
from projects.jobs.process.orders import Ended, Started
from tests.jobs.process.house import House


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "GREETING", 0.3)
    monkeypatch.setattr(arrival, "READING", 0.3)


def freeze(house: House, name: str) -> int:
    (pid,) = house.pids(name)
    os.kill(pid, signal.SIGSTOP)
    return pid


def gone(pid: int) -> bool:
    found = kernel.stat(pid)
    return found is None or found.state in "ZX"


def test_an_order_that_a_hanging_runner_has_not_read_is_never_obeyed(house: House) -> None:
    house.perform(house.order(0, "/bin/true"))
    house.backend.settled([(0, 1)])
    runner = freeze(house, "job-runner")
    order = house.sh(1, f"echo ran >> {house.root}/ledger")
    house.backend.launch(order)
    house.leave()
    assert all(report.number != 1 for report in house.come_back())  # it never was a process …
    house.until(lambda: gone(runner))  # … and never will be
    assert house.perform(order).exit_code == 0
    assert (house.root / "ledger").read_text() == "ran\n"


def test_the_job_of_a_hanging_runner_goes_on(house: House) -> None:
    house.backend.launch(house.sh(1, "while [ ! -e go ]; do sleep 0.01; done; exit 42"))
    pid = house.started(1).pid
    runner = freeze(house, "job-runner")
    house.leave()
    (report,) = house.come_back()
    assert isinstance(report, Started)
    assert report.pid == pid
    assert gone(runner)
    (house.root / "logs" / "1" / "go").touch()
    assert house.ended(1).exit_code == 42


def test_the_job_that_a_hanging_spawner_watches_goes_on(house: House) -> None:
    house.backend.launch(house.sh(1, "while [ ! -e go ]; do sleep 0.01; done; exit 42"))
    pid = house.started(1).pid
    house.kill(*house.pids("job-runner"))
    house.until(lambda: house.backend._graveyard.living() == [(1, 1)])
    spawner = freeze(house, "job-spawner")
    house.leave()
    (report,) = house.come_back()
    assert isinstance(report, Started)
    assert report.pid == pid
    assert gone(spawner)
    (house.root / "logs" / "1" / "go").touch()
    assert house.ended(1).exit_code == 42


def test_a_runner_that_nobody_can_reach_is_ended(house: House) -> None:
    house.perform(house.order(0, "/bin/true"))
    house.backend.settled([(0, 1)])
    runner = freeze(house, "job-runner")
    house.backend.launch(house.order(1, "/bin/true"))
    house.leave()
    (socket,) = (house.run / "runners").glob("*.sock")
    socket.unlink()  # as when its queue of connections is full
    assert all(report.number != 1 for report in house.come_back())
    assert gone(runner)
    assert isinstance(house.perform(house.order(1, "/bin/true")), Ended)


def test_nothing_is_started_while_a_stranger_holds_a_journal(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "ENDING", 0.1)
    house.leave()
    path = house.run / "runners" / "00000000-1.journal"
    held = Journal.create(str(path))
    with pytest.raises(InfrastructureError, match="00000000-1 can't be taken over"):
        house.come_back()
    held.close()
    house.leave()
    assert house.come_back() == []
