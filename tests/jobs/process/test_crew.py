"""Who starts what: runners that are forked, reused, lost with their spawner, followed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import Any

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.process import crew, wire
from projects.jobs.process.orders import Ended, Returned, Started
from tests.jobs.process.house import GATED, House

TRUE = ["/bin/true"] * 9


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let short jobs be short on a busy machine, too; to be used before the house is built."""
    popen = subprocess.Popen

    def start(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
        ours = "projects.jobs.process.spawner"
        words = ["tests.jobs.process.patient_spawner" if word == ours else word for word in command]
        return popen(words, **more)

    monkeypatch.setattr(subprocess, "Popen", start)


@pytest.fixture
def frozen(house: House) -> int:
    """A runner that is stopped: what is sent to it waits for it."""
    house.perform(house.order(0, "/bin/true"))
    house.backend.settled([(0, 1)])
    [runner] = house.pids("job-runner")
    os.kill(runner, signal.SIGSTOP)
    return runner


def returned(house: House, number: int) -> None:
    house.until(lambda: Returned(number, 1) in house.reports)


@pytest.mark.usefixtures("patient")
def test_short_jobs_follow_each_other_in_one_slot(house: House, frozen: int) -> None:
    house.backend.launch(house.order(1, "/bin/true"))
    assert house.backend.follow([house.order(2, "/bin/false"), house.order(3, "/none")], 1, 1)
    assert house.backend.follow([house.order(n, "/bin/true") for n in range(4, 9)], 1, 1)
    os.kill(frozen, signal.SIGCONT)
    house.ended(8)
    told = [report for report in house.reports if report.number > 0]
    ran = [report.number for report in told if isinstance(report, Started)]
    over = [report for report in told if isinstance(report, Ended)]
    assert ran == [1, 2, 4, 5, 6, 7, 8]
    assert [end.number for end in over] == list(range(1, 9))
    assert [end.exit_code for end in over] == [0, 1, None, 0, 0, 0, 0, 0]
    assert [end.at for end in over] == sorted(end.at for end in over)
    assert house.pids("job-runner") == [frozen]


def test_nothing_waits_behind_a_job_that_takes_its_time(house: House, frozen: int) -> None:
    house.backend.launch(house.sh(1, GATED))
    assert house.backend.follow([*map(house.order, (2, 3, 4), TRUE)], 1, 1)
    os.kill(frozen, signal.SIGCONT)
    returned(house, 4)
    given_back = [report.number for report in house.reports if isinstance(report, Returned)]
    assert given_back == [2, 3, 4]
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0  # somewhere else
    assert house._last(1, Ended) is None
    house.open_gate()
    assert house.ended(1).exit_code == 42


def test_what_is_over_can_not_be_followed(house: House) -> None:
    house.perform(house.order(1, "/bin/true"))
    assert not house.backend.follow([house.order(2, "/bin/true")], 1, 1)


@pytest.mark.usefixtures("patient")
def test_a_follower_is_stopped_before_it_begins_and_the_others_are_not(
    house: House, frozen: int
) -> None:
    house.backend.launch(house.order(1, "/bin/true"))
    house.backend.follow([*map(house.order, (2, 3, 4), TRUE)], 1, 1)
    house.backend.stop(3, 1, "not wanted")
    os.kill(frozen, signal.SIGCONT)
    end = house.ended(3)
    assert (end.reason, end.notes) == ("stopped", ("not wanted", "it had not begun"))
    assert not (house.root / "logs" / "3").exists()
    assert [house.ended(number).exit_code for number in (1, 2, 4)] == [0, 0, 0]


@pytest.mark.usefixtures("patient")
def test_what_a_dead_runner_had_begun_of_several_is_known(house: House, frozen: int) -> None:
    """It dies while it keeps back several ends, and one job runs."""
    house.backend.launch(house.order(1, "/bin/true"))
    long = house.sh(4, GATED)
    house.backend.follow(
        [*map(house.order, (2, 3), TRUE), long, *map(house.order, (5, 6), TRUE)], 1, 1
    )
    os.kill(frozen, signal.SIGCONT)
    [journal] = (house.run / "runners").glob("*.journal")
    while b'"n":4' not in journal.read_bytes():
        pass
    house.kill(frozen)
    returned(house, 5)
    returned(house, 6)
    house.open_gate()
    assert house.ended(4).exit_code == 42
    house.until(lambda: all(house._last(n, Ended) for n in (1, 2, 3)))
    over = [report.number for report in house.reports if isinstance(report, Ended)]
    assert sorted(over) == [0, 1, 2, 3, 4]


def test_a_follower_survives_its_runner(house: House) -> None:
    house.backend.launch(house.sh(1, "sleep 0.5; exit 3"))
    house.started(1)
    [runner] = house.pids("job-runner")
    os.kill(runner, signal.SIGSTOP)
    house.backend.follow([house.order(2, "/bin/true")], 1, 1)
    house.kill(runner)
    returned(house, 2)
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0
    assert house.ended(1).exit_code == 3


def test_a_follower_is_forgotten_with_its_server(house: House, frozen: int) -> None:
    house.backend.launch(house.order(1, "/bin/true"))
    house.backend.follow([house.order(2, "/bin/true")], 1, 1)
    house.leave()
    os.kill(frozen, signal.SIGCONT)
    house.come_back()
    assert house.ended(1).exit_code == 0
    assert all(report.number != 2 for report in house.reports)
    assert not (house.root / "logs" / "2").exists()
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0


def test_runners_are_reused_and_idle_ones_leave(house: House) -> None:
    for number in range(5):
        house.perform(house.sh(number, "true"))
    assert len(house.pids("job-runner")) == 1
    for number in range(10, 13):
        house.backend.launch(house.sh(number, "sleep 0.1"))
    for number in range(10, 13):
        house.ended(number)
    assert len(house.pids("job-runner")) == 3
    house.backend._crew.idle_seconds = 0.1
    house.until(lambda: len(house.pids("job-runner")) == 1)


def test_stopping_a_job_that_waits_for_a_runner_keeps_it_from_starting(house: House) -> None:
    for number in range(4):
        house.backend.launch(house.sh(number, "sleep 9"))
    house.backend.launch(house.sh(9, "echo x"))
    house.backend.stop(9, 1, "changed my mind")
    end = house.ended(9)
    assert end.reason == "stopped"
    house.backend.stop(77, 1, "nobody knows it")


def replace_spawner(house: House) -> None:
    before = house.backend._crew.spawner
    assert before is not None
    house.kill(*house.pids("job-spawner"))
    house.until(lambda: house.backend._crew.spawner is not before)
    house.until(lambda: house.backend._crew.spawner and house.backend._crew.spawner.greeted)


def test_more_forks_than_a_socket_takes_are_asked_for(house: House) -> None:
    spawner = house.backend._crew.spawner
    assert spawner is not None
    spawner.channel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    jobs = range(1, 13)
    for number in jobs:
        house.backend.launch(house.sh(number, GATED))
    for number in jobs:
        house.started(number)
    house.open_gate()
    assert {house.ended(number).exit_code for number in jobs} == {42}


def test_a_spawner_may_be_killed_as_often_as_one_likes(house: House) -> None:
    house.backend.launch(house.sh(1, GATED))
    house.started(1)
    for _ in range(crew.TROUBLE + 2):
        replace_spawner(house)
    assert house.perform(house.sh(2, "exit 6")).exit_code == 6
    house.open_gate()
    assert house.ended(1).exit_code == 42


def test_when_no_spawner_comes_up_orders_are_refused_until_one_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InfrastructureError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(crew, "start_spawner", fail)
        house.kill(*house.pids("job-spawner"))
        house.until(lambda: house.backend._crew.spawner is None)
        assert "no room" in house.perform(house.sh(1, "exit 5")).reason
    assert house.perform(house.sh(2, "exit 6")).exit_code == 6


def test_an_order_that_no_message_holds_is_refused_and_harms_no_other(house: House) -> None:
    assert house.perform(house.sh(1, "true")).exit_code == 0
    words = ["x" * 100_000] * (wire.LONGEST // 100_000 + 1)
    house.backend.launch(house.sh(2, "sleep 0.5"))
    house.started(2)
    assert not house.backend.follow([house.order(3, "/bin/true", *words)], 2, 1)
    end = house.perform(house.order(3, "/bin/true", *words))
    assert end.reason.startswith(
        "not started: its arguments and environment are larger than any may be"
    )
    assert house.perform(house.sh(4, "exit 6")).exit_code == 6


def test_a_spawner_that_did_not_come_up_is_tried_again_for_the_next_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: str) -> None:
        raise InfrastructureError("there is no memory for it")

    with monkeypatch.context() as patch:
        patch.setattr(crew, "start_spawner", refuse)
        house.kill(*house.pids("job-spawner"), *house.pids("job-runner"))
        house.until(lambda: house.backend._crew.spawner is None)
        assert house.perform(house.sh(1, "true")).reason == "not started: there is no memory for it"
    assert house.perform(house.sh(2, "true")).exit_code == 0
