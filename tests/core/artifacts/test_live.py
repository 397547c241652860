"""The live view: plain lines, the tree on a real terminal, never in the way."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projects.core import errors
from projects.core.artifacts import live
from projects.core.artifacts.journal import Journal, note, span
from projects.core.artifacts.live import LiveView
from projects.core.secrets import masking


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO) -> list[str]:
    return [line[len("13:00:00 ") :] for line in stream.getvalue().splitlines()]


def test_elsewhere_a_run_is_a_line_per_start_and_end(tmp_path: Path) -> None:
    stream = io.StringIO()
    view = LiveView(stream)
    with Journal(tmp_path / "e") as journal:
        journal.listeners.append(view)
        with span("run", "demo test_ci"), span("command", "cluster scale"):
            with span("step", "create"), span("process", "true"):
                pass
            with pytest.raises(errors.TestFailed), span("step", "judge"):
                note("attempt 1 of 2 failed", "warning")
                note("not worth a line")
                raise errors.TestFailed("slower\nby much")
            with span("step", "plots") as skipped:
                skipped.end_fields["outcome"] = "skipped"
    view.close()
    lines = [" ".join(word for word in line.split("  ")) for line in shown(stream)]
    took = [line.split("✔")[0] + "✔" if "✔" in line else line for line in lines]
    assert took == [
        "▶ demo test_ci",
        "▶ cluster scale",
        " ▶ create",
        " ✔",
        " ▶ judge",
        " ! attempt 1 of 2 failed",
        lines[6],
        " ▶ plots",
        " ↷ plots skipped",
        "✔",
    ]
    assert "✘ judge" in lines[6]
    assert lines[6].endswith("TestFailed: slower")
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("run", "kind", "name"),
    [("disk measure", "command", "disk measure"), ("demo test_ci", "entrypoint", "test_ci")],
)
def test_a_run_of_one_call_says_its_name_once(
    tmp_path: Path, run: str, kind: str, name: str
) -> None:
    stream = io.StringIO()
    with Journal(tmp_path / "e") as journal:
        journal.listeners.append(LiveView(stream))
        with span("run", run), span(kind, name), span("command", name):
            pass
    begun = [line for line in shown(stream) if "▶" in line]
    assert begun == [f"▶ {run}", f"  ▶ {name}"]


def test_lines_of_parallel_tasks_say_whose_they_are(tmp_path: Path) -> None:
    stream = io.StringIO()
    with Journal(tmp_path / "e") as journal:
        journal.listeners.append(LiveView(stream))
        task = span("task", "point", label="point 001")
        with span("run", "demo"), task, span("step", "measure"):
            pass
    assert "▶ point 001" in shown(stream)
    assert "  [point 001] ▶ measure" in shown(stream)


def test_a_label_says_whose_output_it_is_in_colour_only_for_people(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    LiveView(stream).log_line("tick", "wal | ")
    view = LiveView(stream)
    monkeypatch.setattr(view, "tree", True)
    view.log_line("tick", "wal | ")
    assert stream.getvalue() == "wal | tick\n\x1b[36mwal | \x1b[0mtick\n"


@pytest.mark.parametrize(
    ("environ", "tree"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "CI": "true"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
)
def test_the_tree_is_for_people_at_terminals(environ: dict[str, str], tree: bool) -> None:
    assert live.wants_tree(Terminal(), environ) is tree
    assert live.wants_tree(io.StringIO(), environ) is False


def test_output_keeps_its_colours_and_nothing_that_moves_the_cursor() -> None:
    stream = io.StringIO()
    view = LiveView(stream)
    view.log_line("10 %\r50 %\r100 %\r\n")
    view.log_line("\x1b[2J\x1b[1;1H\x1b[31mred\x1b[0m\x1b]0;title\x07\x08\x1b[?25l bell\x07\ttab")
    assert stream.getvalue() == "100 %\n\x1b[31mred\x1b[0m bell\ttab\n"


def test_output_is_masked() -> None:
    masking.register("hunter22", "password")
    stream = io.StringIO()
    LiveView(stream).log_line("the password is hunter22")
    assert stream.getvalue() == "the password is ***\n"


def test_a_stream_that_fails_is_said_once_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    view = LiveView(Broken())
    with Journal(tmp_path / "e") as journal:
        journal.listeners.append(view)
        with span("run", "demo"), span("step", "x"):
            view.log_line("output")
    view.close()
    view.close()
    assert capsys.readouterr().err == "topgallant: the live view is off: Broken pipe\n"


SCRIPT = """
import sys, tempfile, threading
from projects.core.artifacts import live
from projects.core.artifacts.journal import Journal, span
live.SOON = 0.01
live.REFRESH = 0.02
view = live.LiveView(sys.stdout, lambda: {"wait for the pods": 60.0})
with Journal(tempfile.mkdtemp() + "/e") as journal:
    journal.listeners.append(view)
    try:
        with span("run", "demo test_ci"), span("step", "wait for the pods") as step:
            step.progress(1, 10, "pods")
            sys.stdin.readline()
            view.log_line("\\x1b[32mgreen\\x1b[0m output " + "long " * 40 + "end")
            sys.stdin.readline()
            if sys.argv[1] == "fail":
                raise KeyError("on purpose")
    finally:
        if sys.argv[1] != "forget":
            view.close()
