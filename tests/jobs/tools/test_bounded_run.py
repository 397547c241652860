from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from projects.jobs.tools.bounded_run import run

LONG = 60


def test_output_is_returned_and_runs_in_the_directory(tmp_path: Path) -> None:
    done = run("pwd; echo ä", str(tmp_path), LONG, 1000)
    assert (done.output.decode(), done.failure) == (f"{tmp_path}\nä\n", "")


def test_the_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    names = {
        line.split("=")[0] for line in run("env", str(tmp_path), LONG, 9999).output.decode().split()
    }
    assert "SECRET_TOKEN" not in names
    assert names <= {"PATH", "HOME", "LANG", "USER", "TZ", "PWD", "SHLVL", "_", "OLDPWD"}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo oops >&2; exit 3", "exit status 3: oops"),
        ("kill -9 $$", "exit status -9"),
        ("yes", "it printed more than 1,000 bytes"),
        ("yes >&2 & exit 4", "exit status 4"),
    ],
)
def test_sat_36_a_failure_is_said(tmp_path: Path, command: str, said: str) -> None:
    assert run(command, str(tmp_path), LONG, 1000).failure.startswith(said)


def gone(pid: int) -> bool:
    """Say whether a process has ended; what nobody waits for may stay as a zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in ("Z", "X")


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + LONG
    while not gone(pid):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_sat_36_the_whole_group_is_killed_when_time_is_over(tmp_path: Path) -> None:
    done = run("trap '' TERM; sleep 100 & echo $!; wait", str(tmp_path), 0.2, 1000)
    assert done.failure == "it took longer than 0.2 s"
    wait_until_gone(int(done.output))


def test_what_it_leaves_behind_is_killed_and_not_waited_for(tmp_path: Path) -> None:
    done = run("sleep 100 & echo $!", str(tmp_path), LONG, 1000)
    assert done.failure == ""
    wait_until_gone(int(done.output))


def test_a_closed_stdout_is_no_end(tmp_path: Path) -> None:
    done = run("exec >&- 2>&-; exit 5", str(tmp_path), LONG, 1000)
    assert done.failure == "exit status 5"


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for command in ("true", "exit 1", "yes"):
        run(command, str(tmp_path), LONG, 1000)
    assert sorted(os.listdir("/proc/self/fd")) == before
