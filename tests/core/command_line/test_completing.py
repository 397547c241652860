"""Completion, asked by main and by a real bash."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from projects.core.command_line.main import main

ROOT = Path(__file__).parents[3]


def ask(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["--complete", *words], str(root)) == 0
    return capsys.readouterr().out.splitlines()


def test_verbs_presets_flags_and_values(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(checkout, capsys, "zsh", "ro") == ["rows"]
    assert ask(checkout, capsys, "fish", "rows", "w") == ["write"]
    assert ask(checkout, capsys, "zsh", "disk", "test_ci", "") == ["quick", "full"]
    assert ask(checkout, capsys, "zsh", "rows", "write", "--t") == ["--tag="]
    assert ask(checkout, capsys, "bash", "./run_toolbox.py disk test_ci --mute=") == [
        "true",
        "false",
    ]


def test_projects_and_keys(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = checkout / "projects/disk/testing/config.yaml"
    config.write_text("ci_presets: {quick: {a.b: 1}}\na: {b: 1, c: [{d: 2}]}\n")
    assert ask(checkout, capsys, "zsh", "configure", "enter", "d") == ["disk"]
    assert ask(checkout, capsys, "zsh", "disk", "test_ci", "a") == ["a.b=", "a.c="]
    assert ask(checkout, capsys, "fish", "config", "show", "--project=disk", "a.") == ["a.b", "a.c"]


def test_broken_code_completes_to_nothing(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(checkout, capsys, "zsh", "broken", "") == []


def test_bash_completes_a_name(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    script = """
        eval "$(./run_toolbox.py completion bash)"
        COMP_LINE="./run_toolbox.py sqlite_b"; COMP_POINT=${#COMP_LINE}
        COMP_WORDS=(./run_toolbox.py sqlite_b); COMP_CWORD=1
        _topgallant 2>/dev/null
        printf '%s,' "${COMPREPLY[@]}"
        complete -p ./run_toolbox.py
    """
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("sqlite_bench,complete ")
