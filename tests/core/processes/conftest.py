"""A run's directory, sinks and scope for each test, and a mark that its processes inherit."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from projects.core.artifacts import directory
from projects.core.processes import cancellation, output
from projects.core.secrets import masking
from tests.core.processes.watching import MARK, alive, end_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    before = directory.set_run_root(tmp_path)
    yield tmp_path
    directory.set_run_root(before)


@pytest.fixture
def scope() -> Iterator[cancellation.Scope]:
    with cancellation.Scope("test", grace=0.3) as scope:
        yield scope


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark


@pytest.fixture
def nobody_left(mark: str) -> Iterator[str]:
    """At the end no process is alive that has inherited the mark (we ourselves began before)."""
    yield mark
    left = alive(mark)
    end_all(mark)
    assert left == {}


class Kept:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def write(self, text: str) -> None:
        self.pieces.append(text)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@pytest.fixture
def kept() -> Iterator[Kept]:
    sink = Kept()
    with output.attached(sink):
        yield sink


@pytest.fixture
def secret() -> Iterator[str]:
    masking.register("hunter2-hunter2", "password")
    yield "hunter2-hunter2"
    masking.forget_all()
