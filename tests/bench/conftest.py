from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def _use_the_environment_of_the_tests(
    _clean_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPGALLANT_VENV", sys.prefix)
