"""Signals, kills and closed streams in the middle of a run: nothing survives, nothing is lost."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from projects.core.artifacts.junit import junit
from projects.core.artifacts.spans import Run, fold, read_events
from projects.core.artifacts.timeline import timeline
from tests.conftest import CHECKOUT
from tests.core.processes.watching import MARK, alive, end_all, until
from tests.end_to_end.conftest import Call

PATIENCE = 60
NAILS = ("000___nail", "001___nail", "002___nail")
NAMES = ("soft", "hard", "bad")


@pytest.fixture(autouse=True)
def hostile(copy: Path) -> Path:
    """Put the project into the checkout."""
    there = copy / "projects" / "hostile"
    shutil.copytree(CHECKOUT / "tests/data/hostile_project", there, dirs_exist_ok=True)
    return there


class Started:
    """A run that goes on, in a directory of its own; all its processes carry `mark`."""

    def __init__(self, words: tuple[str, ...], copy: Path, environ: dict[str, str]) -> None:
        self.mark = uuid.uuid4().hex
        self.root = Path(environ["HOME"]) / self.mark
        self.process = subprocess.Popen(
            [sys.executable, "./run_toolbox.py", "hostile", *words],
            cwd=copy,
            env=environ | {MARK: self.mark, "ARTIFACT_DIR": str(self.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stdout = self.stderr = ""

    def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition is true or the run is over."""
        until(lambda: condition() or self.process.poll() is not None, PATIENCE)
        assert self.process.poll() is None, self.process.communicate()

    def end(self) -> int:
        """Wait for the end and return the exit status; nobody may be left then."""
        self.stdout, self.stderr = self.process.communicate(timeout=PATIENCE)
        assert not alive(self.mark)
        return self.process.returncode

    def all_ready(self) -> bool:
        return len(list(self.root.glob("000__nails/*/ready"))) == len(NAILS)

    def journal(self) -> Run:
        return fold(read_events(self.root / "events.jsonl"))


@pytest.fixture
def start(copy: Path, environ: dict[str, str]) -> Iterator[Callable[..., Started]]:
    """Return a function that starts `./run_toolbox.py hostile WORD…`."""
    begun: list[Started] = []

    def start_it(*words: str) -> Started:
        begun.append(Started(words, copy, environ))
        return begun[-1]

    yield start_it
    for one in begun:
        end_all(one.mark)
        one.process.communicate()


def cleaned_up(run: Started) -> None:
    """Check that every `finally` block has run its commands, and that all is accounted for."""
    log = (run.root / "_run.log").read_text()
    for name in NAMES:
        assert f"{name} was put away" in log
    assert "the cleanup has run" in log
    exported = Path(run.root, "export.url").read_text().strip()
    assert (Path(exported) / "manifest.sha256").is_file() or any(Path(exported).iterdir())
    for name in NAILS:
        assert (run.root / "000__nails" / name / "FAILURE").stat().st_size
        assert "was put away" in (run.root / "000__nails" / name / "_run.log").read_text()
    for name in ("FINISHED", "FAILURES", "junit.xml", "timeline.html", "config.yaml"):
        assert (run.root / name).stat().st_size
    assert "lost" not in {span.outcome for _, span in run.journal().walk()}


def interrupted(run: Started, signum: int) -> None:
    assert run.end() == 128 + signum, run.stderr
    assert run.stderr.endswith("\ninterrupted\n")
    assert run.stderr.count("stopping: cleaning up ") == 1
    assert ("(Ctrl-C again kills)" in run.stderr) == (signum == signal.SIGINT)
    assert "Traceback" not in run.stderr
    cleaned_up(run)
    assert run.journal().root.outcome == "interrupted"
    metadata = yaml.safe_load((run.root / "_meta/metadata.yaml").read_text())
    assert (metadata["outcome"], metadata["exit_status"]) == ("interrupted", 128 + signum)


def exporting(tmp_path: Path) -> tuple[str, str]:
    return "export_artifacts.enabled=true", f"export_artifacts.dest={tmp_path}/exports"


def test_a_signal_stops_all_tasks_and_every_cleanup_runs(
    start: Callable[..., Started], tmp_path: Path
) -> None:
    # Both at once, as the nail that ignores SIGTERM is given its ten seconds of grace.
    runs = {n: start("parallel_ci", *exporting(tmp_path)) for n in (signal.SIGINT, signal.SIGTERM)}
    for signum, run in runs.items():
        run.until(run.all_ready)
        run.process.send_signal(signum)
    for signum, run in runs.items():
        interrupted(run, signum)


# A terminal that goes away counts as being told to end.
@pytest.mark.parametrize(
    ("signum", "counted"),
    [
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGHUP, signal.SIGTERM),
    ],
)
def test_a_second_signal_does_not_wait_for_who_ignores_the_first(
    signum: signal.Signals, counted: int, start: Callable[..., Started], tmp_path: Path
) -> None:
    run = start("parallel_ci", *exporting(tmp_path))
    run.until(run.all_ready)
    soft, hard, bad = (run.root / "000__nails" / name for name in NAILS)
    run.until(lambda: "\ntrapped\n" in (hard / "_run.log").read_text())
    run.process.send_signal(signum)
    # The other two are stopped and have cleaned up, and the one that ignores it goes on.
    run.until(lambda: (soft / "FAILURE").exists() and (bad / "FAILURE").exists())
    assert "was put away" not in (hard / "_run.log").read_text()
    run.process.send_signal(signum)
    interrupted(run, counted)
    assert "stopping: killing what still runs\n" in run.stderr


