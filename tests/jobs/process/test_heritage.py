"""What a spawner makes of dead runners' journals: each its own child, none that was another's."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.model import identity
from projects.jobs.process import journal, kernel, wire
from projects.jobs.process.journal import Journal
from projects.jobs.process.spawner import Spawner

Child = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def spawner(tmp_path: Path) -> Iterator[Spawner]:
    for name in ("runners", "spawners"):
        (tmp_path / name).mkdir()
    made = Spawner(str(tmp_path), "5a", kernel.boot_id())
    yield made
    made._let_go()


def intent(spawner: Spawner, runner: int) -> dict[str, Any]:
    """Leave the journal of a dead runner that was about to start a job; return the intent."""
    line = {
        "t": "intent", "q": 1, "n": runner, "a": 1, "id": identity.new(), "boot": "b", "at": 5,
        "ticks": int(kernel.seconds_since_boot() * kernel.TICKS),
    }  # fmt: skip
    written = Journal.create(path(spawner, runner))
    written.append(1, wire.encode(line))
    written.close()
    return line


def path(spawner: Spawner, runner: int) -> str:
    return os.path.join(spawner._runners_directory, f"5a-{runner}.journal")


@pytest.fixture
def child() -> Iterator[Child]:
    """Start a process as a runner does; of one that has an exit code the zombie is left."""
    started = []

    def start(runner: int, line: dict[str, Any], code: int | None) -> subprocess.Popen[bytes]:
        words = ["/bin/sleep", "98765"] if code is None else ["/bin/sh", "-c", f"exit {code}"]
        process = subprocess.Popen(
            words,
            env={kernel.MARK: f"{line['id']}.1"},
            start_new_session=True,
            preexec_fn=lambda: kernel.tag(runner),  # noqa: PLW1509  (no thread holds a lock here)
        )
        started.append(process)
        if code is not None:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def last(spawner: Spawner, runner: int) -> str:
    kind: str = journal.peek(path(spawner, runner))[-1]["t"]
    return kind


def test_of_two_jobs_that_ended_with_their_runners_each_has_its_own(
    spawner: Spawner, child: Child
) -> None:
    first, second = intent(spawner, 1), intent(spawner, 2)
    of_second = child(2, second, 3).pid
    of_first = child(1, first, 5).pid
    spawner._inherit("5a-1")
    spawner._inherit("5a-2")
    found = {pid: orphan.runner for pid, orphan in spawner._orphans.items()}
    assert found == {of_first: "5a-1", of_second: "5a-2"}


def test_a_job_that_never_began_has_not_the_end_of_another_one(
    spawner: Spawner, child: Child
) -> None:
    intent(spawner, 1)
    child(2, intent(spawner, 2), 3)
    spawner._inherit("5a-1")
    assert last(spawner, 1) == "never"
    spawner._inherit("5a-2")
    assert last(spawner, 2) == "start"


def test_what_a_job_left_behind_is_not_taken_for_the_job(spawner: Spawner, child: Child) -> None:
    line = intent(spawner, 1)
    job = child(1, line, 3).pid
    child(1, line, None)  # in a session of its own
    spawner._inherit("5a-1")
    assert list(spawner._orphans) == [job]


def test_one_that_has_lost_its_tag_is_neither_taken_nor_said_to_have_never_been(
    spawner: Spawner, child: Child
) -> None:
    line = intent(spawner, 1)
    child(kernel.NO_TAG, line, 3)
    spawner._inherit("5a-1")
    assert spawner._orphans == {}
    assert last(spawner, 1) == "intent"


def test_a_runner_that_cannot_be_forked_leaves_nothing(
    spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fail)
    assert spawner._fork() is None
    assert os.listdir(spawner._runners_directory) == []
