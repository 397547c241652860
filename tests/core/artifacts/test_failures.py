"""FAILURE and FAILURES."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from projects.core import errors
from projects.core.artifacts import failures
from projects.core.artifacts.directory import NextArtifactDir
from projects.core.secrets import masking


def fail_inside() -> None:
    with NextArtifactDir("outer"), NextArtifactDir("inner"):
        raise RuntimeError("the disk is on fire")


def test_the_inner_directory_has_the_traceback_the_outer_one_points_there(run_root: Path) -> None:
    with pytest.raises(RuntimeError):
        fail_inside()
    inner = (run_root / "000__outer/000__inner/FAILURE").read_text()
    assert inner.startswith("RuntimeError: the disk is on fire\n\nTraceback")
    assert "in fail_inside" in inner
    outer = (run_root / "000__outer/FAILURE").read_text()
    assert outer == "RuntimeError: the disk is on fire\n  see 000__inner/FAILURE\n"


def test_one_exception_is_written_once_per_directory(tmp_path: Path) -> None:
    error = ValueError("x")
    failures.record(tmp_path, error)
    once = (tmp_path / "FAILURE").read_text()
    failures.record(tmp_path, error)
    assert (tmp_path / "FAILURE").read_text() == once
    failures.record(tmp_path, KeyError("another"))
    assert (tmp_path / "FAILURE").read_text().count("another") == 2


def test_a_secret_is_masked_in_message_and_traceback(run_root: Path) -> None:
    masking.register("hunter22", "password")
    with pytest.raises(ValueError, match="hunter22"), NextArtifactDir("x"):
        raise ValueError("cannot log in with hunter22")
    text = (run_root / "000__x/FAILURE").read_text()
    assert "hunter22" not in text
    assert "cannot log in with ***" in text


def test_a_group_points_at_the_tasks_that_failed(tmp_path: Path) -> None:
    a, b = tmp_path / "000__a", tmp_path / "001__b"
    broken = [ValueError("one"), KeyError("two")]
    for folder, error in zip((a, b), broken, strict=True):
        folder.mkdir()
        failures.record(folder, error)
    group = errors.ParallelFailed("measure", ExceptionGroup("2 tasks failed", broken))
    failures.record(tmp_path, group)
    text = (tmp_path / "FAILURE").read_text()
    assert "see 000__a/FAILURE" in text
    assert "see 001__b/FAILURE" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit(None), GeneratorExit()])
def test_what_is_no_failure_is_not_written(error: BaseException, tmp_path: Path) -> None:
    failures.record(tmp_path, error)
    assert os.listdir(tmp_path) == []


def test_an_interruption_is_one_line(tmp_path: Path) -> None:
    failures.record(tmp_path, errors.Interrupted(15))
    assert (tmp_path / "FAILURE").read_text() == "Interrupted: interrupted by SIGTERM\n"


def test_a_frozen_exception_can_be_recorded(tmp_path: Path) -> None:
    @dataclasses.dataclass(frozen=True)
    class Frozen(Exception):
        why: str

    failures.record(tmp_path, Frozen("because"))
    assert "Frozen" in (tmp_path / "FAILURE").read_text()


def test_an_exception_that_cannot_say_its_message_is_named_all_the_same(tmp_path: Path) -> None:
    class Silent(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    failures.record(tmp_path, Silent())
    assert (tmp_path / "FAILURE").read_text().startswith("Silent: <exception str() failed>\n")


def test_a_huge_message_loses_its_middle(tmp_path: Path) -> None:
    failures.record(tmp_path, ValueError("x" * 1_000_000))
    text = (tmp_path / "FAILURE").read_text()
    assert len(text) < failures.MOST_TEXT + 100
    assert "characters left out" in text


def test_the_exception_survives_a_directory_that_is_gone_and_that_is_said_once(
    run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def disappear() -> None:
        with NextArtifactDir("x") as path:
            os.rmdir(path)
            raise ValueError("the original")

    with pytest.raises(ValueError, match="the original"):
        disappear()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "000__x/FAILURE: No such file or directory" in said


def test_the_exception_survives_a_full_disk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FAILURE").symlink_to("/dev/full")
    failures.record(tmp_path, ValueError("x"))
    assert "No space left on device" in capsys.readouterr().err


def test_failures_lists_each_failure_where_it_happened(run_root: Path) -> None:
    for name in ("b", "a"):
        with pytest.raises(RuntimeError), NextArtifactDir(name), NextArtifactDir("inner"):
            raise RuntimeError(f"from {name}")
    assert failures.write_failures(run_root) == 2
    assert (run_root / "FAILURES").read_text() == (
        "000__b/000__inner/FAILURE | RuntimeError: from b\n"
        "001__a/000__inner/FAILURE | RuntimeError: from a\n"
    )


def test_cancelled_siblings_are_listed_only_where_nothing_else_is(run_root: Path) -> None:
    with pytest.raises(errors.Cancelled), NextArtifactDir("sibling"):
        raise errors.Cancelled("another task failed")
    assert len(failures.gather(run_root)) == 1
    with pytest.raises(RuntimeError), NextArtifactDir("culprit"):
        raise RuntimeError("broken")
    assert failures.gather(run_root) == [("001__culprit/FAILURE", "RuntimeError: broken")]


def test_without_a_failure_there_is_no_failures_file(tmp_path: Path) -> None:
    assert failures.write_failures(tmp_path) == 0
    assert not (tmp_path / "FAILURES").exists()
