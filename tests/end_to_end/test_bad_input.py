"""What a user gets wrong is told in one message, with a status, and what was done is kept."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from projects.core.artifacts.spans import fold, read_events
from tests.conftest import CHECKOUT
from tests.end_to_end.conftest import Call


@pytest.fixture(autouse=True)
def hostile(copy: Path) -> Path:
    """Put a fresh copy of the project into the checkout, at most a broken one of before."""
    there = copy / "projects" / "hostile"
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(CHECKOUT / "tests/data/hostile_project", there)
    return there


def messages(stderr: str) -> list[str]:
    """Return what is told apart from the view of the run."""
    assert "Traceback" not in stderr, stderr
    return [line for line in stderr.splitlines() if line.startswith(("error: ", "topgallant: "))]


class Case(NamedTuple):
    """Words of a call, a text to add to a file of the project, and what is to be said."""

    words: str
    said: str
    file: str = ""
    added: str = ""


CONFIG, ARGUMENTS = "testing/config.yaml", "testing/command_args.yaml.j2"

BEFORE_ANY_RUN = {
    "unknown project": Case("hostil test_ci", r'"hostil"; did you mean "hostile"\?'),
    "unknown verb": Case("hostile tst_ci", r'"tst_ci"; did you mean "test_ci"\?'),
    "no verb": Case("hostile", r"a verb is missing\. Possible: .*test_ci"),
    "unknown flag": Case("hostile fail_ci --hwo=bug", r'"--hwo"; did you mean "--how"\?'),
    "flag that is missing": Case("hostile fail_ci", r"--how=<str>"),
    "value of another type": Case("hammer count --number=two", r'--number: "two" is not an int'),
    "override that is not YAML": Case("hostile test_ci tests.count=[1", r"tests\.count: .*YAML"),
    "code that is not Python": Case(
        "hostile test_ci", r"testing/test\.py:\d+:\d+: SyntaxError", "testing/test.py", "def f(:\n"
    ),
}

IN_A_RUN = {
    "YAML error": Case("test_ci", r"config\.yaml:33:1: .*'\]'", CONFIG, "\nlist: [1\n"),
    "duplicate key": Case(
        "test_ci", r'config\.yaml:31:1: .*"tests" is already in line \d+', CONFIG, "tests: 1\n"
    ),
    "no mapping": Case("test_ci", r"config\.yaml:\d+:\d+: ", CONFIG, "- 1\n"),
    "preset cycle": Case("test_ci egg", r"config\.yaml:\d+:\d+: .*egg -> hen -> egg"),
    "preset that sets a missing key": Case(
        "test_ci typo", r'config\.yaml:14:5: preset "typo": .*did you mean "tests\.count"\?'
    ),
    "unknown preset": Case("test_ci quik", r'preset "quik"; did you mean "quick"\?'),
    "unknown override": Case(
        "test_ci tests.cuont=1", r'"tests\.cuont"; did you mean "tests\.count"\?'
    ),
    "unknown key": Case("use_ci key", r'"tests\.cuont"; did you mean "tests\.count"\?'),
    "unknown key that is set": Case("use_ci set", r'did you mean "tests\.count"\?'),
    "unknown preset that is applied": Case("use_ci preset", r'did you mean "quick"\?'),
    "unknown command": Case("use_ci command", r'hammer "cuont"; did you mean "count"\?'),
    "unknown parameter": Case("use_ci parameter", r'"nunber"; did you mean "number"\?'),
    "argument of another type": Case("use_ci argument", r'number: "two" is not an int'),
    "reference to nothing": Case(
        "use_ci other",
        r'config\.yaml:32:10: .*"tests\.cuont".*did you mean "tests\.count"\?',
        CONFIG,
        'other:\n  value: "@tests.cuont"\n',
    ),
    "reference cycle": Case(
        "use_ci other",
        r"config\.yaml:32:10: .*circle: other\.value=.* -> other\.back=.* -> other\.value=",
        CONFIG,
        'other:\n  value: "@other.back"\n  back: "{@other.value} again"\n',
    ),
    "undefined variable in a template": Case(
        "test_ci",
        r'command_args\.yaml\.j2:4:\d+: .*"tests\.cuont"; did you mean "tests\.count"\?',
        ARGUMENTS,
        "  more: {{ tests.cuont }}\n",
    ),
    "template that raises": Case(
        "test_ci",
        r"command_args\.yaml\.j2:4:\d+: not like this",
        ARGUMENTS,
        '  {{ "not like this" | raise_exception }}\n',
    ),
    "template that is not YAML": Case(
        "test_ci", r"command_args\.yaml\.j2:\d+:\d+: ", ARGUMENTS, "  more: [\n"
    ),
    "template that is not Jinja": Case(
        "test_ci", r"command_args\.yaml\.j2:4:\d+: ", ARGUMENTS, "{% if %}\n"
    ),
    "parameter that the command has not": Case(
        "test_ci", r'"lable"; did you mean "label"\?', ARGUMENTS, "  lable: x\n"
    ),
    "secret that is not read as one": Case(
        "use_ci secret", r"config\.yaml:25:10: .*reads a secret"
    ),
    "secret in a template": Case(
        "test_ci",
        r"command_args\.yaml\.j2:4:\d+: .*secret",
        ARGUMENTS,
        "  more: {{ tests.token }}\n",
    ),
    "secrets directory that is not named": Case("secret_ci", r"set HOSTILE_SECRET_PATH"),
}


@pytest.mark.parametrize("case", BEFORE_ANY_RUN.values(), ids=BEFORE_ANY_RUN)
def test_wrong_words_are_told_before_anything_is_made(
    case: Case, call: Call, hostile: Path, tmp_path: Path
) -> None:
    add(hostile, case)
    done = call(*case.words.split(), TOPGALLANT_BASE_DIR=str(tmp_path / "base"))
    assert done.returncode == 2
    assert re.search(case.said, done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == len(messages(done.stderr)) == 1, done.stderr
    assert done.stdout == ""
    assert not (tmp_path / "base").exists()


WHEN_LOADING = {
    name: IN_A_RUN[name]
    for name in (
        "YAML error",
        "no mapping",
        "preset cycle",
        "unknown preset",
        "unknown override",
        "preset that sets a missing key",
    )
}


@pytest.mark.parametrize("given", [True, False], ids=["directory given", "none given"])
@pytest.mark.parametrize("case", WHEN_LOADING.values(), ids=WHEN_LOADING)
def test_a_configuration_that_cannot_be_loaded_is_told_once_and_costs_no_directory(
    case: Case, given: bool, call: Call, hostile: Path, tmp_path: Path
) -> None:
    add(hostile, case)
    place = {"TOPGALLANT_BASE_DIR": str(tmp_path / "base")}
    if given:
        place["ARTIFACT_DIR"] = str(tmp_path / "run")
    done = call("hostile", *case.words.split(), **place)
    assert done.returncode == 2
    assert re.search(f"^error: .*{case.said}", done.stderr), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (tmp_path / "base").exists()
    if given:
        closed_properly(tmp_path / "run", "error", 2)


@pytest.mark.parametrize("case", IN_A_RUN.values(), ids=IN_A_RUN)
def test_wrong_configuration_ends_the_run_with_one_message(
    case: Case, call: Call, hostile: Path, tmp_path: Path
) -> None:
    add(hostile, case)
    root = tmp_path / "run"
    done = call("hostile", *case.words.split(), ARTIFACT_DIR=str(root))
    assert done.returncode == 2, done.stderr
    (message,) = messages(done.stderr)
    assert re.search(case.said, message), message
    closed_properly(root, "error", 2)
    if case.words.startswith("use_ci"):
        assert (root / "000__hammer__count/counted").read_text() == "1 none\n"


def add(project: Path, case: Case) -> None:
    if case.file:
        with (project / case.file).open("a") as file:
            file.write(case.added)


def closed_properly(root: Path, outcome: str, status: int) -> None:
    """Check that a failed run has left everything that tells why."""
    run = fold(read_events(root / "events.jsonl"))
    assert run.root.outcome == outcome
    assert all(span.outcome != "lost" for _, span in run.walk())
    metadata = yaml.safe_load((root / "_meta/metadata.yaml").read_text())
    assert (metadata["outcome"], metadata["exit_status"]) == (outcome, status)
    assert outcome in (root / "FINISHED").read_text()
    first = (root / "FAILURES").read_text().splitlines()[0]
    where, _, head = first.partition(" | ")
    assert (root / where).read_text().startswith(head)
    for name in ("junit.xml", "timeline.html", "reports_index.html", "_meta/restart.sh"):
        assert (root / name).stat().st_size > 0


WAYS_TO_FAIL = {
    "bash": (1, "failed", r"error: status 7: echo the last words; exit 7"),
    "missing program": (2, "error", r"error: cannot run no-such-program: .*no such program"),
    "assert": (1, "failed", r"error: AssertionError: it is wrong \[\S*/hammer\.py:\d+\]$"),
    "runtime": (1, "failed", r"error: RuntimeError: the cluster is red \[\S*/hammer\.py:\d+\]$"),
    "bug": (2, "error", r"error: KeyError: 'bug' \[\S*/hostile/toolbox/hammer\.py:\d+\]"),
    "silent": (2, "error", r"error: ValueError \[\S*/hostile/toolbox/hammer\.py:\d+\]"),
    "deep": (2, "error", r"error: RecursionError: .* \[\S*/hostile/toolbox/hammer\.py:\d+\]"),
    "mute": (2, "error", r"error: Mute: <exception str\(\) failed> "),
    "long": (2, "error", r"error: ValueError: long long"),
    "timeout": (124, "timeout", r"error: timed out after 0\.05 s: sleep 1000"),
    "no results": (3, "error", r"error: nothing was measured"),
    "pipe": (2, "error", r"error: BrokenPipeError: "),
    "exit": (1, "failed", r"^error: hammer fail ended with status 1: I leave$"),
    "exit 256": (1, "failed", r"^error: hammer fail ended with status 2$"),
    "directory": (2, "error", r"error: ValueError: it was here"),
}


@pytest.mark.parametrize("how", WAYS_TO_FAIL)
def test_a_command_that_fails_decides_the_exit_status(how: str, call: Call, tmp_path: Path) -> None:
    status, outcome, said = WAYS_TO_FAIL[how]
    root = tmp_path / "run"
    done = call("hostile", "fail_ci", f"--how={how}", ARTIFACT_DIR=str(root))
    assert done.returncode == status, done.stderr
    assert re.search(said, done.stderr, re.MULTILINE), done.stderr
    assert sum(line.startswith("error: ") for line in messages(done.stderr)) <= 1
    closed_properly(root, outcome, status)
    assert (root / "000__hammer__count/counted").is_file()
    if how == "directory":
        return
    assert (root / "001__hammer__fail/FAILURE").is_file()
    assert "about to fail" in (root / "001__hammer__fail/_run.log").read_text()


def test_of_several_failures_every_one_is_told(call: Call) -> None:
    done = call("hostile", "fail_ci", "--how=group")
    assert done.returncode == 2
    assert [line.partition(" (")[0] for line in messages(done.stderr)] == [
        "error: ValueError: first",
        "error: ValueError: second",
    ]


def test_a_traceback_is_shown_to_who_asks(call: Call) -> None:
    done = call("hostile", "fail_ci", "--how=bug", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_overrides_files_tell_their_place(call: Call, copy: Path, tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    (root / "variable_overrides.yaml").write_text("a: b\ntests.cuont: 1\n")
    done = call("hostile", "test_ci", ARTIFACT_DIR=str(root))
    assert done.returncode == 2
    (message,) = messages(done.stderr)
    assert f"{root}/variable_overrides.yaml:2:1: " in message
    assert 'did you mean "tests.count"?' in message


def test_a_secrets_directory_that_is_not_there_is_named(call: Call) -> None:
    done = call("hostile", "secret_ci", HOSTILE_SECRET_PATH="/not/here")
    assert done.returncode == 2
    (message,) = messages(done.stderr)
    assert "HOSTILE_SECRET_PATH=/not/here does not exist" in message


@pytest.mark.parametrize("variable", ["ARTIFACT_DIR", "TOPGALLANT_BASE_DIR"])
def test_an_artifact_directory_that_cannot_be_made_is_one_message(
    variable: str, call: Call, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("here")
    done = call("hostile", "test_ci", **{variable: str(tmp_path / "file/below")})
    assert done.returncode == 2
    assert done.stderr == f"error: {variable}={tmp_path}/file/below: Not a directory\n"


# The size that a file may have stands for a disk that is full at some moment, and needs no root.
LIMITED = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.executable, [sys.executable, "./run_toolbox.py", *sys.argv[2:]])
"""


