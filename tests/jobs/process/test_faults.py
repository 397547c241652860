"""Kills of server, spawner and runners at random moments under load: nothing lost or doubled.

`TOPGALLANT_FAULTS=1000` (rounds) and `TOPGALLANT_SEED` choose how long and which.
"""

from __future__ import annotations

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.process import kernel
from tests.jobs.process.driver import expected
from tests.jobs.process.house import processes_of

ROUNDS = int(os.environ.get("TOPGALLANT_FAULTS", "12"))
SEED = int(os.environ.get("TOPGALLANT_SEED", str(time.time_ns() % 10**6)))
SLOTS = 3
JOBS_A_ROUND = 12


class Site:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = ROUNDS * JOBS_A_ROUND
        self.random = random.Random(SEED)  # noqa: S311
        self.kills: collections.Counter[str] = collections.Counter()
        self.blind = 0
        self.log = (root / "driver.log").open("ab")
        self.server = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        driver = Path(__file__).with_name("driver.py")
        words = [str(self.root), str(self.jobs), str(SLOTS)]
        return subprocess.Popen(
            [sys.executable, str(driver), *words], stdout=self.log, stderr=self.log
        )

    def strike(self) -> None:
        found = processes_of(str(self.root / "run"))
        spawners = [pid for pid, name in found.items() if name == "job-spawner"]
        named = [kernel.stat(pid) for pid, name in found.items() if name == "job-runner"]
        both = {process.pid for process in named if process}
        # A job between fork and exec looks like its runner: that one would be killed for real.
        runners = [process.pid for process in named if process and process.parent not in both]
        what = self.random.choice(
            ["server", "spawner", "runner", "runners", "server+runner", "server+spawner",
             "spawner+runner", "all"]
        )  # fmt: skip
        victims = []
        if "server" in what or what == "all":
            victims.append(self.server.pid)
        if "spawner" in what or what == "all":
            victims += spawners
        if "runners" in what or what == "all":
            victims += runners
        elif "runner" in what and runners:
            victims.append(self.random.choice(runners))
        self.random.shuffle(victims)
        self.kills[what] += 1
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if self.server.pid in victims:
            self.server.wait()
            time.sleep(self.random.random() * 0.1)
            self.server = self.start()

    def rows(self) -> list[dict[str, Any]]:
        text = (self.root / "database").read_text() if (self.root / "database").exists() else ""
        return [json.loads(line) for line in text.splitlines()]

    def finish(self) -> None:
        assert self.server.wait(240) == 0, (self.root / "driver.log").read_text()[-3000:]

    def sweep(self) -> None:
        self.server.kill()
        self.server.wait()
        self.log.close()
        deadline = time.monotonic() + 10
        while (left := processes_of(str(self.root))) and time.monotonic() < deadline:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.02)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    place = Site(tmp_path)
    yield place
    place.sweep()


@pytest.mark.timeout(60 + ROUNDS * 5)
def test_every_job_ends_once_with_its_own_exit_code(site: Site) -> None:
    for _ in range(ROUNDS):
        time.sleep(site.random.random() * 0.25)  # the moment is the point
        if site.server.poll() is None:
            site.strike()
    site.finish()
    rows = site.rows()
    ends = [row for row in rows if row["kind"] in ("ended", "unknown")]
    ledger = collections.Counter(int(n) for n in (site.root / "ledger").read_text().split())
    told = f"seed {SEED}, {dict(site.kills)}"
    assert sorted(row["n"] for row in ends) == list(range(site.jobs)), told
    assert [row for row in rows if row["kind"] == "contradiction"] == [], told
    assert {n: times for n, times in ledger.items() if times > 1} == {}, told
    wrong = [r for r in ends if r["kind"] == "ended" and r["code"] != expected(r["n"])]
    assert wrong == [], told
    unknown = [row for row in ends if row["kind"] == "unknown"]
    blind = sum(site.kills[what] for what in ("all", "spawner+runner", "server+spawner"))
    assert len(unknown) <= SLOTS * blind, (told, unknown)
    assert all(ledger[row["n"]] == 1 for row in ends if row["kind"] == "ended"), told
    deadline = time.monotonic() + 10
    while processes_of(str(site.root)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(str(site.root)) == {}, told
    print(f"{told}: {len(ends)} jobs, {len(unknown)} unknown")
