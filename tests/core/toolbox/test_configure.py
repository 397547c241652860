"""`configure enter|name|get|apply`: the selection of a checkout."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import ConfigurationError, InfrastructureError, UsageError
from projects.core.toolbox import config, configure
from projects.core.words.catalog import selected_project

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_selection_it_is_sqlite_bench(small_checkout: Path) -> None:
    assert configure.name() == "sqlite_bench"
    assert not (small_checkout / ".topgallant").exists()


def test_enter_selects_a_project_and_its_presets(
    small_checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert configure.enter("demo", preset="few") is None
    assert configure.name() == "demo"
    assert selected_project(small_checkout, {}) == "demo"
    assert capsys.readouterr().err == "selected: demo few\n"
    assert configure.get("tests.users") == 2


def test_git_does_not_see_the_selection(small_checkout: Path) -> None:
    configure.enter("demo")
    assert (small_checkout / ".topgallant" / ".gitignore").read_text() == "*\n"


def test_enter_forgets_the_presets_of_before(small_checkout: Path) -> None:
    configure.enter("demo", presets=["few", "many"])
    assert configure.get("tests.users") == 200
    configure.enter("demo")
    assert configure.get("tests.users") == 10


def test_apply_adds_presets_the_last_one_wins_and_none_is_there_twice(small_checkout: Path) -> None:
    configure.enter("demo", preset="many")
    configure.apply("few")
    assert configure.get("tests.users") == 2
    configure.apply("many")
    assert configure.get("tests.users") == 200
    assert (small_checkout / ".topgallant" / "presets").read_text() == "demo few many\n"


def test_the_variable_goes_before_the_file_and_has_no_presets_of_another_project(
    small_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure.enter("demo", preset="few")
    monkeypatch.setenv("TOPGALLANT_PROJECT", "sqlite_bench")
    assert configure.name() == "sqlite_bench"
    assert configure.get("tests.users") == 7


def test_presets_that_are_selected_are_said_where_they_count(
    small_checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    configure.enter("demo", preset="few")
    capfd.readouterr()
    assert config.diff("few") == {}
    assert capfd.readouterr().err == "with the presets that are selected: few\n"


def test_a_wrong_project_or_preset_is_refused_and_the_selection_stays(small_checkout: Path) -> None:
    configure.enter("demo", preset="few")
    with pytest.raises(UsageError, match='did you mean "demo"'):
        configure.enter("demmo")
    with pytest.raises(ConfigurationError, match='did you mean "many"'):
        configure.apply("manny")
    with pytest.raises(ConfigurationError, match='did you mean "few"'):
        configure.enter("sqlite_bench", presets=["fe"])
    assert configure.name() == "demo"
    assert configure.get("tests.users") == 2


def test_show_export_prints_what_a_shell_can_evaluate(small_checkout: Path) -> None:
    assert configure.enter("demo", show_export=True) == "export TOPGALLANT_PROJECT=demo"


def test_shell_starts_the_users_shell_with_the_project_selected(
    small_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = small_checkout / "shell"
    shell.write_text(f'#!/bin/sh\necho "$TOPGALLANT_PROJECT" > {small_checkout}/said\n')
    shell.chmod(0o755)
    monkeypatch.setenv("SHELL", os.fspath(shell))
    configure.enter("demo", shell=True)  # noqa: S604 - a shell to type in is what it is for
    assert (small_checkout / "said").read_text() == "demo\n"


def test_a_broken_selection_is_an_error_that_names_the_file(small_checkout: Path) -> None:
    configure.enter("demo")
    presets = small_checkout / ".topgallant" / "presets"
    presets.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=r"\.topgallant/presets: not text"):
        configure.get("tests.users")
    presets.unlink()
    presets.mkdir()
    with pytest.raises(InfrastructureError, match=r"\.topgallant"):
        configure.get("tests.users")
