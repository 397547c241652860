"""What is lost while other news of it is under way, or again and again: nothing waits for ever."""

from __future__ import annotations

import errno
import os
import select
import signal
import socket

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.process import backend as module
from projects.jobs.process import wire
from projects.jobs.process.journal import Journal
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


def test_an_order_that_no_message_holds_is_refused_and_harms_no_other(house: House) -> None:
    assert house.perform(house.sh(1, "true")).exit_code == 0
    words = ["x" * 100_000] * (wire.LONGEST // 100_000 + 1)
    house.backend.launch(house.sh(2, "sleep 0.5"))
    house.started(2)
    assert not house.backend.follow(house.order(3, "/bin/true", *words), 2, 1)
    end = house.perform(house.order(3, "/bin/true", *words))
    assert end.reason.startswith(
        "not started: its arguments and environment are larger than any may be"
    )
    assert house.perform(house.sh(4, "exit 6")).exit_code == 6


def test_an_order_whose_journal_cannot_be_silenced_is_another_attempt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.perform(house.order(0, "/bin/true"))
    house.backend.settled([(0, 1)])
    (runner,) = house.pids("job-runner")
    (path,) = (house.run / "runners").glob("*.journal")
    os.kill(runner, signal.SIGSTOP)
    house.backend.launch(house.sh(1, "exit 6"))
    line = {"t": "intent", "q": 9, "n": 1, "a": 1, "id": "x", "log": "/none", "out": "a",
            "boot": house.backend._boot_id, "ticks": 2**40}  # fmt: skip
    with path.open("a") as file:
        file.write(wire.encode(line) + "\n")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(Journal, "append", lambda *_: full)
    house.kill(runner)
    assert house.unknown(1).started is False


def test_what_was_settled_before_a_dead_runners_journal_is_read_leaves_nothing(
    house: House,
) -> None:
    house.perform(house.sh(1, "exit 5"))
    (spawner,), (runner,) = house.pids("job-spawner"), house.pids("job-runner")
    os.kill(spawner, signal.SIGSTOP)
    house.kill(runner)
    house.until(lambda: not house.backend._holders)
    house.backend.settled([(1, 1)])
    os.kill(spawner, signal.SIGCONT)
    house.until(lambda: not house.backend._graveyard._graves)
    assert [r.number for r in house.reports if isinstance(r, Ended)] == [1]
