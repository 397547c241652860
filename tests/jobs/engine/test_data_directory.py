"""One server in a data directory."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.engine.data_directory import DataDirectory
from projects.jobs.engine.settings import Settings


def directory(path: Path) -> DataDirectory:
    return DataDirectory(Settings(data_directory=path))


@pytest.mark.parametrize("removed", [False, True])
def test_a_second_server_stays_out_also_when_the_lock_file_was_removed(
    tmp_path: Path, removed: bool
) -> None:
    first, second = directory(tmp_path), directory(tmp_path)
    first.claim()
    if removed:
        (tmp_path / "server.lock").unlink()
    for _ in range(2):
        with pytest.raises(InfrastructureError, match=f"works in {tmp_path}; stop it"):
            second.claim()
    first.release()
    second.claim()
    with pytest.raises(InfrastructureError, match=f"works in {tmp_path}; stop it"):
        first.claim()
    second.release()


def test_where_directories_cannot_be_locked_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> Any:
        if Path(f"/proc/self/fd/{descriptor}").readlink() == tmp_path:
            raise OSError(9, "Bad file descriptor")
        return real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    first, second = directory(tmp_path), directory(tmp_path)
    first.claim()
    with pytest.raises(InfrastructureError, match="works in"):
        second.claim()
    first.release()
