from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.artifacts.spans import fold, read_events
from projects.core.processes import cancellation, output, shell
from tests.core.processes.watching import alive, end_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.core.processes.conftest import Kept

pytestmark = pytest.mark.usefixtures("scope")


def streamed(kept: Kept) -> str:
    """Return what commands printed, without the lines that show the commands."""
    return "".join(line for line in kept.text.splitlines(True) if not line.startswith("$ "))


def test_nothing_is_captured_unless_asked_for(kept: Kept) -> None:
    done = shell.run("echo out; echo err >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, None, None)
    assert sorted(streamed(kept).splitlines()) == ["err", "out"]


def test_each_stream_is_captured_by_itself(kept: Kept) -> None:
    done = shell.run("echo out; echo err >&2", capture_stdout=True)
    assert (done.stdout, done.stderr) == ("out\n", None)
    done = shell.run("echo out; echo err >&2", capture_stderr=True)
    assert (done.stdout, done.stderr) == (None, "err\n")
    done = shell.run("echo out; echo err >&2", capture_stdout=True, capture_stderr=True)
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
    assert streamed(kept) == "err\nout\n"


def test_bytes_come_as_they_are_when_asked_for() -> None:
    command = r"printf '\xff\x00' | tee /dev/stderr"
    done = shell.run(
        command, capture_stdout=True, capture_stderr=True, decode_stdout=False, decode_stderr=False
    )
    assert done.stdout == done.stderr == b"\xff\0"
    assert shell.run(command, capture_stdout=True).stdout == "\\xff\0"


def test_in_a_session_lines_of_both_streams_keep_their_order(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.capture_prints():
        shell.run("for i in $(seq 50); do echo out $i; echo err $i >&2; done")
    expected = [f"{stream} {i}" for i in range(1, 51) for stream in ("out", "err")]
    assert streamed(kept).splitlines() == expected
    assert capsys.readouterr().out == ""  # it is for people, who read stderr


def test_outside_of_a_session_streams_go_where_they_would_have_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell.run("echo out; echo err >&2", log_command=False)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("out\n", "err\n")


@pytest.mark.parametrize(
    "command",
    ["false; true", "false | true", 'echo "$this_is_not_set"', "f() { false; }; f; true"],
)
def test_the_safety_flags_stop_at_the_first_error(command: str) -> None:
    with pytest.raises(errors.CommandFailed):
        shell.run(command)
    assert shell.run(command, protect_shell=False).returncode == 0


def test_bash_runs_text_wherever_sh_points() -> None:
    script = 'trap "echo trapped" ERR; set -o | grep -c "errtrace.*on"; [[ -n $BASH_VERSION ]]'
    assert shell.run(script, capture_stdout=True).stdout == "1\n"


def test_a_list_is_run_without_a_shell(tmp_path: Path) -> None:
    words = ["$HOME", "*", "a b", "'", os.fspath(tmp_path)]
    done = shell.run(["printf", "%s\n", *words], capture_stdout=True)
    assert done.stdout.splitlines() == ["$HOME", "*", "a b", "'", str(tmp_path)]


def test_a_failure_says_what_ran_how_it_ended_and_its_last_lines() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        shell.run("seq 100; exit 3")
    error = caught.value
    assert isinstance(error, errors.CommandFailed)
    assert (error.returncode, error.cmd) == (3, "seq 100; exit 3")
    assert str(error).startswith("status 3: seq 100; exit 3\n")
    assert str(error).endswith("\n  99\n  100")
    assert "  81\n" in str(error)
    assert "  80\n" not in str(error)


def test_a_failure_carries_what_was_captured_and_tells_a_signal_by_name() -> None:
    with pytest.raises(errors.CommandFailed, match="ended by SIGKILL") as caught:
        shell.run("echo before; kill -KILL $$", capture_stdout=True)
    assert caught.value.stdout == "before\n"
    assert caught.value.returncode == -9
    assert shell.run("exit 7", check=False).returncode == 7


def test_secrets_are_masked_in_what_is_streamed_and_said_but_not_in_what_is_captured(
    secret: str, kept: Kept, root: Path
) -> None:
    with journal.Journal(root / "events.jsonl"), pytest.raises(errors.CommandFailed) as caught:
        shell.run(f"printf hunter2-; sleep 0.05; echo hunter2; echo {secret} >&2; false")
    assert secret not in kept.text + str(caught.value) + (root / "events.jsonl").read_text()
    assert streamed(kept).splitlines() == ["***", "***"]
    assert "  ***" in str(caught.value)
    assert shell.run(["echo", secret], capture_stdout=True).stdout == secret + "\n"


def test_a_command_that_is_not_logged_is_shown_nowhere(kept: Kept, root: Path) -> None:
    with journal.Journal(root / "events.jsonl"):
        with pytest.raises(errors.CommandFailed) as caught:
            shell.run("exit $((40 + 2))", log_command=False)
        with pytest.raises(errors.CommandFailed) as of_list:
            shell.run(["false", "private"], log_command=False)
    said = kept.text + str(caught.value) + str(of_list.value)
    said += (root / "events.jsonl").read_text()
    assert "40 + 2" not in said
    assert "private" not in said


def test_the_journal_has_a_span_of_the_first_line_with_the_status(root: Path) -> None:
    with journal.Journal(root / "events.jsonl"):
        shell.run("\n echo one\necho two\nexit 4", check=False)
        with pytest.raises(errors.CommandFailed):
            shell.run("x" * 500)
    first, second = fold(read_events(root / "events.jsonl")).roots
    assert (first.kind, first.name, first.outcome) == ("process", "echo one", "passed")
    assert first.fields["exit_status"] == 4
    assert (second.outcome, second.fields["exit_status"]) == ("failed", 127)
    assert len(second.name) == shell.NAME_LENGTH


def test_input_is_empty_a_path_or_an_open_file(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("from a file\n")
    assert shell.run("cat", capture_stdout=True).stdout == ""
    done = shell.run("cat", capture_stdout=True, stdin_file=tmp_path / "input")
    assert done.stdout == "from a file\n"
    with (tmp_path / "input").open() as file:
        assert shell.run("cat", capture_stdout=True, stdin_file=file).stdout == "from a file\n"


def test_children_see_the_artifact_directory_and_what_is_given(root: Path) -> None:
    with directory.NextArtifactDir("here") as here:
        done = shell.run('echo "$ARTIFACT_DIR" "$MINE"', capture_stdout=True, env={"MINE": "1"})
    assert done.stdout == f"{here} 1\n"
    assert "ARTIFACT_DIR" not in os.environ
    assert shell.run("pwd", capture_stdout=True, cwd=root).stdout == f"{root}\n"


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: shell.run("true", cwd="/nowhere"), errors.InfrastructureError, "does not exist"),
        (lambda: shell.run("true", cwd="/etc/passwd"), errors.InfrastructureError, "no directory"),
        (lambda: shell.run(["no-such-program"]), errors.InfrastructureError, "no such program"),
        (lambda: shell.run(["/no/such"]), errors.InfrastructureError, "it does not exist"),
        (lambda: shell.run(["/etc/passwd"]), errors.InfrastructureError, "Permission denied"),
        (lambda: shell.run("cat", stdin_file="/nowhere"), errors.InfrastructureError, "/nowhere"),
        (lambda: shell.run("cat", stdin_file=io.StringIO()), errors.UsageError, "open file"),
        (lambda: shell.run("  "), errors.UsageError, "empty"),
        (lambda: shell.run([]), errors.UsageError, "no program"),
        (lambda: shell.run(["sleep", 1]), errors.UsageError, r"str\(\)"),  # type: ignore[list-item]
        (lambda: shell.run("a\0b"), errors.UsageError, "NUL"),
        (lambda: shell.run("x" * 3_000_000), errors.InfrastructureError, "stdin_file"),
    ],
)
def test_what_cannot_be_run_is_one_clear_error(
    call: Callable[[], object], kind: type[Exception], said: str
) -> None:
    descriptors = os.listdir("/proc/self/fd")
    with pytest.raises(kind, match=said):
        call()
    assert os.listdir("/proc/self/fd") == descriptors


