"""Last words, and those of another version."""

from __future__ import annotations

import select

import pytest

from projects.jobs.process import wire
from projects.jobs.process.orders import Ended
from tests.jobs.process.house import GATED, House


def has_news(house: House) -> bool:
    """Return whether the spawner has said something that the server hasn't read."""
    spawner = house.backend._crew.spawner
    assert spawner is not None
    return bool(select.select([spawner.channel], [], [], 0)[0])


def test_a_runner_whose_last_words_come_with_the_news_of_its_death_gets_no_order_that_is_lost(
    house: House,
) -> None:
    house.backend.launch(house.sh(1, GATED))
    house.started(1)
    (runner,) = house.pids("job-runner")
    (journal,) = (house.run / "runners").glob("*.journal")
    house.open_gate()
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


def test_a_runner_of_another_version_is_taken_over_and_then_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.backend.launch(house.sh(1, GATED))
    house.started(1)
    house.leave()
    monkeypatch.setattr(wire, "version", lambda: "of another time")
    house.come_back()
    old = house.pids("job-runner")
    house.open_gate()
    assert house.ended(1).exit_code == 42
    house.backend.settled([(1, 1)])
    house.until(lambda: not set(house.pids("job-runner")) & set(old))
