"""Kill server, spawner and runners at random moments under load, again and again."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from projects.bench.library.job_ledger import (
    PARAMETERS,
    POLICIES,
    SCRIPT,
    SHORT,
    SHORT_SCRIPT,
    Findings,
    examine,
)
from projects.bench.library.job_server import JobServer, processes_of
from projects.core.errors import TopgallantError
from projects.jobs.library.client import Away, Refused
from projects.jobs.process import kernel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KINDS = (
    "server",
    "server, and again while it starts",
    "spawner",
    "a runner",
    "runners",
    "server and a runner",
    "server and spawner",
    "spawner and a runner",
    "all",
)
"""What is killed in a round."""

SLOTS = 4
_BATCH, _SHORT_BATCH = 6, 30
_WAITING = 24
_PAUSE = 0.15
_PATIENCE = 120.0

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    """What the rounds came to; `ready` has the seconds until each new server was ready."""

    ready: list[float] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    findings: Findings = field(default_factory=Findings)
    zombies: int = 0
    left_over: int = 0
    acknowledged: int = 0
    seconds: float = 0.0
    told: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything is as promised."""
        return not (self.findings.bad or self.zombies or self.left_over)


class PromiseBroken(TopgallantError):
    """Jobs were lost or ran twice, or processes were left: that is no matter of a busy machine."""


