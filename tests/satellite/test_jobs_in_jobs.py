"""A test script that submits jobs to the satellite that runs it, which takes one at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT
from tests.satellite.live import Live

PYTHON = sys.executable
ONE = ("--parallel_submissions=1", "--parallel_jobs=1")
SCRIPTS = {
    "leaf": "echo leaf $arg_n",
    "by_satctl": f"{PYTHON} {CHECKOUT}/bin/satctl run --wait leaf --n=7",
    "by_file": 'echo \'{"job_specs": [{"name": "leaf"}, {"name": "leaf"}]}\' |'
    f" {PYTHON} {CHECKOUT}/bin/satctl submit_file --wait -",
    "by_toolbox": f"TOPGALLANT_BASE_DIR=$PWD {PYTHON} {CHECKOUT}/run_toolbox.py jobs run by_satctl",
    "leaves": f"{PYTHON} {CHECKOUT}/bin/satctl run leaf; "
    f"{PYTHON} {CHECKOUT}/bin/satctl run --detached leaf",
}


@pytest.fixture(scope="module")
def satellite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    live = Live(tmp_path_factory.mktemp("satellite"), *ONE)
    spec = {"description": "x", "parameters": [], "unknown_parameters": "allow"}
    allowed = ["SATELLITE_URL", "TOPGALLANT_VENV"]
    for name, script in SCRIPTS.items():
        live.write_test(name, f"#!/bin/sh\n{script}\n", spec | {"env_allow": allowed})
    try:
        live.start()
        # Jobs see the variables of the server, which didn't know its port when it started.
        live.kill()
        live.start()
        yield live
    finally:
        live.end()


@pytest.mark.parametrize(("name", "below"), [("by_satctl", 1), ("by_file", 2), ("by_toolbox", 2)])
def test_a_job_waits_for_what_it_submits(satellite: Live, name: str, below: int) -> None:
    before = satellite.data("jobs")["jobs"]
    done = satellite.satctl("run", "--wait", "--timeout=60", name)
    assert done.returncode == 0, done.stdout + done.stderr
    after = satellite.data("jobs")["jobs"]
    assert len(after) - len(before) == 1 + below
    assert {job["status"] for job in after} == {"DONE"}


def test_what_is_detached_waits_for_its_turn_and_outlives_the_job(satellite: Live) -> None:
    assert satellite.satctl("run", "--wait", "leaves").returncode == 0
    detached, below, parent = satellite.data("jobs", "--limit=3")["jobs"]
    done = satellite.satctl("wait", detached["job_id"])
    assert done.returncode == 0, done.stderr
    sent = {
        job["name"]: satellite.data("submission", job["submission_id"])["parent"]
        for job in (detached, parent)
    }
    assert sent == {"leaf": None, "leaves": None}
    found = satellite.data("submission", below["submission_id"])
    assert found["parent"] == parent["job_id"]
    satellite.satctl("wait", below["job_id"])
    assert satellite.data("job", below["job_id"])["status"] in {"DONE", "CANCELLED"}


def test_detached_is_not_waited_for(satellite: Live, tmp_path: Path) -> None:
    done = satellite.satctl("run", "--detached", "--wait", "leaf")
    assert done.returncode == 2
    assert "--detached and --wait" in done.stderr
