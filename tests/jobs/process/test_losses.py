"""What is lost while other news of it is under way, or again and again: nothing waits for ever."""

from __future__ import annotations

import select
import socket

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.process import backend as module
from projects.jobs.process.orders import Ended
from tests.jobs.process.house import House

GATED = "while [ ! -e ../go ]; do sleep 0.01; done; exit 42"


def go(house: House) -> None:
    (house.root / "logs" / "go").touch()


def has_news(house: House) -> bool:
    """Return whether the spawner has said something that the server hasn't read."""
    spawner = house.backend._spawner
    assert spawner is not None
    return bool(select.select([spawner.channel], [], [], 0)[0])


def replace_spawner(house: House) -> None:
    before = house.backend._spawner
    assert before is not None
    house.kill(*house.pids("job-spawner"))
    house.until(lambda: house.backend._spawner is not before)
    house.until(lambda: house.backend._spawner and house.backend._spawner.greeted)


def test_a_runner_whose_last_words_come_with_the_news_of_its_death_gets_no_order_that_is_lost(
    house: House,
) -> None:
    house.backend.launch(house.sh(1, GATED))
    house.started(1)
    (runner,) = house.pids("job-runner")
    (journal,) = (house.run / "runners").glob("*.journal")
    go(house)
    while b'"end"' not in journal.read_bytes():
        pass
    house.kill(runner)
    while not has_news(house):
        pass
    assert house.ended(1).exit_code == 42
    assert house.perform(house.sh(2, "exit 6")).exit_code == 6
    house.backend.settled([(1, 1), (2, 1)])
    assert [r.number for r in house.reports if isinstance(r, Ended)] == [1, 2]
    assert house.backend._graveyard.unread() == []


def test_more_forks_than_a_socket_takes_are_asked_for(house: House) -> None:
    spawner = house.backend._spawner
    assert spawner is not None
    spawner.channel.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    jobs = range(1, 13)
    for number in jobs:
        house.backend.launch(house.sh(number, GATED))
    for number in jobs:
        house.started(number)
    go(house)
    assert {house.ended(number).exit_code for number in jobs} == {42}


def test_a_spawner_may_be_killed_as_often_as_one_likes(house: House) -> None:
    house.backend.launch(house.sh(1, GATED))
    house.started(1)
    for _ in range(module._TROUBLE + 2):
        replace_spawner(house)
    assert house.perform(house.sh(2, "exit 6")).exit_code == 6
    go(house)
    assert house.ended(1).exit_code == 42


def test_when_no_spawner_comes_up_orders_are_refused_until_one_does(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InfrastructureError("no room")

    with monkeypatch.context() as broken:
        broken.setattr(module, "start_spawner", fail)
        house.kill(*house.pids("job-spawner"))
        house.until(lambda: house.backend._spawner is None)
        assert "no room" in house.perform(house.sh(1, "exit 5")).reason
    assert house.perform(house.sh(2, "exit 6")).exit_code == 6
