from __future__ import annotations

import os
import signal

import pytest

from projects.jobs.process.orders import Ended, Returned, Started
from tests.jobs.process.house import House


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


def test_short_jobs_follow_each_other_in_one_slot(house: House, frozen: int) -> None:
    house.backend.launch(house.order(1, "/bin/true"))
    assert house.backend.follow(house.order(2, "/bin/false"), 1, 1)
    assert not house.backend.follow(house.order(3, "/bin/true"), 1, 1)  # one is enough
    os.kill(frozen, signal.SIGCONT)
    assert house.ended(1).exit_code == 0
    assert house.ended(2).exit_code == 1
    kinds = [(type(report), report.number) for report in house.reports[-4:]]
    assert kinds == [(Started, 1), (Ended, 1), (Started, 2), (Ended, 2)]
    assert house.ended(1).at <= house.started(2).at
    assert house.pids("job-runner") == [frozen]


def test_nothing_waits_behind_a_job_that_takes_its_time(house: House, frozen: int) -> None:
    house.backend.launch(house.sh(1, "sleep 0.5"))
    assert house.backend.follow(house.order(2, "/bin/true"), 1, 1)
    os.kill(frozen, signal.SIGCONT)
    returned(house, 2)
    assert house._last(1, Ended) is None
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0  # somewhere else
    assert house._last(1, Ended) is None
    assert house.ended(1).exit_code == 0


def test_what_is_over_can_not_be_followed(house: House) -> None:
    house.perform(house.order(1, "/bin/true"))
    assert not house.backend.follow(house.order(2, "/bin/true"), 1, 1)


def test_a_follower_is_stopped_before_it_begins(house: House, frozen: int) -> None:
    house.backend.launch(house.sh(1, "sleep 0.2"))
    house.backend.follow(house.order(2, "/bin/true"), 1, 1)
    house.backend.stop(2, 1, "not wanted")
    os.kill(frozen, signal.SIGCONT)
    end = house.ended(2)
    assert (end.reason, end.notes) == ("stopped", ("not wanted", "it had not begun"))
    assert not (house.root / "logs" / "2").exists()
    assert house.ended(1).exit_code == 0


def test_a_follower_survives_its_runner(house: House) -> None:
    house.backend.launch(house.sh(1, "sleep 0.5; exit 3"))
    house.started(1)
    [runner] = house.pids("job-runner")
    os.kill(runner, signal.SIGSTOP)
    house.backend.follow(house.order(2, "/bin/true"), 1, 1)
    house.kill(runner)
    returned(house, 2)
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0
    assert house.ended(1).exit_code == 3


def test_a_follower_is_forgotten_with_its_server(house: House, frozen: int) -> None:
    house.backend.launch(house.order(1, "/bin/true"))
    house.backend.follow(house.order(2, "/bin/true"), 1, 1)
    house.leave()
    os.kill(frozen, signal.SIGCONT)
    house.come_back()
    assert house.ended(1).exit_code == 0
    assert all(report.number != 2 for report in house.reports)
    assert not (house.root / "logs" / "2").exists()
    assert house.perform(house.order(2, "/bin/true")).exit_code == 0
