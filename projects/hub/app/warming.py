"""What the first visitor after a start would wait for: templates compiled, what judges imported."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from projects.core.errors import TopgallantError
from projects.hub.pages import rendering

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projects.hub.tables.plots import Plots
    from projects.hub.tables.store import Tables

PATIENCE = 0.25
"""Seconds without a call before each step: those who wait for something else come first."""


async def warm(
    tables: Tables, plots: Plots, calls: Callable[[], int], patience: float = PATIENCE
) -> None:
    """Do in small steps, while nobody calls, what takes half a second of a processor.

    `calls` says how many there were so far. Nothing is judged where there are no tables: the
    libraries for it take 10 MiB.
    """
    for step in _steps(tables, plots):
        before = -1
        while before != calls():
            before = calls()
            await asyncio.sleep(patience)
        with contextlib.suppress(TopgallantError):  # a page says what is wrong
            await asyncio.to_thread(step)


def _steps(tables: Tables, plots: Plots) -> Iterator[Callable[[], object]]:
    def judge() -> None:
        if tables.seen_by(None, (), limit=1):
            plots.rehearse()

    yield judge
    yield rendering.environment
    templates = rendering.environment()
    for name in templates.list_templates():
        yield partial(templates.get_template, name)
