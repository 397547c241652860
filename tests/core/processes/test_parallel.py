from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING

import pytest

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.artifacts.spans import fold, read_events
from projects.core.processes import cancellation, output, shell
from projects.core.processes.parallel import Parallel, is_parallel
from projects.core.processes.steps import Retry, Steps, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("root", "scope", "nobody_left")


def boom() -> None:
    raise ValueError("boom")


def failure_of(place: Path) -> str:
    return (place / "FAILURE").read_text()


def test_fifty_tasks_run_at_once_each_in_its_directory(root: Path) -> None:
    together = threading.Barrier(50, timeout=60)
    places: list[Path] = []

    def task(number: int, *, factor: int) -> None:
        together.wait()
        places.append(directory.current())
        (directory.current() / "result").write_text(str(number * factor))

    with Parallel("many") as parallel:
        for number in range(50):
            parallel.delayed(task, number, factor=2)
    assert sorted(p.name for p in places) == [f"{n:03d}__task" for n in range(50)]
    results = [int((root / f"000__many/{n:03d}__task/result").read_text()) for n in range(50)]
    assert results == [2 * n for n in range(50)]
    assert not list(root.rglob("FAILURE"))


def test_what_tasks_print_says_whose_it_is_except_in_their_own_log(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def tick() -> None:
        shell.run("echo tick", log_command=False)

    with output.capture_prints(), output.log_to(root / "_run.log"), Parallel("p") as parallel:
        parallel.delayed(tick)
        parallel.delayed(tick)
        parallel.delayed(print, "other")
    expected = ["print    | other", "tick 000 | tick", "tick 001 | tick"]
    assert sorted((root / "_run.log").read_text().splitlines()) == expected
    assert sorted("".join(capsys.readouterr()).splitlines()) == expected
    assert (root / "000__p/000__tick/_run.log").read_text() == "tick\n"


def test_joblib_threads_run_the_tasks() -> None:
    names: list[str] = []
    with Parallel("one") as parallel:
        parallel.delayed(lambda: names.append(threading.current_thread().name))
    assert "ThreadPool" in names[0] or "Thread-" in names[0]
    assert names != [threading.main_thread().name]


def waits() -> dict[str, Callable[[], object]]:
    def retried() -> None:
        with Steps() as steps:
            steps.add("flaky", boom, retry=Retry(5, delay=1000))

    return {
        "command": lambda: shell.run("sleep 1000"),
        "stubborn": lambda: shell.run("trap '' TERM; sleep 1000; sleep 1000"),
        "background": lambda: shell.run("(sleep 1000 & sleep 1000 &); sleep 1000"),
        "captured": lambda: shell.run("sleep 1000", capture_stdout=True),
        "sleep": lambda: cancellation.sleep(1000),
        "wait": lambda: wait_until(lambda: False, timeout=1000, interval=1000),
        "retry": retried,
        "nested": functools.partial(in_parallel, lambda: shell.run("sleep 1000")),
    }


def in_parallel(function: Callable[[], object]) -> None:
    with Parallel("inner", exit_on_exception=False) as parallel:
        parallel.delayed(function)
        parallel.delayed(function)


def test_a_failing_task_stops_its_siblings_wherever_they_wait(root: Path) -> None:
    begun = threading.Semaphore(0)

    def task(wait: Callable[[], object]) -> None:
        begun.release()
        wait()

    def fail() -> None:
        for _ in waits():
            assert begun.acquire(timeout=30)
        boom()

    with pytest.raises(ValueError, match="boom"), Parallel("all", False) as parallel:
        for wait in waits().values():
            parallel.delayed(task, wait)
        parallel.delayed(fail)
    places = sorted((root / "000__all").iterdir())
    told = {p.name: failure_of(p) for p in places if p.is_dir()}
    assert told.pop("008__fail").startswith("ValueError: boom\n")
    by_whom = 'Cancelled: "fail" of "all" failed: ValueError: boom\n'
    assert all(text.startswith(by_whom) for text in told.values()), told
    assert len(told) == len(waits())
    assert failure_of(root / "000__all").startswith("ValueError: boom")


def test_finally_blocks_of_the_stopped_can_run_commands(root: Path) -> None:
    begun = threading.Event()

    def task() -> None:
        try:
            begun.set()
            shell.run("sleep 1000")
        finally:
            shell.run(f"echo cleaned > {directory.current()}/cleaned")
            cancellation.sleep(0.01)

    def fail() -> None:
        begun.wait(30)
        boom()

    with pytest.raises(ValueError, match="boom"), Parallel("all", False) as parallel:
        parallel.delayed(task)
        parallel.delayed(fail)
    assert (root / "000__all/000__task/cleaned").read_text() == "cleaned\n"


def test_by_default_the_failure_passes_by_who_catches_exceptions() -> None:
    cleaned = []
    with pytest.raises(errors.ParallelFailed, match="all: ValueError: boom") as caught:
        try:
            with Parallel("all") as parallel:
                parallel.delayed(boom)
        except Exception:
            cleaned.append("wrong")
        finally:
            cleaned.append("finally")
    assert cleaned == ["finally"]
    assert isinstance(caught.value, SystemExit)
    assert isinstance(caught.value.__cause__, ValueError)
    assert errors.exit_status_of(caught.value) == 2


def test_all_exceptions_are_reported() -> None:
    together = threading.Barrier(3, timeout=30)

    def fail(kind: type[Exception]) -> None:
        together.wait()
        raise kind("for itself")

    with pytest.raises(ExceptionGroup) as caught, Parallel("all", False) as parallel:
        for kind in (KeyError, ValueError, OSError):
            parallel.delayed(fail, kind)
    assert [type(e) for e in caught.value.exceptions] == [KeyError, ValueError, OSError]
    with pytest.raises(errors.ParallelFailed) as failed, Parallel("all") as parallel:
        for kind in (KeyError, ValueError, OSError):
            parallel.delayed(fail, kind)
    assert len(failed.value.failures.exceptions) == 3


def test_a_task_that_fails_while_it_is_stopped_is_reported_as_well() -> None:
    begun = threading.Event()

    def task() -> None:
        try:
            begun.set()
            cancellation.sleep(1000)
        finally:
            raise OSError("cleanup failed")

    def fail() -> None:
        begun.wait(30)
        boom()

    with pytest.raises(ExceptionGroup) as caught, Parallel("all", False) as parallel:
        parallel.delayed(task)
        parallel.delayed(fail)
    assert {type(e) for e in caught.value.exceptions} == {OSError, ValueError}


def test_if_the_body_raises_nothing_is_run(root: Path) -> None:
    ran: list[int] = []
    with pytest.raises(KeyError), Parallel("all") as parallel:
        parallel.delayed(ran.append, 1)
        raise KeyError("body")
    assert ran == []
    assert list(root.iterdir()) == []


def test_without_a_dedicated_directory_tasks_are_in_the_current_one(root: Path) -> None:
    with Parallel("all", dedicated_dir=False) as parallel:
        parallel.delayed(is_parallel)
        parallel.delayed(functools.partial(is_parallel))
    assert sorted(p.name for p in root.iterdir() if p.is_dir()) == [
        "000__is_parallel",
        "001__is_parallel",
    ]


def test_a_task_knows_that_it_is_parallel_and_so_do_those_within() -> None:
    seen: list[bool] = []

    def task() -> None:
        seen.append(is_parallel())
        with Parallel("inner") as parallel:
            parallel.delayed(lambda: seen.append(is_parallel()))

    with Parallel("outer") as parallel:
        parallel.delayed(task)
    assert seen == [True, True]
    assert not is_parallel()


def test_each_task_is_a_span_with_its_directory_and_outcome(root: Path) -> None:
    begun = threading.Event()

    def task() -> None:
        begun.set()
        cancellation.sleep(1000)

    def fail() -> None:
        begun.wait(30)
        boom()

    with (
        journal.Journal(root / "events.jsonl"),
        pytest.raises(errors.ParallelFailed),
        Parallel("all") as parallel,
    ):
        parallel.delayed(task)
        parallel.delayed(fail)
    (group,) = fold(read_events(root / "events.jsonl")).roots
    assert (group.kind, group.name, group.outcome) == ("step", "all", "error")
    told = sorted((s.kind, s.name, s.outcome, s.dir) for s in group.children)
    assert told == [
        ("task", "fail", "error", "000__all/001__fail"),
        ("task", "task", "cancelled", "000__all/000__task"),
    ]


def test_cancelling_from_outside_stops_the_tasks_and_is_raised(
    root: Path, scope: cancellation.Scope
) -> None:
    begun = threading.Event()

    def task() -> None:
        begun.set()
        shell.run("sleep 1000")

    def cancel() -> None:
        begun.wait(30)
        scope.cancel("enough")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(errors.Cancelled, match="enough"), Parallel("all") as parallel:
        parallel.delayed(task)
    canceller.join()
    assert failure_of(root / "000__all/000__task") == "Cancelled: enough\n"
    with Parallel("cleanup") as parallel:  # it was delivered: cleaning up goes on normally
        parallel.delayed(shell.run, "true")


def test_incomplete_lines_of_tasks_are_ended(tmp_path: Path) -> None:
    with output.capture_prints(), output.log_to(tmp_path / "log"), Parallel("all") as parallel:
        for number in range(5):
            parallel.delayed(print, number, end="")
    lines = sorted((tmp_path / "log").read_text().split("\n"))
    assert lines == ["", *(f"print 00{number} | {number}" for number in range(5))]


def test_a_keyboard_interrupt_without_a_session_stops_and_waits(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import joblib

    begun, cleaned = threading.Event(), threading.Event()

    def interrupted(self: object) -> object:
        begun.wait(30)
        raise KeyboardInterrupt

    def task() -> None:
        try:
            begun.set()
            shell.run("sleep 1000")
        finally:
            cleaned.set()

    monkeypatch.setattr(joblib.Parallel, "_retrieve", interrupted)
    with pytest.raises(KeyboardInterrupt), Parallel("all") as parallel:
        parallel.delayed(task)
    assert cleaned.is_set()
    assert failure_of(root / "000__all/000__task").startswith("Cancelled: interrupted")
