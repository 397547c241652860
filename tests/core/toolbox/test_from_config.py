"""`from_config GROUP COMMAND`: arguments shown, and commands called with them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from projects.core.commands import session
from projects.core.errors import ConfigurationError
from projects.core.toolbox.from_config import from_config

if TYPE_CHECKING:
    from pathlib import Path


def test_show_args_prints_all_arguments_or_one(small_checkout: Path) -> None:
    shown = {"key": "tests.users", "project": "demo", "_note": "for test-10"}
    assert from_config("config", "show", show_args=True, project="demo") == shown
    assert from_config("config", "show", show_args="_note", project="demo") == "for test-10"
    assert from_config("config", "show", show_args="key", extra={"key": "mine"}) == "mine"


def test_an_unknown_argument_names_the_nearest(small_checkout: Path) -> None:
    with pytest.raises(ConfigurationError, match=r'j2:1:1: .*did you mean "_note"'):
        from_config("config", "show", show_args="_not")


def test_dump_config_prints_the_rendered_template(small_checkout: Path) -> None:
    assert "key: tests.users\n" in from_config("dump", "config")


def test_the_files_can_be_given(small_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, template = small_checkout / "other.yaml", small_checkout / "other.j2"
    config.write_text("n: 5\n")
    template.write_text("pre/a b/post:\n  c: {{ n }}\n")
    given: dict[str, Any] = {
        "prefix": "pre",
        "suffix": "post",
        "show_args": "c",
        "config_file": str(config),
    }
    assert from_config("a", "b", command_args_file=str(template), **given) == 5
    monkeypatch.setenv("TOPSAIL_FROM_COMMAND_ARGS_FILE", str(template))
    assert from_config("a", "b", **given) == 5


def test_the_command_is_called_in_a_directory_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "command_args.yaml.j2"
    template.write_text("config show:\n  key: tests.row_bytes\n  project: sqlite_bench\n")
    value = from_config("config", "show", command_args_file=str(template), project="sqlite_bench")
    assert value == 100
    assert (
        tmp_path / "artifacts" / "latest" / "000__config__show" / "_meta" / "restart.sh"
    ).exists()
    capsys.readouterr()


def test_on_the_command_line_data_goes_to_stdout_alone(tmp_path: Path, checkout: Path) -> None:
    argv = ["from_config", "sqlite", "prepare", "--project=sqlite_bench", "--show_args"]
    done = subprocess.run(
        [sys.executable, checkout / "run_toolbox.py", *argv, "--output=json"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert set(json.loads(done.stdout)) == {"directory", "rows_limit", "row_bytes"}
    assert done.stderr == b""


def test_within_a_run_the_command_gets_a_directory_of_that_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = tmp_path / "command_args.yaml.j2"
    template.write_text("config show:\n  key: tests.row_bytes\n  project: sqlite_bench\n")
    with session.opened(session.Words("demo", "test")) as run:
        given = {"command_args_file": str(template), "project": "sqlite_bench"}
        assert from_config("config", "show", extra=None, **given) == 100
        assert (run.place.path / "000__config__show").is_dir()
    assert len(list((tmp_path / "artifacts").glob("*__*"))) == 1
    capsys.readouterr()
