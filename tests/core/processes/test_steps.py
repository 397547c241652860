from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core import errors
from projects.core.artifacts import journal
from projects.core.artifacts.spans import fold, read_events
from projects.core.processes import cancellation, shell
from projects.core.processes.coroutines import run_coroutine
from projects.core.processes.steps import Retry, Steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def boom() -> None:
    raise ValueError("boom")


async def boom_async() -> None:
    await asyncio.sleep(0)
    raise ValueError("boom")


def test_steps_run_in_order_at_the_end_and_keep_their_results() -> None:
    done: list[str] = []
    with Steps() as steps:

        @steps.step("first")
        def first() -> None:
            done.append("first")

        steps.add("second", lambda a, *, b: a + b, 1, b=2)
        assert done == []
    assert done == ["first"]
    assert steps.results == {"first": None, "second": 3}


def test_a_failure_stops_the_following_except_those_that_are_always_done() -> None:
    done: list[str] = []
    with pytest.raises(ValueError, match="boom"), Steps() as steps:
        steps.add("one", done.append, "one")
        steps.add("two", boom)
        steps.add("three", done.append, "three")
        steps.add("four", done.append, "four", always=True)
    assert done == ["one", "four"]
    assert set(steps.results) == {"one", "four"}


def test_all_exceptions_are_reported() -> None:
    def capture() -> None:
        raise OSError("no capture")

    def handler(error: BaseException) -> None:
        raise KeyError("no handler")

    with pytest.raises(ExceptionGroup) as caught, Steps() as steps:
        steps.add("one", boom, on_failure=handler)
        steps.add("two", capture, always=True)
    assert [type(e) for e in caught.value.exceptions] == [ValueError, KeyError, OSError]


def test_a_failure_is_handed_to_its_handler() -> None:
    seen: list[BaseException] = []
    with pytest.raises(ValueError), Steps() as steps:
        steps.add("one", boom, on_failure=seen.append)
        steps.add("two", boom, on_failure=seen.append)
    assert [str(e) for e in seen] == ["boom"]


def test_a_condition_is_asked_when_it_is_the_turn() -> None:
    done: list[str] = []
    with Steps() as steps:
        steps.add("one", done.append, "one")
        steps.add("two", done.append, "two", when=lambda: "one" in done)
        steps.add("three", done.append, "three", when=lambda: "one" not in done)
    assert done == ["one", "two"]
    with pytest.raises(ValueError, match="boom"), Steps() as steps:
        steps.add("one", done.append, "never", when=boom)
    assert done == ["one", "two"]


def test_if_the_body_raises_nothing_is_run() -> None:
    done: list[str] = []
    with pytest.raises(ValueError, match="boom"), Steps() as steps:
        steps.add("one", done.append, "one", always=True)
        boom()
    assert done == []


def test_a_name_can_be_given_once() -> None:
    with pytest.raises(errors.UsageError, match='"one" is declared twice'), Steps() as steps:
        steps.add("one", boom)
        steps.add("one", boom)


def test_always_is_done_after_a_cancellation_that_nobody_noticed() -> None:
    done: list[str] = []
    with cancellation.Scope("test") as scope:
        with pytest.raises(errors.Cancelled), Steps() as steps:
            steps.add("one", scope.cancel, "enough")
            steps.add("two", shell.run, "true", always=True)
            steps.add("three", done.append, "three")
        assert done == []
        assert "two" in steps.results


def test_a_handler_is_not_called_for_a_cancellation() -> None:
    called: list[BaseException] = []
    with cancellation.Scope("test") as scope, pytest.raises(errors.Cancelled):
        threading.Timer(0.05, scope.cancel, ["enough"]).start()
        with Steps() as steps:
            steps.add("one", cancellation.sleep, 1000, on_failure=called.append)
    assert called == []


def test_deadlines_of_a_step_and_of_all() -> None:
    done: list[str] = []
    with pytest.raises(errors.DeadlineExceeded, match='the step "slow"'), Steps() as steps:
        steps.add("slow", cancellation.sleep, 1000, deadline=0.02)
    with pytest.raises(errors.DeadlineExceeded, match="what the steps do"), Steps(0.02) as steps:
        steps.add("slow", cancellation.sleep, 1000)
        steps.add("wait", cancellation.sleep, 0.001, always=True)
        steps.add("always", done.append, "x", always=True)
    assert done == ["x"]


