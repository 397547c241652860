"""Jobs per second, the time until a job starts, and bulk submissions: ours beside others."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from projects.bench.library import peers as peers_of
from projects.bench.library.alternation import Probe
from projects.bench.library.environments import our_environment, peers_environment
from projects.bench.library.job_cases import (
    ACKNOWLEDGED,
    ENGINE,
    HUEY_REDIS,
    HUEY_SQLITE,
    HYPERQUEUE,
    MAKE,
    OURS,
    QUIET,
    RAY,
    RECORDED,
    RIVALS,
    SPAWN,
    SPOOLER,
    case,
    quantiles,
)
from projects.bench.library.job_server import JobServer, cpu_of, running
from projects.bench.library.start_clock import latencies, write_script
from projects.bench.library.timing import MeasuredProgramFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

_PROGRAMS = {HUEY_REDIS: "redis-server", SPOOLER: "tsp", MAKE: "make"}
_PACKAGES = {"redis-server": "redis-server", "tsp": "task-spooler", "make": "make"}
_TIMEOUT = 900.0
_WARM_UP = 20


def missing_programs() -> dict[str, str]:
    """Return why contestants can't be measured here: their program isn't installed."""
    return {
        contestant: f"there is no {program}: apt-get install {_PACKAGES[program]}"
        for contestant, program in _PROGRAMS.items()
        if shutil.which(program) is None
    }


def missing_packages() -> list[str]:
    """Return the Debian packages of the programs that aren't installed here."""
    return [package for program, package in _PACKAGES.items() if shutil.which(program) is None]


