"""The points about jobs, at their smallest: real servers, real processes."""

from __future__ import annotations

import os
import random
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from projects.bench.library import (
    job_cases,
    job_faults,
    job_memory,
    job_speed,
    million_hub,
    million_jobs,
    million_store,
)
from projects.bench.library.start_clock import latencies, write_script
from projects.jobs.model.states import State
from projects.jobs.store.store import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from projects.bench.library.alternation import Probe


@pytest.fixture
def contest(tmp_path: Path) -> job_speed.Contest:
    return job_speed.Contest([], tmp_path, os.environ)


def measured(probes: list[Probe]) -> dict[str, float]:
    return {case: seconds for probe in probes for case, seconds in probe.measure().items()}


def test_the_99th_percentile_is_a_sample() -> None:
    assert job_cases.quantiles([3.0]) == {"p50": 3.0, "p99": 3.0}
    assert job_cases.quantiles(range(1, 101)) == {"p50": 50.5, "p99": 99}
    assert job_cases.quantiles(range(1, 102)) == {"p50": 51, "p99": 100}


def test_a_start_is_told_by_the_clock_of_the_job(tmp_path: Path) -> None:
    clocks, program = tmp_path / "clocks", tmp_path / "clock"
    write_script(program, clocks)
    took = latencies(lambda: subprocess.run([program], check=True), clocks, 3)
    assert len(took) == 3
    assert all(0 < seconds < 60 for seconds in took)


def test_jobs_run_through_server_and_engine_each_in_a_fresh_folder(
    contest: job_speed.Contest, tmp_path: Path
) -> None:
    found = measured(contest.throughput(30))
    ours = {job_cases.OURS, job_cases.ACKNOWLEDGED, job_cases.QUIET, job_cases.ENGINE}
    assert ours <= set(found)
    assert min(found.values()) > 0
    assert contest.figures[job_cases.OURS].keys() == {
        f"{name}, CPU µs a job" for name in ("server", "job-spawner", "job-runner")
    }
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders == [f"job{number}" for number in range(len(folders))]


def test_starts_and_submissions_are_measured_beside_a_bare_process(
    contest: job_speed.Contest,
) -> None:
    found = measured(contest.starts(3))
    assert list(found) == [
        job_cases.case(who, which)
        for who in (job_cases.OURS, job_cases.RECORDED, job_cases.SPAWN)
        for which in (job_cases.P50, job_cases.P99)
    ]
    assert all(seconds > 0 for seconds in found.values())
    assert list(measured(contest.bulk(100))) == [job_cases.OURS]


def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = job_speed.missing_programs()
    assert missing[job_cases.SPOOLER] == "there is no tsp: apt-get install task-spooler"
    contest = job_speed.Contest(["huey", "ray"], tmp_path, os.environ)
    names = [probe.name for probe in contest.throughput(1)]
    assert names == [job_cases.OURS, job_cases.ENGINE, job_cases.HUEY_SQLITE, job_cases.RAY]


def test_peers_that_have_no_queue_do_not_submit(tmp_path: Path) -> None:
    contest = job_speed.Contest(["huey", "hyperqueue", "ray", "tmt"], tmp_path, os.environ)
    names = {probe.name for probe in contest.bulk(1)} - {job_cases.HUEY_REDIS}
    assert names == {job_cases.OURS, job_cases.HYPERQUEUE, job_cases.HUEY_SQLITE}


def test_the_made_up_store_has_what_is_asked_for(tmp_path: Path) -> None:
    with closing(open_store(f"sqlite:///{tmp_path}/jobs.db")) as store:
        million_store.fill(store, 2000)
        counts = store.counts()
        assert (counts.total, counts.states) == (2000, {State.DONE: 1800, State.NEW: 200})
        assert len(counts.outcomes) == 5
        assert len(store.head(10)) == 2
        for name, query in million_jobs.queries(2000, random.Random(1)).items():  # noqa: S311
            assert query.path().startswith("/api/v1/"), name
            assert query.ask(store) is not None, name


def test_a_store_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    million = million_jobs.Million(500, 2, work, os.environ, 400, 60)
    made = million_store.database(500).stat(), million_hub.database(400, 60, os.environ).stat()
    found = measured(million.probes())
    again = million_store.database(500).stat(), million_hub.database(400, 60, os.environ).stat()
    assert [one.st_ino for one in again] == [one.st_ino for one in made]
    for where in (job_cases.HTTP, job_cases.STORE, job_cases.SQL):
        assert found[job_cases.case(f"{where}: {job_cases.WORST}", job_cases.P99)] > 0
    assert found[job_cases.case(f"{job_cases.PAGE}: {job_cases.WORST_PAGE}", job_cases.P99)] > 0
    sizes = million.figures["kB of the largest answer"]
    assert {name: size for name, size in sizes.items() if not 0.02 < size < 100} == {}
    assert found[job_cases.START] > 0
    assert million.figures[job_cases.HTTP]["MiB after the start"] > 10
    assert list(work.iterdir()) == []


def test_memory_is_told_for_each_kind_of_process(tmp_path: Path) -> None:
    found = job_memory.measure(tmp_path, os.environ, ran=3, waiting=10)
    assert {name.partition(",")[0] for name in found} == {"server", "job-spawner", "job-runner"}
    assert all(row["fresh"] > 1 for row in found.values())


def test_kills_break_no_promise(tmp_path: Path) -> None:
    outcome = job_faults.measure(
        tmp_path, os.environ, rounds=6, seconds=60, seed=4, keep=tmp_path / "kept"
    )
    assert outcome.good, outcome.told
    assert outcome.findings.real > 0
    assert outcome.kills.total() >= 1
    assert not (tmp_path / "kept").exists()
    assert set(job_faults.scores(outcome)["has to be 0"].values()) == {0}
