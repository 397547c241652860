"""An event loop as one part of a scope: coroutines that are cancelled with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from projects.core.processes import attention, cancellation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

T = TypeVar("T")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own, as one part of this scope.

    A cancellation of the scope cancels its task once, so that `finally` blocks can await, and is
    raised here. The deadline of this context is kept in the same way.

    Errors
    ------
    Cancelled, Interrupted, DeadlineExceeded
        As `cancellation.checkpoint` does.
    """
    import asyncio

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: this runs in one

        def cancel() -> None:
            # Delivered by this; a command within the coroutine may have raised it already.
            if watch.scope.take() is not None:
                task.cancel()

        def cancel_soon() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(cancel)

        with cancellation.Watch(on_wake=cancel_soon) as watch:
            try:
                return await in_time(coroutine)
            except asyncio.CancelledError:
                watch.raise_cause()
                raise

    with attention.waiting():
        try:
            return asyncio.run(main())
        finally:
            coroutine.close()


async def in_time(awaitable: Awaitable[T]) -> T:
    """Await under the nearest deadline of this context, which cancels what is awaited.

    Errors
    ------
    DeadlineExceeded
        It took too long.
    """
    import asyncio

    limit = cancellation.nearest_deadline()
    left = limit.left() if limit else float("inf")
    if limit is None or left == float("inf"):
        return await awaitable
    timer = asyncio.timeout(max(0.0, left))
    try:
        async with timer:
            return await awaitable
    except TimeoutError:
        if timer.expired():
            limit.check()
        raise
