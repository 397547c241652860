"""`jobs run` from inside an orchestration, and the commands that look at jobs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projects.core import errors
from projects.core.library import env, run
from tests.conftest import CHECKOUT
from tests.satellite.live import Live, wait_until


@pytest.fixture(scope="module")
def satellite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = Live(tmp_path_factory.mktemp("satellite"), "--parallel_submissions=3")
    live.write_test(
        "leaves",
        '#!/bin/sh\necho out\nmkdir -p "a b"\necho 1 > "a b/%.txt"\nexit ${arg_status:-0}\n',
        {"description": "Leaves files.", "parameters": [], "unknown_parameters": "allow"},
    )
    try:
        live.start()
        yield live
    finally:
        live.end()


@pytest.fixture
def orchestration(
    satellite: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    for name in ("HOME", "SATELLITE_URL"):
        monkeypatch.setenv(name, satellite.environ[name])
    with env.TempArtifactDir(tmp_path) as directory:
        yield directory


def test_what_a_job_left_is_kept_with_its_logs(orchestration: Path) -> None:
    result = run.run_toolbox("jobs", "run", tool="leaves", params={"x": 1}, note="from a test")
    assert result.value["outcome"] == "SUCCESS"
    there = result.artifact_dir / "000__job"
    assert (there / "stdout.log").read_text() == "out\n"
    assert (there / "a b/%.txt").read_text() == "1\n"
    assert result.value["params"] == {"x": 1}


def test_it_fails_as_the_job_does(orchestration: Path) -> None:
    with pytest.raises(errors.TestFailed, match=r"exit code 3; see .*000__job\n  out"):
        run.run_toolbox("jobs", "run", tool="leaves", params={"status": 3})
    never = {"wait_for": "/nowhere/never"}
    with pytest.raises(errors.DeadlineExceeded):
        run.run_toolbox("jobs", "run", tool="example", params=never, timeout=0.2)
    with pytest.raises(errors.TopgallantError, match='did you mean "leaves"'):
        run.run_toolbox("jobs", "run", tool="leafs")


def test_a_cancelled_job_is_not_judged(satellite: Live, orchestration: Path) -> None:
    def ids() -> set[str]:
        return {job["job_id"] for job in satellite.data("jobs", "--limit=100")["jobs"]}

    before = ids()
    with ThreadPoolExecutor(1) as pool:
        never = {"wait_for": "/nowhere/never"}
        running = pool.submit(
            lambda: run.run_toolbox("jobs", "run", tool="example", params=never, check=False)
        )
        wait_until(lambda: running.done() or ids() - before)
        (job,) = ids() - before
        satellite.satctl("cancel", job)
        error = running.result(60).error
    assert isinstance(error, errors.InfrastructureError)
    assert errors.exit_status_of(error) == errors.UNJUDGED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_job_is_cancelled_with_the_orchestration(
    satellite: Live, number: int, tmp_path: Path
) -> None:
    words = ["jobs", "run", "example", "--params={wait_for: /nowhere/never}"]
    with subprocess.Popen(
        [sys.executable, str(CHECKOUT / "run_toolbox.py"), *words],
        env=satellite.environ | {"TOPGALLANT_BASE_DIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until(lambda: satellite.data("jobs", "--status=RUNNING")["jobs"])
        job = satellite.data("jobs", "--status=RUNNING")["jobs"][0]["job_id"]
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 128 + number
    satellite.satctl("wait", job)
    assert satellite.data("job", job)["status"] == "CANCELLED"


def test_the_commands_print_what_the_server_says(satellite: Live, tmp_path: Path) -> None:
    def call(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, str(CHECKOUT / "run_toolbox.py"), "jobs", *words],
            env=satellite.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    file = tmp_path / "s.json"
    file.write_text(json.dumps({"job_specs": [{"name": "leaves"}]}))
    (job,) = json.loads(call("submit", str(file), "--output=json"))["job_ids"]
    assert call("log", f"--job={job}", "--follow") == "out\n"
    assert call("log", f"--job={job}") == "out\n"
    assert json.loads(call("show", f"--job={job}", "--output=json"))["outcome"] == "SUCCESS"
    listed = json.loads(call("list", "--state=ended", "--limit=1", "--output=json"))
    assert len(listed["items"]) == 1
    assert json.loads(call("retry", f"--job={job}", "--output=json"))["id"] == job
