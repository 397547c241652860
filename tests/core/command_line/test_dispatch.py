"""Fire finds the call and retypes nothing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.core.command_line.dispatch import dispatch

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("value", ["01", "[1]", None, {"a": 1}, print, [], "--help", int])
def test_what_the_call_returns_comes_back_untouched(
    value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["disk", "test_ci"], lambda: value) is value
    assert capsys.readouterr() == ("", "")


def test_an_exception_passes() -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        dispatch(["a", "b"], fail)


def test_asyncio_is_the_real_one_afterwards() -> None:
    code = (
        "import sys; from projects.core.command_line.dispatch import dispatch;"
        "dispatch(['a'], lambda: None);"
        "assert 'asyncio' not in sys.modules;"
        "import asyncio; print(asyncio.run(asyncio.sleep(0, 'slept')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "slept\n"