@pytest.mark.parametrize("limit", [0, 10, 100, 500, 1000, 3000])
def test_a_full_disk_is_said_and_everything_that_fits_is_kept(
    limit: int, copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), "hostile", "fail_ci", "--how=bug"],
        cwd=copy,
        env=environ | {"ARTIFACT_DIR": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "File too large" in done.stderr
    said = messages(done.stderr)
    assert sum(line.startswith("error: ") for line in said) == 1
    assert len(set(said)) == len(said)
    assert not list(root.rglob("*.new"))
    if limit:
        whole = (root / "events.jsonl").read_bytes()
        assert 0 < len(whole) <= limit
    if limit >= 500:
        assert (root / "FINISHED").read_text().startswith("hostile fail_ci ended: ")


def test_a_disk_that_fills_up_during_a_command_leaves_what_was_done(
    call: Call, tmp_path: Path
) -> None:
    root = tmp_path / "run"
    done = call("hostile", "fail_ci", "--how=full", ARTIFACT_DIR=str(root))
    assert done.returncode == 2
    assert f"topgallant: {root}/_run.log is incomplete: File too large" in messages(done.stderr)
    closed_but_for_the_page(root)
    assert os.path.getsize(root / "001__hammer__fail/_run.log") > 0


def closed_but_for_the_page(root: Path) -> None:
    assert (root / "000__hammer__count/counted").is_file()
    assert "OSError" in (root / "001__hammer__fail/FAILURE").read_text()
    assert (root / "FINISHED").is_file()
    assert fold(read_events(root / "events.jsonl")).root.outcome == "error"
