from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core import errors
from projects.core.artifacts.journal import span
from projects.core.processes import cancellation, retry
from projects.core.processes.coroutines import run_coroutine
from projects.core.processes.retry import Retry, wait_until, wait_until_async

if TYPE_CHECKING:
    from collections.abc import Iterator


@given(st.integers(1, 6), st.integers(0, 8))
def test_a_function_is_called_until_it_succeeds_or_attempts_are_used_up(
    attempts: int, failures: int
) -> None:
    calls: list[int] = []

    def flaky() -> str:
        calls.append(1)
        if len(calls) <= failures:
            raise ValueError(len(calls))
        return "done"

    if failures < attempts:
        assert retry.call(flaky, Retry(attempts, delay=0), span("step", "x")) == "done"
        assert len(calls) == failures + 1
    else:
        with pytest.raises(ValueError, match=str(attempts)):
            retry.call(flaky, Retry(attempts, delay=0), span("step", "x"))
        assert len(calls) == attempts


def test_pauses_grow_by_the_backoff() -> None:
    tried = Retry(4, delay=1.5, backoff=2)
    assert [tried.pause_after(n, ValueError()) for n in (1, 2, 3, 4)] == [1.5, 3, 6, None]


def test_other_exceptions_are_not_tried_again() -> None:
    assert Retry(4, on=(OSError,)).pause_after(1, FileNotFoundError()) == 1
    assert Retry(4, on=(OSError,)).pause_after(1, ValueError()) is None


def test_nothing_is_tried_again_once_the_deadline_has_passed() -> None:
    calls: list[int] = []

    def slow() -> None:
        calls.append(1)
        cancellation.sleep(1000)

    with pytest.raises(errors.DeadlineExceeded), cancellation.deadline(0.02):
        retry.call(slow, Retry(100, delay=0), span("step", "x"))
    assert calls == [1]


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, -1, 1), (1, 1, 0)])
def test_numbers_that_make_no_sense_are_refused(numbers: tuple[int, float, float]) -> None:
    with pytest.raises(errors.UsageError, match="makes no sense"):
        Retry(*numbers)


def test_waiting_returns_what_the_condition_says() -> None:
    answers: Iterator[object] = iter(("", [], 0, "ready"))
    assert wait_until(lambda: next(answers), timeout=30, interval=0) == "ready"
    assert wait_until(lambda: 5, timeout=0) == 5


def test_waiting_ends_with_what_was_waited_for_and_the_last_answer() -> None:
    said = "waited 0.02 s until the pods are ready; the last answer was 0"
    with pytest.raises(errors.DeadlineExceeded, match=said):
        wait_until(lambda: 0, 0.02, 0.001, "the pods are ready")


def test_what_a_condition_raises_goes_on() -> None:
    def broken() -> bool:
        raise KeyError("x")

    with pytest.raises(KeyError):
        wait_until(broken, 30)


def test_waiting_is_cancelled_and_has_deadlines() -> None:
    with cancellation.Scope("test") as scope, pytest.raises(errors.Cancelled):
        wait_until(lambda: scope.cancel("enough"), 1000, 1000)
    with (
        pytest.raises(errors.DeadlineExceeded, match="outer"),
        cancellation.deadline(0.02, "outer"),
    ):
        wait_until(lambda: False, 1000, 1000)


def test_waiting_in_a_loop() -> None:
    answers = iter((0, 0, "ready"))

    async def condition() -> object:
        await asyncio.sleep(0)
        return next(answers)

    assert run_coroutine(wait_until_async(condition, 30, 0)) == "ready"
    assert run_coroutine(wait_until_async(lambda: 5, 0)) == 5
    with pytest.raises(errors.DeadlineExceeded, match="until never"):
        run_coroutine(wait_until_async(lambda: False, 0.01, 0.001, "never"))
