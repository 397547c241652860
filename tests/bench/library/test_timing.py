"""Seconds of calls and of processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from projects.bench.library.timing import (
    MeasuredProgramFailed,
    seconds_of_calls,
    seconds_of_process,
    seconds_per_call,
)


def test_a_function_is_called_as_often_as_asked() -> None:
    called: list[int] = []
    assert seconds_of_calls(lambda: called.append(1), 5) >= 0
    assert len(called) == 5


def test_a_fast_function_is_called_until_its_time_can_be_told() -> None:
    called: list[int] = []
    assert seconds_per_call(lambda: called.append(1), at_least=0.001) > 0
    assert len(called) > 2


def spawn(*words: str) -> float:
    return seconds_of_process([sys.executable, *words], environment=os.environ, cwd=Path.cwd())


def test_a_process_takes_time() -> None:
    assert spawn("-c", "pass") > 0


def test_a_failing_process_says_its_status_and_last_lines() -> None:
    with pytest.raises(MeasuredProgramFailed, match=r"status 3:\n(.|\n)*sorry") as caught:
        spawn("-c", "import sys; print('x\\n' * 99, 'sorry', sep=''); sys.exit(3)")
    assert len(str(caught.value).splitlines()) == 21


def test_the_end_of_a_process_is_waited_for_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        pytest.fail(f"slept {seconds} s: what is measured would be rounded up to that")

    monkeypatch.setattr(time, "sleep", sleep)
    assert spawn("-c", "pass") > 0


def test_a_process_that_takes_too_long_is_killed_and_said(tmp_path: Path) -> None:
    with pytest.raises(MeasuredProgramFailed, match="status -9"):
        seconds_of_process(["sleep", "600"], environment=os.environ, cwd=tmp_path, timeout=0.01)


def test_its_environment_is_the_one_given(tmp_path: Path) -> None:
    seconds_of_process(
        [sys.executable, "-c", "import os, sys; sys.exit(os.environ['SAID'] != 'yes')"],
        environment={"SAID": "yes"},
        cwd=tmp_path,
    )
