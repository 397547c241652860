from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from projects.jobs.process import kernel


def test_a_process_is_found_by_its_mark_also_while_it_is_being_executed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    child = subprocess.Popen(["sleep", "60"], env={kernel.MARK: "mine.1"}, start_new_session=True)
    try:
        read = kernel._environment
        looks: list[str] = []

        def not_yet(pid: str) -> bytes | None:
            if pid == str(child.pid) and len(looks) < 3:
                looks.append(pid)
                return b""  # as proc_pid_environ(5) shows it until execve(2) is through
            return read(pid)

        monkeypatch.setattr(kernel, "_environment", not_yet)
        assert [found.pid for found in kernel.marked("mine.1")] == [child.pid]
        assert kernel.marked("nobody's.1") == []
    finally:
        child.kill()
        child.wait()


def test_only_those_of_the_names_are_ended(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w"):
        assert kernel.end_holders(str(path), ["job-runner"]) == []
    assert kernel.end_holders(str(tmp_path / "other"), ["job-runner"]) == []
