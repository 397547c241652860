"""Every test begins without a run, without secrets, with nothing said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from projects.core.artifacts import complaints, directory
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    complaints.forget()
    masking.forget_all()
    before = directory.set_run_root(None)
    yield
    directory.set_run_root(before)
    masking.forget_all()


@pytest.fixture
def run_root(tmp_path: Path) -> Path:
    directory.set_run_root(tmp_path)
    return tmp_path
