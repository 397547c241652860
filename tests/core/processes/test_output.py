from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from projects.core.processes import output

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.processes.conftest import Kept


def test_importing_changes_nothing_and_the_end_restores_exactly() -> None:
    stdout, stderr, root = sys.stdout, sys.stderr, logging.getLogger()
    handlers, level = list(root.handlers), root.level
    with output.capture_prints():
        assert sys.stdout is not stdout
        with output.capture_prints():
            pass
        assert sys.stdout is not stdout
        assert output.capturing()
    assert (sys.stdout, sys.stderr) == (stdout, stderr)
    assert (root.handlers, root.level) == (handlers, level)
    assert not output.capturing()


def test_prints_and_records_reach_log_and_terminal(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.capture_prints():
        print("to stdout")
        print("to stderr", file=sys.stderr)
        logging.getLogger("somewhere").info("a %s", "record")
        logging.getLogger("somewhere").debug("unseen")
    assert kept.text.startswith("to stdout\nto stderr\n")
    assert kept.text.endswith(" INFO a record\n")
    shown = capsys.readouterr()
    assert shown.out == "to stdout\n"
    assert shown.err.startswith("to stderr\n")
    assert "a record" in shown.err


def test_a_nested_command_writes_its_own_log_and_every_outer_one(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer.log", tmp_path / "inner.log"
    with output.capture_prints(), output.log_to(outer):
        print("before")
        with output.log_to(inner):
            print("within")
        print("after")
    assert outer.read_text() == "before\nwithin\nafter\n"
    assert inner.read_text() == "within\n"


def test_an_incomplete_line_stays_with_the_log_it_was_meant_for(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer.log", tmp_path / "inner.log"
    with output.capture_prints(), output.log_to(outer):
        print("waiting…", end="")
        with output.log_to(inner):
            print("within", end="")
        print("after", end="")
    assert outer.read_text() == "waiting…\nwithin\nafter\n"
    assert inner.read_text() == "within\n"


def test_a_piece_from_another_context_begins_a_new_line(tmp_path: Path) -> None:
    with output.capture_prints(), output.log_to(tmp_path / "outer"):
        outer = contextvars.copy_context()
        with output.log_to(tmp_path / "inner"):
            print("inner", end="")
            outer.run(print, "outer")
    assert (tmp_path / "inner").read_text() == "inner\n"
    assert (tmp_path / "outer").read_text() == "inner\nouter\n"


def test_lines_of_threads_never_mix(tmp_path: Path) -> None:
    def talk(number: int) -> None:
        for _ in range(200):
            print(number, end=" ")
            print(number, number)

    with output.capture_prints(), output.log_to(tmp_path / "log"):
        context = contextvars.copy_context()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: context.copy().run(talk, n), range(8)))
    lines = (tmp_path / "log").read_text().splitlines()
    assert sorted(lines) == sorted(f"{n} {n} {n}" for n in range(8) for _ in range(200))


def test_lines_of_asyncio_tasks_never_mix(kept: Kept) -> None:
    async def talk(number: int) -> None:
        for _ in range(50):
            print(number, end=" ")
            await asyncio.sleep(0)
            print(number)

    async def all_of_them() -> None:
        await asyncio.gather(*map(talk, range(8)))

    with output.capture_prints():
        asyncio.run(all_of_them())
    assert sorted(kept.text.splitlines()) == sorted(f"{n} {n}" for n in range(8) for _ in range(50))


def test_each_asyncio_task_has_the_log_of_its_own_command(tmp_path: Path) -> None:
    async def command(number: int) -> None:
        with output.log_to(tmp_path / f"{number}.log"):
            await asyncio.sleep(0)
            print(number)

    async def all_of_them() -> None:
        await asyncio.gather(*map(command, range(8)))

    with output.capture_prints(), output.log_to(tmp_path / "all.log"):
        asyncio.run(all_of_them())
    assert [(tmp_path / f"{n}.log").read_text() for n in range(8)] == [f"{n}\n" for n in range(8)]
    assert sorted((tmp_path / "all.log").read_text().split()) == [str(n) for n in range(8)]


def test_a_thread_without_a_copied_context_writes_to_the_log_of_the_main_thread(kept: Kept) -> None:
    with output.capture_prints():
        thread = threading.Thread(target=print, args=("from a thread",), kwargs={"end": ""})
        thread.start()
        thread.join()
    assert kept.text == "from a thread\n"


def test_secrets_are_masked_in_lines_that_come_in_pieces(
    secret: str, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.capture_prints():
        print(secret[:5], end="")
        print(secret[5:])
        logging.getLogger().warning("it is %s", secret)
    assert kept.text.startswith("***\n")
    assert secret not in kept.text + "".join(capsys.readouterr())


def test_labels_are_for_the_terminal_and_the_logs_around_not_for_the_own_one(
    tmp_path: Path, kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    outer, middle, inner = (tmp_path / name for name in ("outer", "middle", "inner"))
    with output.capture_prints(), output.log_to(outer):
        with output.labelled("a | "), output.log_to(middle):
            with output.labelled("b | "), output.log_to(inner):
                print("one\n\ntwo")
                print("half a line", end="")
            print("three")
        print("four")
    assert inner.read_text() == "one\n\ntwo\nhalf a line\n"
    assert middle.read_text() == "b | one\nb | \nb | two\nb | half a line\nthree\n"
    labelled = "a | b | one\na | b | \na | b | two\na | b | half a line\na | three\nfour\n"
    assert outer.read_text() == labelled
    assert capsys.readouterr().out == labelled
    assert kept.text == "one\n\ntwo\nhalf a line\nthree\nfour\n"  # data, not for people


def test_the_terminal_can_be_taken_over(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[str, str, str]] = []
    before = output.set_terminal(lambda *what: seen.append(what))
    try:
        with output.capture_prints():
            print("hello")
        with output.labelled("wal | "):
            output.say("two\nlines")
    finally:
        assert output.set_terminal(before) is not None
    assert seen == [("hello\n", "stdout", ""), ("two\nlines\n", "stderr", "wal | ")]
    assert capsys.readouterr().out == ""


def test_a_view_that_fails_does_not_swallow_text(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(text: str, stream: str, label: str) -> None:
        raise RuntimeError("no view today")

    before = output.set_terminal(broken)
    try:
        output.emit("still here\n", "stdout")
    finally:
        output.set_terminal(before)
    assert capsys.readouterr().out == "still here\n"


def test_a_terminal_of_another_encoding_or_none_at_all_is_no_error(
    monkeypatch: pytest.MonkeyPatch, kept: Kept
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", None)
    with output.capture_prints():
        print("✔ done")
        output.say("nobody reads this there")
    assert raw.getvalue() == b"\\u2714 done\n"
    assert kept.text == "✔ done\nnobody reads this there\n"


def test_a_closed_terminal_is_no_error(monkeypatch: pytest.MonkeyPatch, kept: Kept) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with output.capture_prints():
        stream.close()
        print("goes on")
    assert kept.text == "goes on\n"


def test_a_full_disk_is_said_once_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with output.capture_prints(), output.log_to("/dev/full"):
        print("one")
        print("two")
    shown = capsys.readouterr()
    assert shown.out == "one\ntwo\n"
    assert shown.err.count("/dev/full is incomplete") == 1


def test_a_closed_log_drops_what_comes_late(tmp_path: Path) -> None:
    log = output.LogFile(tmp_path / "log")
    log.write("in time\n")
    log.close()
    log.write("late\n")
    assert (tmp_path / "log").read_text() == "in time\n"


def test_records_are_not_shown_twice_when_logging_was_set_up_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root, theirs = logging.getLogger(), logging.StreamHandler()
    root.addHandler(theirs)
    try:
        handlers = list(root.handlers)
        with output.capture_prints():
            root.warning("once")
        assert root.handlers == handlers
    finally:
        root.removeHandler(theirs)
    assert stream.getvalue().count("once") == 1


def test_bytes_and_descriptors_of_the_stand_ins_work(
    kept: Kept, capfd: pytest.CaptureFixture[str]
) -> None:
    real = sys.stdout
    with output.capture_prints():
        sys.stdout.buffer.write(b"bytes \xff\n")
        assert not sys.stdout.isatty()
        assert sys.stdout.encoding == "utf-8"
        assert sys.stdout.fileno() == real.fileno()
    assert kept.text == "bytes \\xff\n"


def test_a_stand_in_that_somebody_kept_passes_on(capsys: pytest.CaptureFixture[str]) -> None:
    with output.capture_prints():
        theirs = sys.stdout
    print("late", file=theirs)
    assert capsys.readouterr().out == "late\n"


def test_without_a_session_print_is_left_alone(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    print("data")
    assert capsys.readouterr().out == "data\n"
    assert kept.text == ""
