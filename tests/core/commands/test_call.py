from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from projects.core import errors
from projects.core.commands import call, session
from projects.core.commands.call import Options
from projects.core.commands.session import Words
from projects.core.words.signature import Signature


@contextmanager
def run() -> Iterator[Path]:
    # Not a fixture: pytest replaces sys.stdout between setup and call.
    with session.opened(Words("shop", "test_ci")) as run:
        yield run.place.path


def called(
    function: Callable[..., Any], options: Options, suffix: str = "", **arguments: Any
) -> call.ToolboxResult:
    signature = Signature.of(function)
    name = function.__name__
    return call._call(call._Call(function, "people", name, arguments, signature, suffix), options)


def greet(name: str, times: int = 1) -> str:
    """Greet."""
    print("hello", name)
    return f"{name} x{times}"


def fail() -> None:
    """Fail."""
    print("about to fail")
    raise RuntimeError("no luck")


def test_a_call_leaves_a_directory_that_describes_itself() -> None:
    with run() as root:
        value = call.call_command(greet, "people", "greet", {"name": "01"})
        where = root / "000__people__greet"
        assert value == "01 x1"
        meta = yaml.safe_load((where / "_meta/metadata.yaml").read_text())
        assert (meta["group"], meta["command"], meta["outcome"]) == ("people", "greet", "passed")
        assert meta["parameters"] == {"name": "01"}
        assert meta["end"] >= meta["start"]
        assert (where / "_run.log").read_text() == "hello 01\n"
        assert not (where / "FAILURE").exists()


def test_the_restart_script_is_a_call_with_the_same_values() -> None:
    with run() as root:
        call.call_command(greet, "people", "greet", {"name": "it's; $HOME", "times": 3})
        script = (root / "000__people__greet/_meta/restart.sh").read_text()
        line = next(line for line in script.splitlines() if line.startswith("exec "))
        words = subprocess.run(
            ["/bin/bash", "-c", f"set -- {line.removeprefix('exec ')}; printf '%s\\n' \"$@\""],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert words[:5] == [
            "./run_toolbox.py",
            "people",
            "greet",
            "--name=it's; $HOME",
            "--times=3",
        ]


def test_a_failure_leaves_its_traceback_and_goes_on() -> None:
    with run() as root:
        with pytest.raises(RuntimeError):
            call.call_command(fail, "people", "fail", {})
        where = root / "000__people__fail"
        assert "RuntimeError: no luck" in (where / "FAILURE").read_text()
        assert "raise RuntimeError" in (where / "FAILURE").read_text()
        meta = yaml.safe_load((where / "_meta/metadata.yaml").read_text())
        assert (meta["outcome"], meta["exit_status"]) == ("failed", 1)


def test_without_check_the_error_is_returned() -> None:
    with run() as root:
        result = called(fail, Options(check=False, mute=True))
        assert result.returncode == 1
        assert isinstance(result.error, RuntimeError)
        assert result.stdout == "about to fail\n"
        assert (root / "000__people__fail" / "FAILURE").exists()


def test_a_suffix_tells_two_calls_apart() -> None:
    with run() as root:
        called(greet, Options(), suffix="__first", name="a")
        assert (root / "000__people__greet__first").is_dir()
        events = (root / "events.jsonl").read_text().splitlines()
        names = [json.loads(line).get("name") for line in events]
        assert "people greet first" in names


def test_a_muted_call_is_kept_but_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    with run() as root:
        result = called(greet, Options(mute=True), name="quiet")
        assert result.stdout == "hello quiet\n"
        assert "hello quiet\n" in (root / "000__people__greet/_run.log").read_text()
        shown = capfd.readouterr()
        assert "hello quiet" not in shown.out + shown.err


def test_a_coroutine_is_run_to_its_end() -> None:
    with run():

        async def wait() -> int:
            import asyncio

            await asyncio.sleep(0)
            return 3

        assert call.call_command(wait, "people", "wait", {}) == 3


def test_an_unknown_command_names_the_nearest() -> None:
    with run():
        with pytest.raises(errors.UsageError, match='did you mean "measure"'):
            call.run_toolbox("sqlite", "measur", {})
        with pytest.raises(errors.UsageError, match='did you mean "sqlite"'):
            call.run_toolbox("sqlit", "measure", {})


def test_arguments_are_converted_and_checked_before_a_directory_is_made() -> None:
    with run() as root:
        signature = Signature.of(greet)
        assert call.convert({"name": "a", "times": "3"}, signature, "x") == {
            "name": "a",
            "times": 3,
        }
        with pytest.raises(errors.UsageError, match='did you mean "times"'):
            call.convert({"name": "a", "tims": 3}, signature, "people greet")
        with pytest.raises(errors.UsageError, match=r'^people greet: times: "two" is not an int'):
            call.convert({"name": "a", "times": "two"}, signature, "people greet")
        with pytest.raises(errors.UsageError, match="missing name"):
            call.convert({}, signature, "people greet")
        assert not list(root.glob("0*"))


def test_options_refuse_what_only_a_process_can_do() -> None:
    assert Options.of({"capture_stdout": True}, mute_stdout=None, check=None).mute
    assert not Options.of({"check": False}, mute_stdout=None, check=None).check
    with pytest.raises(errors.UsageError, match="cwd"):
        Options.of({"cwd": "/"}, mute_stdout=None, check=None)


def leave(status: int) -> None:
    sys.exit(status)


def test_a_command_that_exits_ends_itself_and_not_the_run() -> None:
    with run():
        assert called(leave, Options(), status=0).returncode == 0
        with pytest.raises(errors.CommandFailed, match="ended with status 3"):
            called(leave, Options(), status=3)
        failed = called(leave, Options(check=False), status=3)
        assert (failed.returncode, type(failed.error)) == (1, errors.CommandFailed)


def test_a_command_that_is_the_whole_call_gives_the_process_its_status() -> None:
    with run(), pytest.raises(SystemExit) as left:
        call.call_command(leave, "people", "leave", {"status": 3})
    assert left.value.code == 3
