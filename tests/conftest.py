"""What every test begins with: none of the variables that a run around it may have set."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from projects.core.secrets import masking

pytest_plugins = [
    "tests.components.hub_server",
    "tests.components.postgres",
    "tests.components.s3_server",
]

# How busy the machine is decides about no test.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

CHECKOUT = Path(__file__).resolve().parents[1]

_OURS = ("TOPGALLANT_", "TOPSAIL_", "PR_POSITIONAL_", "ARTIFACT_DIR", "SHARED_DIR", "OPENSHIFT_CI")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(_OURS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TOPGALLANT_BASE_DIR", str(tmp_path / "artifacts"))
    # Else the first command of a fresh checkout makes an environment, and says so.
    monkeypatch.setenv("TOPGALLANT_VENV", sys.prefix)
    masking.forget_all()


@pytest.fixture
def checkout() -> Path:
    """Return the folder that holds `run_toolbox.py`."""
    return CHECKOUT