"""


def watch(ending: str, typed: bytes = b"") -> str:
    """Run SCRIPT on a terminal of 80 columns, answering what it shows; return all it wrote.

    `typed` is what somebody types while the tree is there.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR")}
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, ending],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**environ, "TERM": "xterm", "PYTHONPATH": str(root)},
        text=True,
    )
    os.close(theirs)
    assert process.stdin is not None
    written = ""
    awaited = ["wait for the pods", "end"]  # the tree, the line of output
    asked = 0
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other end is closed: Linux says so by EIO
            break
        if not data:
            break
        written += data.decode(errors="replace")
        if typed and awaited[0] in written:
            os.write(ours, typed)
            typed = b""
            continue
        if asked < len(awaited) and awaited[asked] in written:
            process.stdin.write("\n")
            process.stdin.flush()
            asked += 1
    process.communicate()
    os.close(ours)
    return written


@pytest.mark.parametrize("ending", ["pass", "fail", "forget"])
def test_on_a_terminal_there_is_a_tree_and_the_cursor_comes_back(ending: str) -> None:
    written = watch(ending)
    assert "demo test_ci" in written
    assert "10 %" in written
    assert "\x1b[32mgreen\x1b[0m output" in written
    assert "long end" in written.replace("\r\n", "")  # wrapped by the terminal, not cut
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")


def left_on_screen(written: str, width: int = 80) -> list[str]:
    """Return the lines that a terminal shows after `written` (ECMA-48: CUU, EL; autowrap)."""
    lines, row, column = [""], 0, 0
    for sequence, number, letter, character in re.findall(
        r"(\x1b\[\??([0-9;]*)([A-Za-z]))|([^\x1b])", written
    ):
        if letter == "A":
            row = max(row - int(number or 1), 0)
        elif letter == "K":
            lines[row] = ""
        elif character == "\r":
            column = 0
        elif sequence:
            continue
        else:
            if character == "\n" or column == width:
                row, column = row + 1, column if character == "\n" else 0
                lines += [""] * (row + 1 - len(lines))
            if character != "\n":
                lines[row] = (
                    lines[row].ljust(column)[:column] + character + lines[row][column + 1 :]
                )
                column += 1
    return [line.rstrip() for line in lines]


@pytest.mark.parametrize("typed", [b"", b"\x03", b"\x03\x03\x03"], ids=["nothing", "^C", "three"])
def test_what_is_typed_leaves_nothing_of_the_tree_behind(typed: bytes) -> None:
    written = watch("pass", typed)
    assert ("^C" in written) == bool(typed)
    seen = left_on_screen(written)
    assert not [line for line in seen if "demo test_ci" in line or "10 %" in line]
    assert "green output" in "".join(seen)


def test_an_urgent_line_is_shown_whatever_holds_the_view(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as stream:
        view = LiveView(stream)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(view._lock.acquire).result()
            view.urgent("stopping")
    LiveView(io.StringIO()).urgent("nobody watches")
    assert (tmp_path / "stderr").read_text() == "stopping\n"
