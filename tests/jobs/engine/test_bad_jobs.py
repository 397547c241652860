"""Scripts, disks and clocks that do what they shouldn't: the job is judged, the server goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.engine import recorder
from projects.jobs.model import moment
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.errors import StoreFull
from tests.jobs.engine.conftest import Gate, House
from tests.satellite.live import wait_until

BOUND = 64 << 10


def notes_of(house: House, number: int) -> list[str]:
    ended = house.store.events_of(number)[-1]
    return list(ended.data.get("notes", ()))


def test_one_that_closes_its_output_is_judged_by_its_end(house: House) -> None:
    house.tool("closes", "echo before; exec >&- 2>&- <&-; touch here; exit 3")
    job = house.run("closes")
    assert (job.outcome, job.return_code) == (Outcome.FAILED, 3)
    assert (house.logs(job) / "here").exists()
    assert house.output(job) == "before\n"


def test_one_that_prints_without_end_fills_no_disk_and_is_told(house: House) -> None:
    house.tool("yes", "yes | head -c 20000000")
    house.start(output_bytes=BOUND)
    job = house.run("yes")
    assert job.outcome == Outcome.SUCCESS
    assert os.path.getsize(house.logs(job) / "stdout.log") <= BOUND
    assert "bytes left out" in house.output(job)
    assert any("of its output were left out" in note for note in notes_of(house, job.number))


def test_one_that_forks_daemons_ignores_sigterm_and_is_out_of_time_leaves_nothing(
    house: House,
) -> None:
    house.tool("stubborn", "trap '' TERM; setsid sleep 97531 & sleep 97532", timeout=0.3)
    job = house.run("stubborn")
    assert job.outcome == Outcome.TIMEOUT
    left = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [words for words in left if b"9753" in words]


def test_one_that_fills_the_disk_fails_and_others_go_on(house: House) -> None:
    """RLIMIT_FSIZE is to a writer what a full disk is; /dev/full is one."""
    house.tool("fills", "ulimit -f 8; trap '' XFSZ; head -c 9000000 /dev/zero > big")
    house.tool("full", "echo x > /dev/full")
    house.tool("quick", "true")
    for name in ("fills", "full"):
        job = house.run(name)
        assert job.outcome == Outcome.FAILED
        assert (house.logs(job) / "stderr.log").read_text() != ""
    assert house.run("quick").outcome == Outcome.SUCCESS


def test_a_disk_that_is_full_for_the_database_costs_no_job(
    house: House, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(recorder, "_LONGEST_PAUSE", 0.05)
    house.tool("wait", gate.wait)
    running = house.running(house.submit("wait").job_ids[0])
    total = house.store.counts().total
    bound_pages(house, 1)  # SQLite then says SQLITE_FULL, as when the disk has no room
    with pytest.raises(StoreFull, match="the disk is full"):
        house.engine.submit({"job_specs": [{"name": "wait"}] * 5000}, "ann")
    assert house.store.counts().total == total
    bound_pages(house, 1 << 30)
    gate.open()
    assert house.done(running.number).outcome == Outcome.SUCCESS
    wait_until(lambda: house.engine.health().ready)
    assert house.done(house.submit("wait").job_ids[0]).outcome == Outcome.SUCCESS


def bound_pages(house: House, pages: int) -> None:
    with house.store._database._turns(30), house.store._database._writer.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.execute(f"PRAGMA max_page_count = {pages}")


def test_a_clock_that_jumps_changes_neither_order_nor_outcomes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.tool("quick", "sleep 0.01", timeout=60)
    monkeypatch.setattr(moment, "_last", moment._last)
    real, done = time.time_ns, []
    for day in (0, 2, -3, 1):
        shift = day * 86_400 * 10**9
        monkeypatch.setattr(time, "time_ns", lambda shift=shift: real() + shift)
        done.append(house.run("quick"))
    assert [job.outcome for job in done] == [Outcome.SUCCESS] * 4
    assert [job.number for job in done] == [1, 2, 3, 4]
    assert all(job.started and job.finished and job.started <= job.finished for job in done)
    created = [job.created for job in done]
    assert created == sorted(created)
    assert [job.number for job in house.store.jobs().items] == [4, 3, 2, 1]
    assert house.engine.health().ready
    assert {house.job(job.number).state for job in done} == {State.DONE}