def test_missing_bash_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.exists", lambda path: False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(errors.InfrastructureError, match="needs bash"):
        shell.run("true")


def test_binary_long_and_rewritten_lines_come_through(kept: Kept) -> None:
    shell.run(
        r"printf 'x\xffy\n'; printf '10%%\r20%%\r30%%\n'; printf 'caf\xc3'; printf '\xa9\n';"
        "head -c 3000000 /dev/zero | tr '\\0' x; echo; printf 'no end'"
    )
    lines = streamed(kept).split("\n")
    assert lines[0] == "x\\xffy"
    assert lines[-5:-4] == ["30%"]
    assert lines[-4] == "café"
    assert lines[-3] == "x" * 3_000_000
    assert lines[-2:] == ["no end", ""]


def test_output_without_end_does_not_grow_memory() -> None:
    program = """if True:
        import resource, sys
        from projects.core.processes import output, shell
        shell.run("true", log_command=False)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        shell.run("head -c 300000000 /dev/zero", log_command=False)
        shell.run("yes some line | head -c 300000000", False, False, False, log_command=False)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print((after - before) // 1024, file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert int(done.stderr) < 50  # MiB


def test_a_process_left_in_the_background_does_not_hold_the_command(mark: str, kept: Kept) -> None:
    began = time.monotonic()
    shell.run("(sleep 60; echo late) & echo started")
    assert time.monotonic() - began < 30
    assert streamed(kept) == "started\n"
    assert alive(mark)  # it was left there on purpose
    end_all(mark)


def test_a_process_that_closes_its_output_is_still_waited_for() -> None:
    assert shell.run("exec >&- 2>&-; sleep 0.2; exit 5", check=False).returncode == 5


@pytest.mark.usefixtures("nobody_left")
@pytest.mark.parametrize(
    "command",
    [
        "sleep 60",
        "trap '' TERM; sleep 60; sleep 60",
        "(trap '' TERM; sleep 60; sleep 60) & sleep 60",
        "(sleep 60 & sleep 60 &) ; sleep 60",
        "(trap '' TERM; exec >/dev/null 2>&1; sleep 60; sleep 60) & exec sleep 60",
    ],
)
def test_at_the_timeout_the_whole_group_is_ended(command: str) -> None:
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        shell.run(f"echo started; {command}", timeout=0.3, capture_stdout=True)
    error = caught.value
    assert isinstance(error, errors.CommandTimeout)
    assert error.exit_status == 124
    assert (error.timeout, error.stdout) == (0.3, b"started\n")
    assert str(error).startswith("timed out after 0.3 s: echo started; ")


@pytest.mark.usefixtures("nobody_left")
def test_who_is_left_of_a_group_has_the_grace_as_well(tmp_path: Path) -> None:
    member = "trap 'sleep 0.1; touch cleaned; exit' TERM; touch ready; while :; do sleep 0.01; done"
    leader = "until [[ -e ready ]]; do sleep 0.01; done; exec sleep 60"
    with cancellation.Scope("test", grace=30), pytest.raises(errors.CommandTimeout):
        shell.run(f"({member}) & {leader}", timeout=1, cwd=tmp_path)
    assert (tmp_path / "cleaned").exists()


@pytest.mark.usefixtures("nobody_left")
def test_without_pidfds_it_works_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert shell.run("echo hi", capture_stdout=True).stdout == "hi\n"
    assert shell.run("exec >&- 2>&-; exit 3", check=False).returncode == 3
    with pytest.raises(errors.CommandTimeout):
        shell.run("trap '' TERM; sleep 60; sleep 60", timeout=0.1)


@pytest.mark.usefixtures("nobody_left")
def test_the_nearest_deadline_counts_and_is_named() -> None:
    with (
        pytest.raises(errors.CommandTimeout, match=r"deadline of 0\.2 s"),
        cancellation.deadline(0.2, "the deployment"),
    ):
        shell.run("sleep 60", timeout=50)


def test_cleanup_can_run_commands_after_the_deadline() -> None:
    with pytest.raises(errors.CommandTimeout), cancellation.deadline(0.1):
        try:
            shell.run("sleep 60")
        finally:
            assert shell.run("echo cleaned", capture_stdout=True).stdout == "cleaned\n"


@pytest.mark.usefixtures("nobody_left")
def test_a_keyboard_interrupt_without_a_session_ends_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(text: str, stream: str, label: str) -> None:
        raise KeyboardInterrupt

    before = output.set_terminal(interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            shell.run("echo now; sleep 60", log_command=False)
    finally:
        output.set_terminal(before)


def test_no_descriptor_is_left_open() -> None:
    shell.run("true")
    before = os.listdir("/proc/self/fd")
    shell.run("true", capture_stdout=True)
    shell.run("sleep 0.3 & true")
    with pytest.raises(errors.CommandTimeout):
        shell.run("sleep 60", timeout=0.05)
    assert os.listdir("/proc/self/fd") == before
