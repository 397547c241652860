from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import InfrastructureError
from projects.sqlite_bench.library.scratch import (
    check_room,
    leftovers,
    scratch_directory,
    space_needed,
)

if TYPE_CHECKING:
    from pathlib import Path


def finished_process() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_directory_goes_with_everything_in_it(tmp_path: Path) -> None:
    with scratch_directory(tmp_path) as data:
        (data / "deep").mkdir()
        (data / "deep" / "file").write_text("x")
    assert not list(tmp_path.iterdir())


def test_the_directory_goes_when_the_measurement_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch_directory(tmp_path):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_what_a_running_measurement_uses_is_not_left_over(tmp_path: Path) -> None:
    with scratch_directory(tmp_path):
        assert leftovers(tmp_path) == []


def test_what_a_dead_process_left_is_found(tmp_path: Path) -> None:
    left = tmp_path / f"sqlite_bench.{finished_process()}.abc"
    left.mkdir()
    assert leftovers(tmp_path) == [left]


def test_only_our_own_directories_are_taken(tmp_path: Path) -> None:
    pid = finished_process()
    (tmp_path / "sqlite_bench.notes").mkdir()
    (tmp_path / f"sqlite_bench.{pid}.file").write_text("a file")
    (tmp_path / f"sqlite_bench.{pid}.link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / f"sqlite_bench.{10**30}.large").mkdir()
    (tmp_path / "precious").mkdir()
    assert leftovers(tmp_path) == []
    assert leftovers(tmp_path / "missing") == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="nowhere: this directory does not exist"):
        check_room(tmp_path / "nowhere", 1)


def test_a_directory_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(InfrastructureError, match="Permission denied"):
        check_room(tmp_path, 1)


def test_too_little_room_says_how_much_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"MB are free, .* 1000000000000 MB; choose"):
        check_room(tmp_path, 10**18)


def test_the_free_bytes_are_returned_and_nothing_stays_behind(tmp_path: Path) -> None:
    assert check_room(tmp_path, 1) > 1
    assert not list(tmp_path.iterdir())


def test_the_room_that_is_asked_for_covers_what_a_repetition_writes(tmp_path: Path) -> None:
    from projects.sqlite_bench.library.measurement import Load, repeat
    from projects.sqlite_bench.library.points import Point

    load = Load(seconds=60, warmup_transactions=0, rows_limit=20_000, row_bytes=100)
    repeat(tmp_path / "data.sqlite", Point("wal", "off", 20_000), load)
    assert (tmp_path / "data.sqlite").stat().st_size <= space_needed(20_000, 100) / 3
