"""The toolkit as a user has it: a copy of the checkout, called as a process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

Call = Callable[..., subprocess.CompletedProcess[str]]

_NEVER = shutil.ignore_patterns(
    ".venv*", "artifacts", ".git", "__pycache__", ".topgallant", ".*_cache", ".hypothesis"
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout that a test may add to."""
    there = tmp_path_factory.mktemp("checkout") / "topgallant"
    # The room of that name below projects/ is not the folder of runs at the top.
    shutil.copytree(CHECKOUT, there, ignore=_except_top_artifacts)
    return there


def _except_top_artifacts(folder: str, names: list[str]) -> set[str]:
    ignored = _NEVER(folder, names)
    return ignored if Path(folder) == CHECKOUT else ignored - {"artifacts"}


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user with nothing set up but Python."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "TOPGALLANT_VENV": sys.prefix,
    }


@pytest.fixture
def call(copy: Path, environ: dict[str, str]) -> Call:
    """Return a function that calls `./run_toolbox.py WORD…` in the copy."""

    def call_it(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "./run_toolbox.py", *words],
            cwd=copy,
            env=environ | more,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return call_it
