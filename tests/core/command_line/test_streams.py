"""Closed, full and abandoned streams, each tried in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

START = (
    "import sys; sys.path.insert(0, {root!r}); from projects.core.command_line.start import start\n"
)
CALL = START + "sys.exit(start(['--version'], {root!r}))"


def status_of(redirection: str, root: str) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", f'"$0" -c "$1" {redirection}', sys.executable, CALL.format(root=root)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"]},
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(closed: str, pytestconfig: pytest.Config) -> None:
    assert status_of(closed, str(pytestconfig.rootpath)) == (0, "")


def test_output_that_nobody_takes_is_told_once(pytestconfig: pytest.Config) -> None:
    status, said = status_of(">/dev/full", str(pytestconfig.rootpath))
    assert (status, said) == (2, "error: stdout: No space left on device\n")


def test_a_message_that_nobody_takes_does_not_change_the_status(
    pytestconfig: pytest.Config,
) -> None:
    assert status_of(">/dev/full 2>/dev/full", str(pytestconfig.rootpath)) == (2, "")