def test_a_task_that_fails_stops_its_siblings_and_all_is_told(
    start: Callable[..., Started], tmp_path: Path
) -> None:
    run = start("parallel_ci", "--bad=too bad", *exporting(tmp_path))
    assert run.end() == 2, run.stderr
    cleaned_up(run)
    failures = (run.root / "FAILURES").read_text()
    assert failures == "000__nails/002___nail/FAILURE | ValueError: too bad\n"
    for name in NAILS[:2]:
        text = (run.root / "000__nails" / name / "FAILURE").read_text()
        assert text.startswith('Cancelled: "_nail" of "nails" failed: ValueError: too bad')
    (message,) = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert message.startswith("error: ValueError: too bad")


def test_every_one_of_several_failures_is_in_failures(call: Call, tmp_path: Path) -> None:
    root = tmp_path / "run"
    done = call("hostile", "all_fail_ci", ARTIFACT_DIR=str(root))
    assert done.returncode == 2
    lines = (root / "FAILURES").read_text().splitlines()
    assert lines == [
        f"000__all_fail/00{n}___raise/FAILURE | ValueError: number {n}" for n in range(3)
    ]
    told = [line.partition(" [")[0] for line in done.stderr.splitlines() if "error: V" in line]
    assert told == [f"error: ValueError: number {n}" for n in range(3)]


@pytest.mark.parametrize("commands", [0, 1, 5, 20])
def test_what_was_killed_can_be_read_and_the_next_run_goes_on_behind_it(
    commands: int, start: Callable[..., Started], call: Call
) -> None:
    run = start("kill_ci")
    run.until(lambda: len(numbers(run.root)) >= commands and (run.root / "events.jsonl").exists())
    run.process.kill()
    assert run.end() == -signal.SIGKILL
    before = numbers(run.root)
    killed = run.journal()
    assert killed.root.outcome == "lost"
    assert "lost" in timeline(killed)
    assert junit(killed).startswith("<?xml")
    with (run.root / "events.jsonl").open("ab") as file:  # as if in the middle of a line
        file.write(b'{"at":"2026-01-01T00:00:00')
    done = call("hostile", "test_ci", ARTIFACT_DIR=str(run.root))
    assert done.returncode == 0, done.stderr
    (new,) = set(numbers(run.root)) - set(before)
    assert new > max(before, default=-1)
    both = run.journal()
    assert [root.outcome for root in both.roots] == ["lost", "passed"][-len(both.roots) :]
    assert "passed" in (run.root / "FINISHED").read_text()


def numbers(root: Path) -> list[int]:
    return sorted(int(path.name[:3]) for path in root.glob("*__hammer__count"))


def test_a_killed_counter_is_made_up_for(call: Call, tmp_path: Path) -> None:
    root = tmp_path / "run"
    (root / "007__old").mkdir(parents=True)
    (root / ".next").touch()  # made, and killed before it was written
    done = call("hostile", "test_ci", ARTIFACT_DIR=str(root))
    assert done.returncode == 0, done.stderr
    assert (root / "008__hammer__count").is_dir()


REDIRECTIONS = {
    "stdin closed": "<&-",
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "all closed": "<&- >&- 2>&-",
    "stderr full": "2>/dev/full",
    "head": "2>&1 | head -n 1",
    "nobody reads": "2>&1 | true",
}


@pytest.mark.parametrize("redirection", REDIRECTIONS.values(), ids=REDIRECTIONS)
@pytest.mark.parametrize("words", ["stdin_ci", "fail_ci --how=bug"])
def test_streams_that_nobody_holds_change_neither_run_nor_status(
    redirection: str, words: str, copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    status = 2 if words.startswith("fail") else 0
    root = tmp_path / "run"
    call = f"{shlex.quote(sys.executable)} ./run_toolbox.py hostile {words} {redirection}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {call}"],
        cwd=copy,
        env=environ | {"ARTIFACT_DIR": str(root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stdout + done.stderr
    assert (root / "FINISHED").is_file()
    log = (root / "_run.log").read_text()
    assert ("no more" in log) if status == 0 else ("about to fail" in log)
    # What is shown has not found its way into one of our files through a number that was free.
    assert all(line.startswith("{") for line in (root / "events.jsonl").read_text().splitlines())
    assert fold(read_events(root / "events.jsonl")).root.outcome == (
        "error" if status else "passed"
    )


def test_a_full_stdout_is_told_as_the_data_is_lost(copy: Path, environ: dict[str, str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "./run_toolbox.py", "config", "show"],
            cwd=copy,
            env=environ,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "error: stdout: No space left on device\n")


def test_a_run_under_nohup_outlives_its_terminal(
    copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    mark, root = uuid.uuid4().hex, tmp_path / "run"
    with subprocess.Popen(
        ["nohup", sys.executable, "./run_toolbox.py", "hostile", "wait_ci"],
        cwd=copy,
        env=environ | {MARK: mark, "ARTIFACT_DIR": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            until((root / "waiting").exists, PATIENCE)
            process.send_signal(signal.SIGHUP)
            os.kill(process.pid, 0)
            (root / "go").touch()
            assert process.wait(PATIENCE) == 0
        finally:
            end_all(mark)
    assert fold(read_events(root / "events.jsonl")).root.outcome == "passed"
