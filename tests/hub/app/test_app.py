"""What runs beside the hub goes on, whatever becomes of one turn."""

from __future__ import annotations

import asyncio

from projects.hub.app.app import repeat


def test_what_is_repeated_goes_on_after_any_error() -> None:
    turns: list[int] = []

    async def watch() -> None:
        enough = asyncio.Event()
        loop = asyncio.get_running_loop()

        def turn() -> None:
            turns.append(1)
            if len(turns) == 3:
                loop.call_soon_threadsafe(enough.set)
            raise [OSError("the disk fails"), ValueError("a mistake of ours")][len(turns) % 2]

        task = asyncio.ensure_future(repeat(turn, 0, 0))
        await asyncio.wait(
            {task, asyncio.ensure_future(enough.wait())}, return_when="FIRST_COMPLETED"
        )
        task.cancel()

    asyncio.run(watch())
    assert len(turns) >= 3
