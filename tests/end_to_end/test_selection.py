"""What `configure` keeps counts for calls of `project`, and for nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.conftest import Call


def test_a_selected_preset_counts_for_project_and_not_for_a_name(call: Call, copy: Path) -> None:
    entered = call("configure", "enter", "sqlite_bench", "--preset=quick")
    assert entered.returncode == 0, entered.stderr
    assert call("project", "prepare_ci").returncode == 0
    assert "preset[quick]" in (copy / "artifacts/latest/presets_applied").read_text()
    script = (copy / "artifacts/latest/_meta/restart.sh").read_text()
    assert "./run_toolbox.py sqlite_bench prepare_ci" in script
    assert call("sqlite_bench", "prepare_ci").returncode == 0
    assert (copy / "artifacts/latest/presets_applied").read_text() == ""