class Faults:
    """One data directory, load on it, and rounds of kills."""

    def __init__(self, root: Path, environ: Mapping[str, str], seed: int) -> None:
        self.server = JobServer(root, environ)
        self.ledger = root / "ledger"
        self.ledger.touch()
        for policy in POLICIES:
            script = SCRIPT.format(ledger=self.ledger)
            self.server.add_tool(policy, script, on_restart=policy, parameters=PARAMETERS)
        self.server.add_tool(SHORT, SHORT_SCRIPT.format(ledger=self.ledger), parameters=PARAMETERS)
        self.outcome = Outcome()
        self._chance = random.Random(seed)  # noqa: S311
        self._acknowledged: list[str] = []
        self._feeding = threading.Event()
        self._feeder = threading.Thread(target=self._feed, args=(seed,), daemon=True)
        self._zombies: set[tuple[int, int]] = set()

    def run(self, rounds: int, seconds: float) -> Outcome:
        """Kill `rounds` times, or until `seconds` are over; then see what became of all jobs."""
        began = time.monotonic()
        try:
            self._start()
            self.outcome.ready.clear()  # the first one started with nothing to recover
            self._feeding.set()
            self._feeder.start()
            for done in range(1, rounds + 1):
                time.sleep(self._chance.uniform(0.02, 0.3))
                self._strike(self._chance.choice(KINDS))
                self._look_for_zombies()
                if done % 100 == 0:
                    _logger.info("round %d of %d", done, rounds)
                if time.monotonic() - began > seconds:
                    _logger.warning("time is over after %d of %d rounds", done, rounds)
                    break
            self._finish()
            self._examine()
        finally:
            self._feeding.clear()
            self.server.sweep()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    # Load: some submissions of jobs that take a while, some of short ones.

    def _feed(self, seed: int) -> None:
        chance = random.Random(seed + 1)  # noqa: S311
        while self._feeding.is_set():
            ended = sum(line.startswith("-") for line in self._lines())
            if len(self._acknowledged) - ended > _WAITING:
                time.sleep(0.01)
                continue
            tools = chance.choice([POLICIES * (_BATCH // len(POLICIES)), (SHORT,) * _SHORT_BATCH])
            specs = [{"name": tool, "params": _params(chance)} for tool in tools]
            try:
                answer = self.server.submit(specs, SLOTS)
            except (Away, Refused, OSError):
                time.sleep(0.02)  # not acknowledged: it may be there, or not
                continue
            self._acknowledged += answer["job_ids"]

    def _lines(self) -> list[str]:
        return self.ledger.read_text(encoding="ascii").splitlines()

    # Kills.

    def _start(self) -> None:
        options = ("--parallel-submissions=2", f"--parallel-jobs={SLOTS}")
        self.outcome.ready.append(self.server.start(*options))

    def _strike(self, kind: str) -> None:
        found = self.server.pids()
        spawners = [pid for pid, name in found.items() if name == "job-spawner"]
        runners = self._runners(found)
        victims = []
        if "spawner" in kind or kind == "all":
            victims += spawners
        if kind in ("runners", "all"):
            victims += runners
        elif "a runner" in kind and runners:
            victims.append(self._chance.choice(runners))
        dies = "server" in kind or kind == "all"
        if dies and self.server.process is not None:
            victims.append(self.server.process.pid)
        self._chance.shuffle(victims)
        self.outcome.kills[kind] += 1
        for pid in victims:
            kernel.send(pid, signal.SIGKILL)
        if dies:
            self.server.kill()
            if "again" in kind:
                self.server.launch()
                time.sleep(self._chance.uniform(0, 1.0))
                self.server.kill()
            time.sleep(self._chance.uniform(0, 0.1))
            self._start()

    @staticmethod
    def _runners(found: Mapping[int, str]) -> list[int]:
        """Leave out a job between fork and exec: it looks like its runner, and would really die."""
        named = {pid for pid, name in found.items() if name == "job-runner"}
        seen = [kernel.stat(pid) for pid in named]
        return [one.pid for one in seen if one is not None and one.parent not in named]

    def _look_for_zombies(self) -> None:
        """Count children of ours that had ended a round ago and are still not reaped."""
        ours = self.server.pids()
        now = {
            (one.pid, one.start_ticks)
            for one in kernel.processes()
            if one.state == "Z" and one.parent in ours
        }
        self.outcome.zombies += len(now & self._zombies)
        self._zombies = now

    # The end.

    def _finish(self) -> None:
        self._feeding.clear()
        self._feeder.join()
        self.outcome.acknowledged = len(self._acknowledged)
        deadline = time.monotonic() + _PATIENCE
        while self.server.client.get_json("/api/v1/counts", state="queued,live")["total"]:
            if time.monotonic() > deadline:
                break  # what isn't done is lost
            time.sleep(0.05)
        self.server.stop()
        deadline = time.monotonic() + 10
        while (left := processes_of(str(self.server.root))) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.outcome.left_over = len(left)
        self.outcome.told += [f"left over: {name} ({pid})" for pid, name in left.items()]

    def _examine(self) -> None:
        database = self.server.data / "satellite.db"
        self.outcome.findings, told = examine(database, self.ledger, self._acknowledged)
        self.outcome.told += told


def _params(chance: random.Random) -> dict[str, Any]:
    return {"pause": f"{chance.uniform(0, _PAUSE):.3f}", "code": chance.randrange(0, 100)}


def measure(
    work: Path, environ: Mapping[str, str], *, rounds: int, seconds: float, seed: int, keep: Path
) -> Outcome:
    """Return what so many rounds came to; if it isn't as promised, the data directory is kept."""
    root = work / "faults"
    root.mkdir()
    faults = Faults(root, environ, seed)
    try:
        return faults.run(rounds, seconds)
    finally:
        if not faults.outcome.good:
            shutil.copytree(root, keep, symlinks=True, ignore=_no_sockets)


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    import stat

    def is_socket(name: str) -> bool:
        return stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode)

    return [name for name in names if is_socket(name)]


def scores(outcome: Outcome) -> dict[str, Any]:
    """Return the figures of the report."""
    return {
        "has to be 0": {
            "lost": outcome.findings.lost,
            "doubled": outcome.findings.doubled,
            "ended twice": outcome.findings.ended_twice,
            "wrong end": outcome.findings.wrong,
            "zombies": outcome.zombies,
            "left over": outcome.left_over,
        },
        "what happened": {
            "kills": outcome.kills.total(),
            "acknowledged": outcome.acknowledged,
            "jobs": outcome.findings.jobs,
            "real exit code": outcome.findings.real,
            "ran again": outcome.findings.again,
            "end unseen (LOST)": outcome.findings.unseen,
            "killed before exec": outcome.findings.unborn,
            "seconds": outcome.seconds,
        },
        "kills of": dict(outcome.kills),
    }
