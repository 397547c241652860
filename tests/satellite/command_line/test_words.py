"""The words of bin/satellite become those of run_toolbox.py."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from projects.satellite.command_line.words import HELP, main, translated
from projects.server.toolbox.server import serve


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], ["server", "serve", "--apps=satellite", "--clear_logs"]),
        (
            ["-n", "nick", "-m", "http://hub:8000", "-e=host"],
            [
                "server",
                "serve",
                "--apps=satellite",
                "--clear_logs",
                "--nickname",
                "nick",
                "--hub",
                "http://hub:8000",
                "--export_host=host",
            ],
        ),
        (
            ["--port=1", "-nope"],
            ["server", "serve", "--apps=satellite", "--clear_logs", "--port=1", "-nope"],
        ),
        (["--apps=hub"], ["server", "serve", "--clear_logs", "--apps=hub"]),
        (
            ["serve", "-n=x"],
            ["server", "serve", "--apps=satellite", "--clear_logs", "--nickname=x"],
        ),
        (["--apps=hub,satellite"], ["server", "serve", "--clear_logs", "--apps=hub,satellite"]),
        (["doctor", "--port=1"], ["satellite", "doctor", "--port=1"]),
        (["systemd", "--", "-n", "x"], ["satellite", "systemd", "--", "-n", "x"]),
        (["doctr"], ["satellite", "doctr"]),
        (["--version"], ["--version"]),
    ],
)
def test_sat_32_short_flags_and_commands_are_understood(given: list[str], said: list[str]) -> None:
    assert translated(given) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port=1", "extra"], '"extra" is one word too many'),
        (["--port", "1", "extra"], '"extra" is one word too many'),
        (["serve", "extra", "--port", "1"], '"extra" is one word too many'),
        (["-n", "nick", "doctor"], "commands stand before flags: satellite doctor"),
    ],
)
def test_a_word_that_is_no_flag_starts_nothing(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words, lambda _: pytest.fail("it was started")) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--test_scripts=a,b"], ["--test-scripts", "b"], ["--test_scripts=[a,b]"]]
)
def test_sat_1_a_missing_directory_is_told_before_anything_is_made(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(words, lambda _: pytest.fail("something was started")) == 2
    assert f"there is no directory {tmp_path}/b with" in capsys.readouterr().err
    (tmp_path / "b").mkdir()
    assert main(words, lambda _: 17) == 17


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["-n", "x", "-h"], ["serve", "--help"]])
def test_sat_32_help_is_printed_and_nothing_started(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words, lambda _: pytest.fail("something was started")) == 0
    assert capsys.readouterr().out == HELP


OF_THE_HUB = {"hub_quota", "user_quota", "keep_artifacts_days", "keep_artifacts_last"}


def test_help_names_every_flag_that_there_is_with_its_default() -> None:
    parameters = inspect.signature(serve).parameters
    options = HELP.partition("What it is")[2].partition("Examples")[0]
    named = {word.removeprefix("no-") for word in re.findall(r"--([a-z_-]+)", options)}
    assert named == set(parameters) - OF_THE_HUB
    for name, shown in (("port", "8001"), ("host", "127.0.0.1"), ("database", "satellite.db")):
        assert str(parameters[name].default) == shown
        assert shown in HELP
