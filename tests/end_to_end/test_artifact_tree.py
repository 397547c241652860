"""What a run leaves: the tree, files that work again, and never a secret or the environment."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml

from projects.core.artifacts.spans import fold, read_events
from tests.conftest import CHECKOUT
from tests.core.processes.watching import until
from tests.end_to_end.conftest import Call

PATIENCE = 120
FAST = ("tests.seconds=0.01", "tests.warmup_transactions=1", "tests.repetitions=1")


@pytest.fixture(scope="module", autouse=True)
def hostile(copy: Path) -> Path:
    """Put the project into the checkout."""
    there = copy / "projects" / "hostile"
    shutil.copytree(CHECKOUT / "tests/data/hostile_project", there, dirs_exist_ok=True)
    return there


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def restarted(root: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "_meta/restart.sh"],
        cwd="/",
        env=environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_readme_command_leaves_the_whole_tree(
    call: Call, copy: Path, environ: dict[str, str]
) -> None:
    marker = "zebra-4711-zebra"
    done = call("project", "test_ci", "quick", *FAST, SOME_VARIABLE=marker)
    assert done.returncode == 0, done.stderr
    root = (copy / "artifacts/latest").resolve()
    assert re.fullmatch(r"\d{8}-\d{6}__sqlite_bench__test_ci", root.name)
    assert str(root) in done.stderr

    top = {path.name for path in root.iterdir() if not path.name.startswith("0")}
    assert top >= {
        "config.yaml",
        "presets_applied",
        "events.jsonl",
        "timeline.html",
        "junit.xml",
        "reports_index.html",
        "FINISHED",
        "_run.log",
        "_meta",
    }
    assert not top & {"FAILURE", "FAILURES", "SKIPPED"}
    commands = sorted(path for path in root.iterdir() if path.name.startswith("0"))
    assert [int(path.name[:3]) for path in commands] == list(range(len(commands)))
    plots = commands.pop()
    assert plots.name.endswith("__plots")
    assert {"verdict.json", "verdict.html", "lts_payload.json"} <= {p.name for p in plots.iterdir()}
    assert len(commands) >= 4
    for path in [root, *commands]:
        metadata = yaml.safe_load((path / "_meta/metadata.yaml").read_text())
        assert metadata["outcome"] == "passed"
        assert metadata.keys() >= {"name", "parameters", "start", "end", "versions"}
        assert os.access(path / "_meta/restart.sh", os.X_OK)
        assert (path / "_run.log").is_file()
    assert "preset[quick] " in (root / "presets_applied").read_text()

    run = fold(read_events(root / "events.jsonl"))
    spans = {span.dir: span for _, span in run.walk() if span.kind == "command"}
    assert set(spans) == {path.name for path in commands}
    assert {span.outcome for _, span in run.walk()} == {"passed"}
    suite = ET.parse(root / "junit.xml").getroot()  # noqa: S314 - we have just written it
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")

    assert not [name for name, data in files(root).items() if marker.encode() in data]
    assert marker not in done.stdout + done.stderr

    again = call("config", "show", TOPSAIL_FROM_CONFIG_FILE=str(root / "config.yaml"))
    assert again.returncode == 0, again.stderr
    for one in (root, commands[1]):
        done = restarted(one, environ)
        assert done.returncode == 0, done.stderr


def test_the_written_configuration_is_loaded_again_as_it_is(call: Call, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert call("hostile", "test_ci", "quick", ARTIFACT_DIR=str(first)).returncode == 0
    written = str(first / "config.yaml")
    done = call("hostile", "test_ci", ARTIFACT_DIR=str(second), TOPGALLANT_FROM_CONFIG_FILE=written)
    assert done.returncode == 0, done.stderr
    assert (second / "config.yaml").read_text() == (first / "config.yaml").read_text()
    assert yaml.safe_load((second / "config.yaml").read_text())["tests"]["label"] == "2 nails"


@pytest.mark.parametrize(
    ("words", "status"),
    [(("test_ci", "quick", "tests.label=a 'b' $c"), 0), (("fail_ci", "--how=bash"), 1)],
)
def test_restart_does_the_same_with_the_same_outcome(
    words: tuple[str, ...], status: int, call: Call, environ: dict[str, str], tmp_path: Path
) -> None:
    root, again = tmp_path / "run", tmp_path / "again"
    done = call("hostile", *words, ARTIFACT_DIR=str(root))
    assert done.returncode == status, done.stderr
    done = restarted(root, environ | {"ARTIFACT_DIR": str(again)})
    assert done.returncode == status, done.stderr
    for name in {*files(root), *files(again)}:
        assert (again / name).exists(), name
        if Path(name).name in ("config.yaml", "counted"):
            assert (again / name).read_bytes() == (root / name).read_bytes()
    (last,) = sorted(root.glob("0*"))[-1:]
    done = restarted(last, environ | {"ARTIFACT_DIR": str(tmp_path / "alone")})
    assert done.returncode == status, done.stderr
    one = yaml.safe_load((last / "_meta/metadata.yaml").read_text())
    (repeated,) = (tmp_path / "alone").glob("0*")
    other = yaml.safe_load((repeated / "_meta/metadata.yaml").read_text())
    assert [one[key] for key in ("name", "parameters", "outcome")] == [
        other[key] for key in ("name", "parameters", "outcome")
    ]


TOKEN = "S3cr3t/With+Signs=&\"quote\" and 'more'"
KUBECONFIG = "kind: Config\ntoken: eyJhbGciOiJSUzI1NiIs\n"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    there = tmp_path / "secrets"
    there.mkdir()
    (there / "token").write_text(TOKEN + "\n")
    (there / "kubeconfig").write_text(KUBECONFIG)
    return there


def spellings(value: str) -> set[bytes]:
    """Return what would give `value` away, longer parts of its base64 at all alignments too."""
    found = {value, value[:12], value[-12:], urllib.parse.quote(value, safe="")}
    encoded = {
        base64.b64encode(b"x" * before + value.encode()).decode()[4:-4] for before in range(3)
    }
    return {one.encode() for one in {*found, *encoded}}


def leaks(root: Path, printed: str) -> list[str]:
    known = spellings(TOKEN) | spellings("eyJhbGciOiJSUzI1NiIs")
    everything = {**files(root), "what was printed": printed.encode()}
    everything |= {f"name {p}": str(p).encode() for p in root.rglob("*")}
    return [name for name, data in everything.items() if any(one in data for one in known)]


@pytest.mark.parametrize("words", [(), ("--debug",)], ids=["plain", "debug"])
def test_secrets_are_in_no_file_and_no_output(
    words: tuple[str, ...], call: Call, secrets: Path, tmp_path: Path
) -> None:
    root = tmp_path / "run"
    done = call(
        "hostile", "secret_ci", *words, ARTIFACT_DIR=str(root), HOSTILE_SECRET_PATH=str(secrets)
    )
    assert done.returncode == 2, done.stderr
    assert "KeyError" in (root / "FAILURES").read_text(), done.stderr
    assert leaks(root, done.stdout + done.stderr) == []
    assert "***" in (root / "_run.log").read_text()
    sums = (root / "secrets.sha256sum").read_text().splitlines()
    assert [line.split()[1] for line in sums] == ["kubeconfig", "token"]
    # The function got the value itself.
    (shown,) = root.glob("000__hammer__show*")
    assert (shown / "shown").read_text() == f"{len(TOKEN)}\n"
    # It was masked in the call, which therefore cannot be made again as it stands.
    assert subprocess.run([shown / "_meta/restart.sh"], stderr=-1, check=False).returncode == 2


def test_a_secret_in_the_configuration_is_masked_from_the_first_file_on(
    call: Call, hostile: Path, secrets: Path, tmp_path: Path
) -> None:
    config = hostile / "testing/config.yaml"
    before = config.read_text()
    config.write_text(
        before.replace('"{@tests.count} nails"', f"'{TOKEN.replace(chr(39), chr(39) * 2)}'")
    )
    root = tmp_path / "run"
    try:
        done = call("hostile", "test_ci", ARTIFACT_DIR=str(root), HOSTILE_SECRET_PATH=str(secrets))
    finally:
        config.write_text(before)
    assert done.returncode == 0, done.stderr
    (root / "000__hammer__count/counted").unlink()  # written by the command itself
    assert leaks(root, done.stdout + done.stderr) == []
    assert yaml.safe_load((root / "config.yaml").read_text())["tests"]["label"] == "***"


def test_an_export_is_refused_when_a_secret_was_smuggled_in(
    call: Call, secrets: Path, tmp_path: Path
) -> None:
    root, there = tmp_path / "run", tmp_path / "exports"
    done = call(
        "hostile",
        "smuggle_ci",
        "export_artifacts.enabled=true",
        f"export_artifacts.dest={there}",
        ARTIFACT_DIR=str(root),
        HOSTILE_SECRET_PATH=str(secrets),
    )
    assert done.returncode == 2
    assert "notes.txt:1: the secret token (base64)" in done.stderr
    assert not there.exists() or not [p for p in there.rglob("*") if p.is_file()]
    assert not (root / "export.url").exists()


def test_two_runs_of_one_moment_have_two_directories(
    copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    both = [started(copy, environ | {"TOPGALLANT_BASE_DIR": str(tmp_path)}, n) for n in range(2)]
    assert [process.wait(PATIENCE) for process in both] == [0, 0]
    runs = [path for path in tmp_path.glob("2*") if path.is_dir()]
    assert len(runs) == 2
    assert all((run / "000__hammer__count/counted").is_file() for run in runs)
    assert (tmp_path / "latest").resolve() in runs


def started(copy: Path, environ: dict[str, str], number: int) -> subprocess.Popen[str]:
    """Start a command; what it tells is in a file in the home directory."""
    with Path(environ["HOME"], f"stderr-{number}").open("w") as told:
        return subprocess.Popen(
            [sys.executable, "./run_toolbox.py", "hammer", "count", f"--number={number}"],
            cwd=copy,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=told,
            text=True,
        )


def test_64_processes_in_one_artifact_directory_get_distinct_numbers(
    copy: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "run"
    several = [started(copy, environ | {"ARTIFACT_DIR": str(root)}, n) for n in range(64)]
    assert {process.wait(PATIENCE) for process in several} == {0}
    for told in (path.read_text() for path in tmp_path.glob("stderr-*")):
        assert "topgallant: " not in told
        assert "PASSED  hammer count" in told
    assert sorted(path.name for path in root.glob("*__*")) == [
        f"{n:03d}__hammer__count" for n in range(64)
    ]
    counted = {path.read_text() for path in root.glob("*/counted")}
    assert counted == {f"{n} none\n" for n in range(64)}
    run = fold(read_events(root / "events.jsonl"))
    assert [one.outcome for one in run.roots] == ["passed"] * 64
    assert sorted(span.dir or "" for r in run.roots for span in r.children) == sorted(
        path.name for path in root.glob("*__*")
    )
    assert not list(root.rglob("*.new"))
    assert {"FINISHED", "junit.xml", "timeline.html"} <= {path.name for path in root.iterdir()}
    assert " passed after " in (root / "FINISHED").read_text()


def test_runs_that_share_a_directory_each_tell_about_themselves(
    copy: Path, call: Call, environ: dict[str, str], tmp_path: Path
) -> None:
    root = tmp_path / "run"
    waiting = subprocess.Popen(
        [sys.executable, "./run_toolbox.py", "hostile", "wait_ci"],
        cwd=copy,
        env=environ | {"ARTIFACT_DIR": str(root)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with waiting:
        until(lambda: (root / "waiting").exists() or waiting.poll() is not None)
        done = call("hostile", "fail_ci", "--how=bash", ARTIFACT_DIR=str(root))
        assert done.returncode == 1
        assert "FAILED  hostile fail_ci" in done.stderr
        (root / "go").touch()
        _, said = waiting.communicate(timeout=PATIENCE)
    assert waiting.returncode == 0
    assert "PASSED  hostile wait_ci" in said
