from __future__ import annotations

import os
from pathlib import Path

import pytest

from projects.core.errors import UsageError
from projects.jobs.tools.inside import Outside, inside, open_inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    there = tmp_path / "job"
    (there / "sub").mkdir(parents=True)
    (there / "sub" / "r.json").write_text("{}")
    (there / "in").symlink_to("sub")
    (there / "out").symlink_to("..")
    (tmp_path / "job2").mkdir()
    (tmp_path / "secret").write_text("x")
    return there


@pytest.mark.parametrize("path", ["sub/r.json", "in/r.json", "./sub/../sub/r.json"])
def test_files_below_are_opened(root: Path, path: str) -> None:
    assert inside(root, path) == str(root / "sub" / "r.json")
    with open_inside(root, path) as file:
        assert file.read() == b"{}"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "out/secret", "sub/../../secret",
                                  "../job2", "a\0b", "out"])  # fmt: skip
def test_sat_31_nothing_leads_out(root: Path, path: str) -> None:
    with pytest.raises(Outside):
        inside(root, path)
    with pytest.raises(Outside):
        open_inside(root, path)


def test_what_is_not_there_is_still_inside(root: Path) -> None:
    assert inside(root, "new/x") == str(root / "new" / "x")
    with pytest.raises(FileNotFoundError):
        open_inside(root, "new/x")


def test_only_files_are_opened(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path in ("pipe", "sub"):
        with pytest.raises(UsageError, match="is not a file"):
            open_inside(root, path)


def test_a_link_that_comes_into_being_meanwhile_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_folder = os.open

    def replace_then_open(path: str, *args: int, **more: int) -> int:
        if path == "sub":
            (root / "sub").rename(root / "old")
            (root / "sub").symlink_to("..")
        return open_folder(path, *args, **more)

    monkeypatch.setattr(os, "open", replace_then_open)
    with pytest.raises(OSError, match="sub"):
        open_inside(root, "sub/r.json")
