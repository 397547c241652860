"""What parsers name is fetched, wherever the result is, and what says what a run was."""

from __future__ import annotations

import pytest

from projects.matrix_benchmarking.replot.wanted import wanted


@pytest.mark.parametrize(
    "path",
    [
        "settings.yaml",
        "run/003__test/settings.mode.yaml",
        "run/exit_code",
        "run/skip",
        "run/FAILURE",
        "manifest.json",
        "run/_meta/metadata.yaml",
        "run/001__x/results.json",
        "run/001__x/artifacts/db/a.log",
        "artifacts/a.log",
    ],
)
def test_wanted(path: str) -> None:
    assert wanted(["results.json", "artifacts/**/*.log"])(path)


@pytest.mark.parametrize(
    "path", ["run/other.json", "results.json.gz", "old_results.json", "run/pod.log", "FAILURE.bak"]
)
def test_not_wanted(path: str) -> None:
    assert not wanted(["results.json", "artifacts/**/*.log"])(path)
