"""The journal: lines, masks, kills, full disks, listeners."""

from __future__ import annotations

import contextvars
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core import errors
from projects.core.artifacts import journal
from projects.core.artifacts.journal import Journal, span
from projects.core.artifacts.spans import fold, read_events
from projects.core.secrets import masking
from projects.core.secrets.secret import Secret


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines() if line]


def write_many(path: str, count: int) -> None:
    with Journal(path):
        for i in range(count):
            with span("step", f"{os.getpid()} {i}", parameters={"text": "x" * 500}):
                pass


def test_a_span_is_two_lines_with_what_the_format_promises(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with Journal(path), span("run", "demo", dir=tmp_path) as outer:
        with span("command", "cluster scale", dir=tmp_path / "000__x", parameters={"n": 3}) as one:
            one.end_fields["exit_status"] = 0
        assert journal.current_span() is outer
    run, started, ended, _ = lines(path)
    assert run["parent"] is None
    assert run["dir"] == "."
    assert started["parent"] == run["id"]
    assert started["dir"] == "000__x"
    assert started["parameters"] == {"n": 3}
    assert started["pid"] == os.getpid()
    assert len(started["id"]) == 8
    assert ended["outcome"] == "passed"
    assert ended["exit_status"] == 0
    assert ended["seconds"] >= 0
    assert ended["overhead"] > 0
    assert ended["at"].endswith("Z")
    assert len(ended["at"]) == len("2026-01-01T00:00:00.000000Z")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (errors.TestFailed("no"), "failed"),
        (ValueError("bug"), "error"),
        (errors.DeadlineExceeded("late"), "timeout"),
        (errors.Cancelled("sibling"), "cancelled"),
        (errors.Interrupted(15), "interrupted"),
    ],
)
def test_the_outcome_follows_from_the_exception(
    error: BaseException, outcome: str, tmp_path: Path
) -> None:
    with Journal(tmp_path / "e"), pytest.raises(type(error)), span("step", "x"):
        raise error
    ended = lines(tmp_path / "e")[-1]
    assert ended["outcome"] == outcome
    assert ended["error"] == errors.one_line(error)


def test_without_a_journal_a_span_is_nothing() -> None:
    with span("step", "x", parameters={"a": 1}) as nothing:
        nothing.progress(1, 2)
        nothing.note("x")
        nothing.end_fields["outcome"] = "skipped"
        journal.note("nobody listens")
    assert nothing.end_fields == {}
    assert journal.current() is None


def test_secrets_are_masked_and_the_line_stays_json(tmp_path: Path) -> None:
    masking.register('pass"word\\1234', "password")
    masking.register("12345678", "pin")
    with (
        Journal(tmp_path / "e"),
        span(
            "command",
            'login pass"word\\1234',
            parameters={
                "pin": 12345678,
                "short": Secret("abc", "short"),
                'pass"word\\1234': [1, "ok"],
            },
        ) as s,
    ):
        s.note('used pass"word\\1234', value="12345678")
    started, note, _ = lines(tmp_path / "e")
    assert started["name"] == "login ***"
    assert started["parameters"] == {"pin": "***", "short": "***", "***": [1, "ok"]}
    assert note["message"] == "used ***"
    assert note["data"] == {"value": "***"}


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_any_parameter_makes_one_line_of_strict_json(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:
    path = tmp_path_factory.mktemp("journal") / "e"
    with Journal(path), span("step", "x", parameters={"value": value}):
        pass

    def refuse(word: str) -> None:
        raise AssertionError(word)

    for line in path.read_bytes().splitlines():
        json.loads(line, parse_constant=refuse)
    assert len(path.read_bytes().splitlines()) == 2


def test_an_event_too_large_keeps_what_matters(tmp_path: Path) -> None:
    many = {f"{'k' * 100}{i}": "v" * 4000 for i in range(100)}
    with Journal(tmp_path / "e"), span("step", "x", parameters=many):
        pass
    started = lines(tmp_path / "e")[0]
    assert started["name"] == "x"
    assert "too large for the journal" in started["parameters"]["…"]


def test_threads_and_processes_share_a_file_without_mixing_lines(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=write_many, args=(str(path), 200)) for _ in range(2)]
    for process in processes:
        process.start()
    with Journal(path), ThreadPoolExecutor(8) as pool:

        def work(i: int) -> None:
            with span("task", f"thread {i}", parameters={"text": "x" * 500}):
                pass

        list(pool.map(work, range(400)))
    for process in processes:
        process.join()
    found = lines(path)
    assert len(found) == 2 * (200 + 200 + 400)
    assert len({event["id"] for event in found}) == 800