class Contest:
    """The contestants of the job rows; each measurement has a folder of its own below `work`."""

    def __init__(self, peers: Collection[str], work: Path, environ: Mapping[str, str]) -> None:
        self._peers = peers
        self._work = work
        self._environ = environ
        self._numbers = itertools.count()
        self.missing = missing_programs()
        self.figures: dict[str, dict[str, float]] = {}
        """By case, what is no duration; of the last round."""

    def probes(self, bench: str, count: int) -> list[Probe]:
        """Return the probes of a point, by its name."""
        kinds = {
            "jobs_throughput": self.throughput,
            "jobs_start": self.starts,
            "jobs_bulk_submit": self.bulk,
        }
        return kinds[bench](count)

    # Throughput: seconds for each of many jobs, from before the submission to the last end.

    def throughput(self, count: int) -> list[Probe]:
        """Return the probes that run /bin/true `count` times, in two slots."""
        return [
            Probe(OURS, lambda: self._our_throughput(count)),
            Probe(ENGINE, lambda: {ENGINE: self._engine(count) / count}),
            *self._made(MAKE, lambda: {MAKE: self._make(count) / count}),
            *self._peers_probes("throughput", count),
        ]

    def _our_throughput(self, count: int) -> dict[str, float]:
        found = {}
        for name, tool in ((OURS, "true"), (QUIET, "quiet")):
            with self._server() as server:
                server.wait_for(server.submit([{"name": tool}] * _WARM_UP, 2))
                used = {pid: cpu_of(pid) for pid in server.pids()}
                began = time.perf_counter()
                submission = server.submit([{"name": tool}] * count, 2)
                acknowledged = time.perf_counter()
                done = server.wait_for(submission)
                ended = time.perf_counter()
                if done["outcomes"] != {"SUCCESS": count}:
                    raise MeasuredProgramFailed(f"not all jobs succeeded: {done['outcomes']}")
                found[name] = (ended - began) / count
                if name == OURS:
                    found[ACKNOWLEDGED] = (ended - acknowledged) / count
                    self.figures[OURS] = _shares(server, used, count)
        return found

    def _engine(self, count: int) -> float:
        folder = self._folder()
        server = JobServer(folder, self._environ)
        server.add_tool("true", "/bin/true")
        module = "projects.bench.library.job_engine_probe"
        argv = [sys.executable, "-m", module, str(count), str(folder)]
        try:
            answer = _answer(argv, our_environment(self._environ, folder / "run"))
        finally:
            server.sweep()
        return float(answer["seconds"])

    def _make(self, count: int) -> float:
        folder = self._folder()
        names = " ".join(f"job{number}" for number in range(count))
        text = f".PHONY: all {names}\nall: {names}\n{names}:\n\t@/bin/true\n"
        (folder / "Makefile").write_text(text, encoding="utf-8")
        began = time.perf_counter()
        subprocess.run(
            ["make", "--silent", "-j2", "-C", str(folder)],
            check=True,
            env=peers_environment(self._environ, folder),
            timeout=_TIMEOUT,
        )
        return time.perf_counter() - began

    # From the submission to the job's own clock.

    def starts(self, count: int) -> list[Probe]:
        """Return the probes that submit `count` jobs to an idle server, one after the other."""
        return [
            Probe(OURS, lambda: self._our_starts(count)),
            Probe(SPAWN, lambda: self._quantiles(SPAWN, self._spawns(count))),
            *self._peers_probes("start", count),
        ]

    def _our_starts(self, count: int) -> dict[str, float]:
        sent: dict[str, float] = {}

        def submit() -> None:
            now = time.time()
            sent[server.submit([{"name": "clock"}], 1)["job_ids"][0]] = now

        with self._server() as server:
            clocks = server.root / "clocks"
            server.add_tool("clock", _clock(server.root, clocks))
            server.wait_for(server.submit([{"name": "true"}] * _WARM_UP, 2))
            clocked = latencies(submit, clocks, count)
            recorded = [server.started(job) - before for job, before in sent.items()]
        return self._quantiles(OURS, clocked) | self._quantiles(RECORDED, recorded)

    def _spawns(self, count: int) -> list[float]:
        folder = self._folder()
        clocks = folder / "clocks"
        program = _clock(folder, clocks)
        return latencies(lambda: subprocess.run([program], check=True), clocks, count)

    @staticmethod
    def _quantiles(contestant: str, samples: Sequence[float]) -> dict[str, float]:
        return {case(contestant, name): value for name, value in quantiles(samples).items()}

    # One submission of many jobs: seconds for each, until it is acknowledged.

    def bulk(self, count: int) -> list[Probe]:
        """Return the probes that submit `count` jobs at once; nothing runs meanwhile but ours."""
        return [
            Probe(OURS, lambda: {OURS: self._our_bulk(count) / count}),
            *self._peers_probes("submit", count),
        ]

    def _our_bulk(self, count: int) -> float:
        with self._server() as server:
            server.wait_for(server.submit([{"name": "true"}] * _WARM_UP, 2))
            body = json.dumps({"parallel": 2, "job_specs": [{"name": "true"}] * count}).encode()
            began = time.perf_counter()
            server.client.post("/api/v1/submissions", body)
            return time.perf_counter() - began

    # How contestants are run.

    def _peers_probes(self, mode: str, count: int) -> list[Probe]:
        peers = "projects.bench.peers"
        python = peers_of.program("python")
        argv = {
            HYPERQUEUE: [python, "-m", f"{peers}.hyperqueue_probe"],
            HUEY_SQLITE: [python, "-m", f"{peers}.huey_probe"],
            HUEY_REDIS: [python, "-m", f"{peers}.huey_probe"],
            SPOOLER: [sys.executable, "-m", "projects.bench.library.task_spooler_probe"],
            RAY: [python, "-m", f"{peers}.ray_probe"],
        }
        words = {HUEY_SQLITE: ["sqlite"], HUEY_REDIS: ["redis"]}
        wanted = {HYPERQUEUE: "hyperqueue", HUEY_SQLITE: "huey", HUEY_REDIS: "huey", RAY: "ray"}
        found = []
        for contestant in RIVALS:
            if mode == "submit" and contestant in (SPOOLER, RAY):
                continue  # they have no queue that waits
            if contestant == SPOOLER:
                if not self._peers:
                    continue
            elif wanted[contestant] not in self._peers:
                continue
            more = words.get(contestant, [])

            def measure(
                contestant: str = contestant, more: Sequence[str] = more
            ) -> dict[str, float]:
                folder = self._folder()
                answer = _answer(
                    [*argv[contestant], mode, str(count), str(folder), *more],
                    peers_environment(self._environ, folder),
                )
                if mode == "start":
                    return self._quantiles(contestant, answer["latencies"])
                return {contestant: answer["seconds"] / count}

            found += self._made(contestant, measure)
        return found

    def _made(self, contestant: str, measure: Callable[[], Mapping[str, float]]) -> list[Probe]:
        if contestant in self.missing:
            return []
        return [Probe(contestant, measure, may_fail=True)]

    def _folder(self) -> Path:
        """Return a fresh folder; it stays until all is measured.

        ext4 without a journal looks at each inode that was freed in the last seconds before it
        makes a file: whoever came after a removal would pay for it.
        """
        folder = self._work / f"job{next(self._numbers)}"
        folder.mkdir()
        return folder

    @contextmanager
    def _server(self) -> Iterator[JobServer]:
        folder = self._folder()
        with running(folder, self._environ, {"true": "/bin/true"}) as one:
            one.add_tool("quiet", "/bin/true", no_logs=True)
            yield one


def _clock(folder: Path, clocks: Path) -> str:
    program = folder / "clock"
    write_script(program, clocks)
    return str(program)


def _shares(server: JobServer, before: Mapping[int, float], count: int) -> dict[str, float]:
    """Return the microseconds of processor that a job took, by kind of process."""
    shares: dict[str, float] = {}
    for pid, name in server.pids().items():
        spent = (cpu_of(pid) - before.get(pid, 0.0)) / count * 1e6
        shares[f"{name}, CPU µs a job"] = shares.get(f"{name}, CPU µs a job", 0.0) + spent
    return shares


def _answer(argv: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a probe in an interpreter of its own and return what its last line says."""
    ended = subprocess.run(
        argv,
        check=False,
        capture_output=True,
        text=True,
        env=dict(environment),
        cwd=peers_of.CHECKOUT,
        timeout=_TIMEOUT,
    )
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        raise MeasuredProgramFailed.of(argv, ended.returncode, ended.stdout + ended.stderr)
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer
