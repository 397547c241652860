from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from projects.core.processes import cancellation, signals
from tests.core.processes.watching import alive, until

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys, threading, time
from pathlib import Path
from projects.core import errors
from projects.core.artifacts import directory
from projects.core.processes import cancellation, coroutines, shell, signals
from projects.core.processes.parallel import Parallel
from projects.core.processes.steps import Steps, wait_until

top = Path(sys.argv[1])

def mark(name):
    (top / name).touch()

def begun(name="begun"):
    mark(name)

def cleanup():
    shell.run(f"echo cleaned > {top}/cleaned")

%s

def main():
    directory.set_run_root(top)
    grace = float(sys.argv[2])
    with cancellation.Scope("the run", grace=grace) as scope, signals.handling(scope):
        with directory.TempArtifactDir(top):
            body()

try:
    main()
except BaseException as error:
    print(type(error).__name__, error, file=sys.stderr)
    sys.exit(errors.exit_status_of(error))
"""

BODIES = {
    "command": """
def body():
    try:
        shell.run(f"touch {top}/begun; sleep 1000")
    finally:
        cleanup()
""",
    "stubborn command": """
def body():
    try:
        shell.run(f"trap '' TERM INT; touch {top}/begun; sleep 1000; sleep 1000")
    finally:
        cleanup()
""",
    "command with a background": """
def body():
    try:
        shell.run(f"(trap '' TERM; sleep 1000; sleep 1000) & (sleep 1000 & sleep 1000 &);"
                  f"touch {top}/begun; sleep 1000")
    finally:
        cleanup()
""",
    "sleep": """
def body():
    try:
        begun()
        cancellation.sleep(1000)
    finally:
        cleanup()
""",
    "pure python": """
def body():
    try:
        begun()
        while True:
            pass
    finally:
        cleanup()
""",
    "waiting for a condition": """
def body():
    with Steps() as steps:
        @steps.step("wait")
        def wait():
            begun()
            wait_until(lambda: False, timeout=1000, interval=1000)
        steps.add("clean up", cleanup, always=True)
""",
    "parallel": """
def task(number):
    try:
        shell.run(f"touch {top}/begun{number}; sleep 1000")
    finally:
        shell.run(f"touch {directory.current()}/cleaned")

def watch():
    wait_until(lambda: all((top / f"begun{n}").exists() for n in range(4)), 60, 0.01)
    begun()
    cancellation.sleep(1000)

def inner():
    with Parallel("inner") as parallel:
        parallel.delayed(task, 2)
        parallel.delayed(task, 3)

def body():
    try:
        with Parallel("all") as parallel:
            parallel.delayed(task, 0)
            parallel.delayed(task, 1)
            parallel.delayed(inner)
            parallel.delayed(watch)
    finally:
        cleanup()
""",
    "coroutine": """
import asyncio

async def command():
    try:
        begun()
        await asyncio.sleep(1000)
    finally:
        await asyncio.sleep(0)
        await asyncio.to_thread(cleanup)

def body():
    coroutines.run_coroutine(command())
""",
}


class Program:
    """A program that uses the room, in a session of its own."""

    def __init__(self, top: Path, body: str, *, grace: float = 0.3) -> None:
        self.top = top
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM % body, os.fspath(top), str(grace)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(self.begun, 60)

    def begun(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"it ended by itself: {self.process.communicate()[1]}")
        return (self.top / "begun").exists()

    def status(self) -> int:
        try:
            _, self.said = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        return self.process.returncode


@pytest.mark.usefixtures("nobody_left")
@pytest.mark.parametrize("body", list(BODIES))
@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_everything_cleans_up_and_is_the_exit_status(
    tmp_path: Path, body: str, signum: int, status: int
) -> None:
    program = Program(tmp_path, BODIES[body])
    program.process.send_signal(signum)
    assert program.status() == status, program.said
    assert program.said.splitlines()[-1].startswith("Interrupted"), program.said
    assert (tmp_path / "cleaned").read_text() == "cleaned\n"
    assert (tmp_path / "FAILURE").read_text().startswith("Interrupted")


@pytest.mark.usefixtures("nobody_left")
def test_every_task_leaves_its_failure_and_cleans_up(tmp_path: Path) -> None:
    program = Program(tmp_path, BODIES["parallel"])
    program.process.send_signal(signal.SIGTERM)
    assert program.status() == 143
    tasks = [p for p in tmp_path.rglob("*__task") if p.is_dir()]
    assert len(tasks) == 4
    for task in tasks:
        assert (task / "FAILURE").read_text() == "Cancelled: interrupted by SIGTERM\n"
        assert (task / "cleaned").exists()


def test_a_hang_up_counts_as_being_told_to_end(tmp_path: Path) -> None:
    program = Program(tmp_path, BODIES["sleep"])
    program.process.send_signal(signal.SIGHUP)
    assert program.status() == 143


@pytest.mark.parametrize(
    "body",
    [
        BODIES["stubborn command"],
        """
def body():
    try:
        begun()
        cancellation.sleep(1000)
    finally:
        shell.run(f"trap '' TERM; touch {top}/cleaning; sleep 1000; sleep 1000")
""",
        """
def stubborn():
    begun()
    shell.run("trap '' TERM; sleep 1000; sleep 1000")

def busy():
    while True:
        time.sleep(0.001)

def body():
    with Parallel("all") as parallel:
        parallel.delayed(stubborn)
        parallel.delayed(busy)
""",
        """
import asyncio

async def command():
    try:
        begun()
        await asyncio.sleep(1000)
    finally:
        mark("cleaning")
        await asyncio.sleep(1000)

def body():
    coroutines.run_coroutine(command())
""",
    ],
)
@pytest.mark.usefixtures("nobody_left")
def test_the_second_signal_kills_at_once(tmp_path: Path, body: str) -> None:
    program = Program(tmp_path, body, grace=1000)
    program.process.send_signal(signal.SIGINT)
    if "cleaning" in body:
        until((tmp_path / "cleaning").exists)
        program.process.send_signal(signal.SIGINT)
        assert program.status() == 130, program.said
    else:  # the same one twice in a row would be one to the system
        program.process.send_signal(signal.SIGTERM)
        assert program.status() == 143, program.said


@pytest.mark.usefixtures("nobody_left")
def test_what_a_forgotten_thread_runs_does_not_outlive_the_block(tmp_path: Path) -> None:
    body = """
def body():
    threading.Thread(target=shell.run, args=("trap '' TERM; sleep 1000; sleep 1000",)).start()
    begun()
    wait_until(lambda: cancellation.current().watches, 60, 0.01)
"""
    program = Program(tmp_path, body)
    assert program.status() == 0, program.said


def at_least(mark: str, number: int) -> bool:
    return len(alive(mark)) >= number


def test_signals_at_random_moments_leave_nobody_behind(tmp_path: Path, mark: str) -> None:
    body = """
def task():
    while True:
        shell.run("sleep 0.002 & sleep 0.001", check=False, log_command=False)

def body():
    begun()
    if sys.argv[1][-1] in "02468":
        with Parallel("all") as parallel:
            parallel.delayed(task)
            parallel.delayed(task)
    task()
"""
    for number in range(8):
        top = tmp_path / str(number)
        top.mkdir()
        program = Program(top, body)
        until(functools.partial(at_least, mark, 2 + number % 3), 60)
        program.process.send_signal(signal.SIGTERM)
        assert program.status() == 143, program.said
        until(lambda: not alive(mark))


def test_previous_handlers_come_back_and_ignored_signals_stay_ignored() -> None:
    mine, before = signal.SIG_IGN, signal.getsignal(signal.SIGINT)
    kept = signal.signal(signal.SIGHUP, mine)
    try:
        with signals.handling(cancellation.Scope("test")):
            assert signal.getsignal(signal.SIGINT) is not before
            assert signal.getsignal(signal.SIGHUP) is mine
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGHUP, kept)


def test_another_thread_can_be_the_roof_without_handlers() -> None:
    seen: list[object] = []
    before = signal.getsignal(signal.SIGINT)

    def roof() -> None:
        with signals.handling(cancellation.Scope("test")):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=roof)
    thread.start()
    thread.join()
    assert seen == [before]
