from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    """A checkout of its own, in which projects can be made."""
    place = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(checkout / "projects", place / "projects", ignore=ignore)
    for name in ("run_toolbox.py", "requirements.lock"):
        shutil.copy(checkout / name, place / name)
    return place


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(copy / "run_toolbox.py"), *words],
        env=dict(os.environ) | {"TOPGALLANT_VENV": sys.prefix, "CI": "true"},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_project_runs_at_once(copy: Path, tmp_path: Path) -> None:
    made = run(copy, "skeleton", "new", "my_test")
    assert made.returncode == 0, made.stderr
    assert "./run_toolbox.py my_test test_ci quick" in made.stderr
    assert "my_test" in run(copy).stdout
    done = run(copy, "my_test", "test_ci", "quick")
    assert done.returncode == 0, done.stderr
    (result,) = (tmp_path / "artifacts").glob("*__my_test__test_ci/000__my_test_target__measure")
    assert yaml.safe_load((result / "settings.yaml").read_text()) == {
        "algorithm": "sha256",
        "megabytes": 200,
    }
    assert (result / "exit_code").read_text() == "0\n"
    assert json.loads((result / "results.json").read_text())["megabytes_per_second"] > 0
    checked = run(copy, "config", "check", "my_test")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("verb", ["prepare_ci", "cleanup_cluster_ci"])
def test_the_other_entrypoints_of_the_skeleton_go_through(copy: Path, verb: str) -> None:
    assert run(copy, "skeleton", verb).returncode == 0


def test_a_bad_name_is_an_error_that_says_a_good_one(copy: Path) -> None:
    done = run(copy, "skeleton", "new", "my-test")
    assert done.returncode == 2
    assert 'Try "my_test"' in done.stderr


def test_plots_are_not_pretended(copy: Path) -> None:
    done = run(copy, "skeleton", "generate_plots_from_pr_args")
    assert done.returncode == 2
    assert "has no plots" in done.stderr
