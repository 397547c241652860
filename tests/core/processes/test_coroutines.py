from __future__ import annotations

import asyncio
import threading

import pytest

from projects.core import errors
from projects.core.processes import cancellation, shell
from projects.core.processes.coroutines import in_time, run_coroutine


def cancel_when(event: threading.Event, scope: cancellation.Scope) -> threading.Thread:
    def wait() -> None:
        event.wait(30)
        scope.cancel("enough")

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_the_result_comes_back() -> None:
    async def command() -> int:
        await asyncio.sleep(0)
        return 3

    assert run_coroutine(command()) == 3


def test_a_cancellation_cancels_the_task_which_can_clean_up(scope: cancellation.Scope) -> None:
    begun, done = threading.Event(), []

    async def command() -> None:
        try:
            begun.set()
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.001)
            await asyncio.to_thread(shell.run, "true")
            done.append("cleaned")

    thread = cancel_when(begun, scope)
    with pytest.raises(errors.Cancelled, match="enough"):
        run_coroutine(command())
    thread.join()
    assert done == ["cleaned"]


def test_a_command_within_a_coroutine_raises_it_once(scope: cancellation.Scope) -> None:
    begun, done = threading.Event(), []

    async def command() -> None:
        try:
            begun.set()
            shell.run("sleep 1000")  # holds the loop, as one should not
        finally:
            await asyncio.sleep(0.001)
            done.append("cleaned")

    thread = cancel_when(begun, scope)
    with pytest.raises(errors.Cancelled, match="enough"):
        run_coroutine(command())
    thread.join()
    assert done == ["cleaned"]


def test_the_deadline_counts_for_what_is_awaited() -> None:
    async def command() -> None:
        await asyncio.sleep(1000)

    with (
        pytest.raises(errors.DeadlineExceeded, match="the command was not done"),
        cancellation.deadline(0.02, "the command"),
    ):
        run_coroutine(command())


def test_a_timeout_of_somebody_else_stays_what_it_is() -> None:
    async def command() -> None:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(1000)

    with pytest.raises(TimeoutError) as caught, cancellation.deadline(1000):
        run_coroutine(in_time(command()))
    assert not isinstance(caught.value, errors.DeadlineExceeded)


def test_a_cancelled_scope_starts_no_coroutine(scope: cancellation.Scope) -> None:
    async def command() -> None:
        raise AssertionError("started")

    scope.cancel("enough")
    with pytest.raises(errors.Cancelled):
        run_coroutine(command())
