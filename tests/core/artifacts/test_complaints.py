"""Complaints are said once."""

from __future__ import annotations

import sys

import pytest

from projects.core.artifacts.complaints import complain


def test_the_same_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    complain("cannot write x", OSError(28, "No space left on device"))
    complain("cannot write x", OSError(28, "No space left on device"))
    complain("cannot write y", ValueError("odd"))
    assert capsys.readouterr().err == (
        "topgallant: cannot write x: No space left on device\n"
        "topgallant: cannot write y: ValueError: odd\n"
    )


def test_a_broken_stderr_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    complain("cannot write x", "because")
