"""A project folder written for TOPSAIL works as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import CHECKOUT
from tests.end_to_end.conftest import Call


@pytest.fixture(autouse=True)
def things(copy: Path) -> Path:
    """Put the project into the checkout."""
    there = copy / "projects" / "things"
    shutil.copytree(CHECKOUT / "tests/data/topsail_project", there, dirs_exist_ok=True)
    return there


def latest(copy: Path) -> Path:
    return (copy / "artifacts" / "latest").resolve()


def test_its_entrypoint_runs_with_presets_parallel_tasks_and_command_args(
    call: Call, copy: Path
) -> None:
    done = call("things", "test_ci", "tiny")
    assert done.returncode == 0, done.stderr
    root = latest(copy)
    inner = root / "000__test_things"
    assert (inner / "where").read_text().strip() == str(inner)
    assert "prepared tiny" in (inner / "000__prepare_things/001__prepare_one/_run.log").read_text()
    assert "1 of tiny-1" in (inner / "001__things__count/_run.log").read_text()
    assert yaml.safe_load((root / "config.yaml").read_text())["tests"]["done"] is True
    assert "secrets_location must be defined" in done.stderr


def test_its_own_check_of_the_secrets_directory_fails_the_run(call: Call, copy: Path) -> None:
    done = call("things", "prepare_ci")
    assert done.returncode == 1
    assert "Path '/env/not_set' does not exist" in done.stderr
    assert "RuntimeError" in (latest(copy) / "FAILURE").read_text()


def test_with_its_secrets_directory_it_prepares(call: Call, copy: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("anything")
    done = call("things", "prepare_ci", THINGS_SECRET_PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "token" in (latest(copy) / "secrets.sha256sum").read_text()


def test_directives_of_the_ci_choose_presets_and_set_keys(call: Call, tmp_path: Path) -> None:
    root = tmp_path / "ci"
    root.mkdir()
    (root / "variable_overrides.yaml").write_text(
        "PR_POSITIONAL_ARGS: things small\nPR_POSITIONAL_ARG_0: things\n"
        "PR_POSITIONAL_ARG_1: small\ntests.name: from the comment\n"
    )
    done = call("things", "test_ci", ARTIFACT_DIR=str(root))
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((root / "config.yaml").read_text())
    assert written["tests"]["label"] == "from the comment-1"


def test_its_help_lists_the_entrypoints(call: Call) -> None:
    done = call("things", "--help")
    assert done.returncode == 0, done.stderr
    assert "prepare_ci" in done.stdout
    assert "Runs the test from the CI" in done.stdout


def test_its_script_can_be_started_by_hand(
    copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "projects/things/testing/test.py", "test_ci"],
        cwd=copy,
        env=environ | {"PYTHONPATH": os.fspath(copy), "ARTIFACT_DIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/000__test_things/where").is_file()
