"""An event loop as one part of a scope: coroutines that are cancelled with it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from projects.core.processes.cancellation import Watch, waiting

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in an event loop of its own, as one part of this scope.

    A cancellation of the scope cancels its task, whose `finally` blocks run, and is raised.
    """
    import asyncio

    async def main() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy; asyncio.run made one

        def cancel() -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(task.cancel)

        with Watch(on_wake=cancel) as watch:
            try:
                return await coroutine
            except asyncio.CancelledError:
                watch.raise_cause()
                raise

    with waiting():
        try:
            return asyncio.run(main())
        finally:
            coroutine.close()