def test_a_kill_at_any_moment_leaves_whole_events(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    code = (
        "import sys\nfrom projects.core.artifacts.journal import Journal, span\n"
        "with Journal(sys.argv[1]), span('run', 'demo'):\n    print(flush=True)\n"
        "    while True:\n        with span('step', 'x' * 3000): pass\n"
    )
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    run = fold(read_events(path))
    assert [root.outcome for root in run.roots] == ["lost"] * 5


def test_a_new_writer_begins_on_a_fresh_line_after_a_cut_one(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_text('{"at":"2026-01-01T00:00:00.000000Z","type":"star')
    with Journal(path), span("step", "x"):
        pass
    assert [event["type"] for event in read_events(path)] == ["started", "ended"]


def test_a_full_disk_is_said_once_and_the_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "e").symlink_to("/dev/full")
    heard: list[str] = []
    with Journal(tmp_path / "e") as full:
        full.listeners.append(lambda event: heard.append(event["type"]))
        for _ in range(3):
            with span("step", "x"):
                pass
    assert heard == ["started", "ended"] * 3
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is incomplete: No space left on device" in said


def test_a_short_write_is_followed_by_a_fresh_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "e"
    real = os.write
    with Journal(path):
        monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:20]))
        with span("step", "cut"):
            monkeypatch.setattr(os, "write", real)
        with span("step", "whole"):
            pass
    assert [event["name"] for event in read_events(path)] == ["cut", "whole", "whole"]
    assert "the disk is full" in capsys.readouterr().err


def test_a_journal_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(errors.InfrastructureError, match="No such file or directory"):
        Journal(tmp_path / "missing" / "e")


def test_a_listener_that_raises_is_left_out_and_hurts_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard: list[str] = []

    def broken(event: journal.Event) -> None:
        raise ValueError("broken")

    with Journal(tmp_path / "e") as j:
        j.listeners += [broken, lambda event: heard.append(event["type"])]
        with span("step", "x"):
            pass
        assert len(j.listeners) == 1
    assert heard == ["started", "ended"]
    assert "ValueError: broken" in capsys.readouterr().err


def test_progress_is_written_at_most_ten_times_a_second_and_the_last_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with Journal(tmp_path / "e"), span("step", "x") as s:
        for done in range(1, 101):
            s.progress(done, 100, "rows")
            now[0] += 0.01
    told = [event["done"] for event in read_events(tmp_path / "e") if event["type"] == "progress"]
    assert told[0] == 1
    assert told[-1] == 100
    assert len(told) <= 12


def test_parents_follow_the_context(tmp_path: Path) -> None:
    with Journal(tmp_path / "e"), span("run", "r") as root:

        def work(i: int) -> None:
            with span("task", f"t{i}"), span("step", f"s{i}"):
                pass

        threads = [
            threading.Thread(target=contextvars.copy_context().run, args=(work, i))
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(work, 8).result()
    run = fold(read_events(tmp_path / "e"))
    assert run.root.id == root.id
    assert sorted(task.name for task in run.root.children) == [f"t{i}" for i in range(9)]
    assert all(task.children[0].name == f"s{task.name[1:]}" for task in run.root.children)


def test_a_span_of_another_journal_is_no_parent(tmp_path: Path) -> None:
    with Journal(tmp_path / "a"), span("run", "outer"), Journal(tmp_path / "b"), span("run", "in"):
        pass
    assert lines(tmp_path / "b")[0]["parent"] is None


def test_a_forked_child_counts_its_ids_from_elsewhere(tmp_path: Path) -> None:
    write_many(str(tmp_path / "e"), 1)
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=write_many, args=(str(tmp_path / "e"), 3))
    process.start()
    process.join()
    write_many(str(tmp_path / "e"), 3)
    assert len({event["id"] for event in lines(tmp_path / "e")}) == 7
