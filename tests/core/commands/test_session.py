from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

import pytest

from projects.core import errors
from projects.core.artifacts import directory
from projects.core.commands import session
from projects.core.commands.session import Words

WORDS = Words(project="shop", verb="test_ci", command_line=("shop", "test_ci", "quick"))


def events(root: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (root / "events.jsonl").read_text().splitlines()]


def test_a_run_directory_is_named_after_moment_project_and_verb(tmp_path: Path) -> None:
    moment = time.strptime("2026-01-02 03:04:05", "%Y-%m-%d %H:%M:%S")
    made = session.make_run_directory(tmp_path, WORDS, moment)
    assert made.name == "20260102-030405__shop__test_ci"
    assert (tmp_path / "latest").resolve() == made


def test_two_runs_of_one_second_have_two_directories(tmp_path: Path) -> None:
    moment = time.localtime()
    first, second = (session.make_run_directory(tmp_path, WORDS, moment) for _ in range(2))
    assert first != second
    assert second.name == f"{first.name}-2"


@pytest.mark.parametrize(
    "word",
    ["{base}/{run}", "artifacts/{run}/000__a", "--source={run}/", "download.url=file:///x/{run}"],
)
def test_a_call_about_the_latest_run_leaves_it_the_latest(tmp_path: Path, word: str) -> None:
    moment = time.localtime()
    run = session.make_run_directory(tmp_path, WORDS, moment)
    about = Words("shop", "replot", ("shop", "replot", word.format(base=tmp_path, run=run.name)))
    for _ in range(2):
        session.make_run_directory(tmp_path, about, moment)
    assert (tmp_path / "latest").resolve() == run


def test_a_call_about_an_earlier_run_becomes_the_latest(tmp_path: Path) -> None:
    moment = time.localtime()
    first, _ = (session.make_run_directory(tmp_path, WORDS, moment) for _ in range(2))
    about = Words("shop", "replot", ("shop", "replot", str(first)))
    made = session.make_run_directory(tmp_path, about, moment)
    assert (tmp_path / "latest").resolve() == made


def test_a_base_that_is_a_file_is_an_infrastructure_error(tmp_path: Path) -> None:
    base = tmp_path / "taken"
    base.write_text("")
    with pytest.raises(errors.InfrastructureError, match="taken"):
        session.make_run_directory(base, WORDS, time.localtime())


def test_artifact_dir_of_the_environment_is_the_run_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "given"))
    with session.opened(WORDS) as run:
        assert run.place.path == tmp_path / "given"
        assert directory.current() == tmp_path / "given"
        assert not run.place.nested


def test_a_child_of_a_run_adds_to_its_journal_and_leaves_the_closing_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events.jsonl").write_text("")
    (tmp_path / "000__x").mkdir()
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "000__x"))
    monkeypatch.setenv("TOPGALLANT_RUN", str(tmp_path))
    with session.opened(WORDS) as run:
        assert run.place.nested
    assert len(events(tmp_path)) == 2
    assert not (tmp_path / "000__x" / "FINISHED").exists()


def test_a_stale_variable_of_another_run_does_not_make_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTIFACT_DIR", str(tmp_path / "mine"))
    monkeypatch.setenv("TOPGALLANT_RUN", str(tmp_path / "gone"))
    with session.opened(WORDS) as run:
        assert not run.place.nested


def test_a_run_leaves_what_the_page_and_ci_need() -> None:
    with session.opened(WORDS) as run:
        root = run.place.path
    names = {path.name for path in root.iterdir()}
    assert {"events.jsonl", "junit.xml", "timeline.html", "reports_index.html", "FINISHED"} <= names
    assert "FAILURES" not in names
    assert "passed" in (root / "FINISHED").read_text()


def test_what_is_printed_and_logged_is_in_the_run_log_and_streams_are_put_back() -> None:
    before = sys.stdout, sys.stderr, list(logging.getLogger().handlers)
    with session.opened(WORDS) as run:
        print("printed")
        logging.getLogger("x").info("logged")
    assert (sys.stdout, sys.stderr, list(logging.getLogger().handlers)) == before
    log = (run.place.path / "_run.log").read_text()
    assert "printed\n" in log
    assert "INFO logged\n" in log


def test_an_exception_goes_on_and_is_accounted_for() -> None:
    with pytest.raises(RuntimeError, match="broken"), session.opened(WORDS) as run:
        raise RuntimeError("broken")
    root = run.place.path
    assert "RuntimeError: broken" in (root / "FAILURE").read_text()
    assert (root / "FAILURES").read_text() == "FAILURE | RuntimeError: broken\n"
    assert "failed" in (root / "FINISHED").read_text()
    assert events(root)[-1]["outcome"] == "failed"


def test_a_run_within_a_run_is_that_run() -> None:
    with session.opened(WORDS) as outer, session.opened(WORDS) as inner:
        assert inner is outer
    assert session.current() is None


def test_a_directory_that_cannot_be_written_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTIFACT_DIR", "/proc/none")
    with pytest.raises(errors.InfrastructureError, match="/proc/none"), session.opened(WORDS):
        pytest.fail("the block must not be entered")
    assert session.current() is None
    assert directory.run_root() is None


def test_the_environment_of_the_process_is_never_written() -> None:
    before = dict(os.environ)
    with session.opened(WORDS), directory.NextArtifactDir("x"):
        assert dict(os.environ) == before