def test_every_step_is_a_span(root: Path) -> None:
    tries = iter((True, True, False))

    def try_again() -> None:
        if next(tries):
            boom()

    with journal.Journal(root / "events.jsonl"), pytest.raises(ValueError), Steps() as steps:
        steps.add("flaky", try_again, retry=Retry(5, delay=0))
        steps.add("condition", boom, when=lambda: False)
        steps.add("fails", boom)
        steps.add("left out", boom)
    spans = fold(read_events(root / "events.jsonl")).roots
    assert [(s.kind, s.name, s.outcome) for s in spans] == [
        ("step", "flaky", "passed"),
        ("step", "condition", "skipped"),
        ("step", "fails", "error"),
        ("step", "left out", "skipped"),
    ]
    assert (spans[0].fields["attempt"], spans[0].fields["attempts"]) == (3, 5)
    assert [n.message for n in spans[0].notes] == [
        f"attempt {n} of 5 failed: ValueError: boom; again in 0 s" for n in (1, 2)
    ]
    assert spans[1].error == "its condition is false"
    assert spans[3].error == 'left out after "fails": ValueError: boom'


class Plan:
    """Steps that pass or fail as planned, and what has been done of them."""

    def __init__(self, plan: list[tuple[bool, bool, bool]]) -> None:
        self.plan = plan
        self.done: list[int] = []
        self.steps = Steps()

    def declare(self, function: Callable[[int, bool], object]) -> None:
        for number, (passes, condition, always) in enumerate(self.plan):
            when = partial(bool, condition)
            self.steps.add(str(number), function, number, passes, when=when, always=always)

    def work(self, number: int, passes: bool) -> int:
        self.done.append(number)
        if not passes:
            raise ValueError(number)
        return number

    async def work_async(self, number: int, passes: bool) -> int:
        await asyncio.sleep(0)
        return self.work(number, passes)

    def run(self) -> None:
        with self.steps:
            self.declare(self.work)

    async def run_async(self) -> None:
        async with self.steps:
            self.declare(self.work_async)


def problem_of(call: Callable[[], object]) -> str:
    try:
        call()
    except (ValueError, ExceptionGroup) as error:
        return repr(error)
    return ""


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=8))
def test_sync_and_async_steps_do_the_same(plan: list[tuple[bool, bool, bool]]) -> None:
    plain, coroutines = Plan(plan), Plan(plan)
    problem = problem_of(plain.run)
    assert problem == problem_of(lambda: run_coroutine(coroutines.run_async()))
    assert plain.done == coroutines.done
    assert plain.steps.results == coroutines.steps.results
    assert bool(problem) == (len(plain.done) > len(plain.steps.results))


def test_async_steps_may_be_plain_functions_or_coroutines() -> None:
    handled: list[BaseException] = []

    async def handle(error: BaseException) -> None:
        await asyncio.sleep(0)
        handled.append(error)

    async def command() -> Steps:
        steps = Steps()
        with pytest.raises(ValueError, match="boom"):
            async with steps:
                steps.add("plain", lambda: 1)
                steps.add("coroutine", asyncio.sleep, 0, "two")
                steps.add("fails", boom_async, retry=Retry(2, delay=0), on_failure=handle)
                steps.add("always", asyncio.sleep, 0, "three", always=True)
        return steps

    assert run_coroutine(command()).results == {"plain": 1, "coroutine": "two", "always": "three"}
    assert len(handled) == 1


def test_async_deadlines() -> None:
    async def command(steps: Steps) -> None:
        async with steps:
            steps.add("slow", asyncio.sleep, 1000, deadline=0.02)
            steps.add("always", asyncio.sleep, 0.001, "done", always=True)

    steps = Steps()
    with pytest.raises(errors.DeadlineExceeded, match='the step "slow"'):
        run_coroutine(command(steps))
    assert steps.results == {"always": "done"}
    with pytest.raises(errors.DeadlineExceeded, match="what the steps do"):
        run_coroutine(command(Steps(0.02)))


def test_async_always_is_done_after_a_cancellation() -> None:
    async def command(steps: Steps) -> None:
        async with steps:
            steps.add("wait", asyncio.sleep, 1000)
            steps.add("always", asyncio.sleep, 0.001, "done", always=True)

    steps = Steps()
    with cancellation.Scope("test") as scope:
        thread = threading.Timer(0.05, scope.cancel, ["enough"])
        thread.start()
        with pytest.raises(errors.Cancelled, match="enough"):
            run_coroutine(command(steps))
        thread.join()
    assert steps.results == {"always": "done"}
