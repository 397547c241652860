"""Kill a writer between two lines of the store, look at what is there, and begin again.

    python killed_writer.py FOLDER ROUNDS SEED

A program of its own because it forks, which a process with threads shouldn't.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from types import FrameType
from typing import Any

from projects.jobs.model.states import Outcome, State
from projects.jobs.store import store as door
from projects.jobs.store.store import Store, open_store
from projects.jobs.store.values import Change, NewJob, NewSubmission
from tests.jobs.store.recount import assert_counts_are_true

STORE = os.path.dirname(door.__file__)
MOST_LINES = 4000


def die_after(lines: int) -> None:
    """Kill this process when so many lines of the store have been run."""
    left = lines

    def line(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal left
        if what == "line":
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, what: str, _: Any) -> Any:
        return line if frame.f_code.co_filename.startswith(STORE) else None

    sys.settrace(call)


def write(store: Store, out: int, seed: int) -> None:
    """Submit and record for ever, and say in one line what has been acknowledged."""
    chance = random.Random(seed)  # noqa: S311  (a test)
    while True:
        owner, count = chance.choice(["ada", "bob"]), chance.randint(1, 6)
        jobs = [NewJob(chance.choice(["x", "y"])) for _ in range(count)]
        kept = store.submit(NewSubmission(owner, jobs))
        os.write(out, f"submitted {kept.submission.id} {count}\n".encode())
        numbers = range(kept.first, kept.first + count - 1)
        store.record([Change(n, 1, 1, State.RUNNING) for n in numbers])
        changes = [Change(n, 1, 2, State.DONE, outcome=Outcome.FAILED) for n in numbers]
        store.record(changes, durable=chance.random() < 0.5)
        os.write(out, f"recorded {kept.submission.id} {count - 1}\n".encode())
        store.cancel_waiting(submission=kept.submission.number, reason="no", at=3)
        os.write(out, f"cancelled {kept.submission.id} {count}\n".encode())


def one_round(url: str, lines: int, seed: int) -> list[list[str]]:
    """Return what a writer had acknowledged before it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            die_after(lines)
            write(open_store(url), writing, seed)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as said:
        acknowledged = [line.split() for line in said]
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    return acknowledged


def check(store: Store, acknowledged: list[list[str]]) -> None:
    """Compare the store with what was acknowledged."""
    assert_counts_are_true(store)
    for what, id_, count in acknowledged:
        view = store.submission(id_)
        assert view is not None, f"{what} {id_} is lost"
        done = view.counts.get(State.DONE, 0)
        wanted = 0 if what == "submitted" else int(count)
        assert done >= wanted, f"{what} {id_}: {done} of {wanted}"


def main(folder: str, rounds: int, seed: int) -> None:
    """Kill as often as told."""
    chance = random.Random(seed)  # noqa: S311  (a test)
    url = f"sqlite:///{folder}/satellite.db"
    acknowledged = []
    for number in range(rounds):
        acknowledged += one_round(url, chance.randint(1, MOST_LINES), number)
        store = open_store(url)
        check(store, acknowledged)
        store.close()
    print(f"{rounds} kills, {len(acknowledged)} acknowledged")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
