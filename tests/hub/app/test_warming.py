"""What is made ready after a start, and that nothing is where nobody needs it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from projects.core.errors import InfrastructureError
from projects.hub.app.warming import warm
from projects.hub.pages import rendering

JUDGES = """
import sys
from projects.hub.tables.plots import Plots
before = "numpy" in sys.modules
Plots.rehearse()
print(before, "numpy" in sys.modules, "projects.hub.tables.plot" in sys.modules)
"""


class Tables:
    def __init__(self, *known: str) -> None:
        self.known = known

    def seen_by(self, owner: str | None, groups: Any, *, limit: int) -> list[str]:
        assert owner is None
        return list(self.known[:limit])


class Away(Tables):
    def seen_by(self, owner: str | None, groups: Any, *, limit: int) -> list[str]:
        raise InfrastructureError("the database is away")


class Plots:
    def __init__(self) -> None:
        self.calls = [3, 2, 1]
        self.left: list[int] = []

    def called(self) -> int:
        return len(self.calls) and self.calls.pop()

    def rehearse(self) -> None:
        self.left.append(len(self.calls))


def warmed(tables: Tables) -> list[int]:
    """Return for each rehearsal how many looks for calls were left to be made."""
    plots = Plots()
    asyncio.run(warm(tables, plots, plots.called, 0.0))  # type: ignore[arg-type]
    return plots.left


def test_all_templates_are_compiled() -> None:
    environment = rendering.environment()
    assert environment.cache is not None
    environment.cache.clear()
    warmed(Tables())
    assert len(environment.cache) == len(environment.list_templates())


def test_a_verdict_is_rehearsed_where_there_is_a_table() -> None:
    assert warmed(Tables("lab/speed", "lab/size")) == [0]  # nobody calls any more
    assert warmed(Tables()) == []
    assert warmed(Away()) == []


def test_a_rehearsal_imports_what_judges_and_draws(checkout: Path) -> None:
    words = [sys.executable, "-c", JUDGES]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"]
