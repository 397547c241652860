"""What lost runners had, where not even their journals can be relied on."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from projects.jobs.process import kernel, wire
from projects.jobs.process.journal import Journal
from projects.jobs.process.orders import Ended
from tests.jobs.process.house import House


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
            "boot": kernel.boot_id(), "ticks": 2**40}  # fmt: skip
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
    house.until(lambda: not house.backend._crew.holders)
    house.backend.settled([(1, 1)])
    os.kill(spawner, signal.SIGCONT)
    house.until(lambda: not house.backend._graveyard._graves)
    assert [r.number for r in house.reports if isinstance(r, Ended)] == [1]
