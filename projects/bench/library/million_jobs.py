"""A store with very many jobs: how long pages, filters, counts and the start of a server take."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from projects.bench.library.alternation import Probe
from projects.bench.library.job_cases import (
    HTTP,
    P50,
    P99,
    SQL,
    START,
    START_EMPTY,
    STORE,
    WORST,
    case,
    quantiles,
)
from projects.bench.library.job_server import JobServer, memory_of
from projects.jobs.model.entities import Usage
from projects.jobs.model.states import Outcome, State
from projects.jobs.store import store as store_module
from projects.jobs.store import tables
from projects.jobs.store import values as store_values
from projects.jobs.store.store import Store, open_store
from projects.jobs.store.values import (
    MOST_JOBS,
    Change,
    JobFilter,
    NewJob,
    NewSubmission,
    SubmissionFilter,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOOLS = 20
OWNERS = 5
_LIMIT = 100
_CHUNK = 5000
_HOLD = "hold"
_BEGAN = 1_750_000_000_000_000
_OUTCOMES = (
    [Outcome.SUCCESS] * 80
    + [Outcome.FAILED] * 12
    + [Outcome.TIMEOUT] * 4
    + [Outcome.CANCELLED] * 3
    + [Outcome.LOST]
)


class Query(NamedTuple):
    """One kind of question, asked of the server and of the store, each time a little different."""

    path: Callable[[], str]
    ask: Callable[[Store], object]


def tool(number: int) -> str:
    """Return the name of a made-up tool."""
    return f"tool{number % TOOLS:02d}"


def database(count: int) -> Path:
    """Return a database with `count` jobs, made when there is none yet of this schema.

    A tenth of the jobs waits, behind one that runs as long as the server; the others have ended.
    It is kept in $XDG_CACHE_HOME/topgallant-bench: with a million jobs it takes a minute to make.
    """
    sources = (Path(__file__), Path(tables.__file__), *_migrations())
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "topgallant-bench"
    path = cache / f"jobs-{count}-{digest[:12]}.db"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"jobs-{count}-*"):
            old.unlink()
        half = path.with_suffix(f".{os.getpid()}.half")
        with closing(open_store(f"sqlite:///{half}")) as store:
            fill(store, count)
        half.rename(path)
    return path


def fill(store: Store, count: int) -> None:
    """Put `count` jobs into an empty store, through its own interface."""
    waiting = max(count // 10, 1)
    left, turn = count - waiting, 0
    while left:
        jobs = min(left, max(count // 20, 1), MOST_JOBS)
        created = _BEGAN + turn * 3_600_000_000
        new = NewSubmission(
            f"owner{turn % OWNERS}",
            [NewJob(tool(number), {"number": number, "turn": turn}) for number in range(jobs)],
            created=created,
        )
        first = store.submit(new).first
        for begin in range(0, jobs, _CHUNK):
            numbers = range(first + begin, first + min(begin + _CHUNK, jobs))
            store.record([_end(number, created + number) for number in numbers])
        left, turn = left - jobs, turn + 1
    store.submit(NewSubmission("owner0", [NewJob(_HOLD)]))
    while waiting > 1:
        jobs = min(waiting - 1, MOST_JOBS)
        store.submit(NewSubmission("owner1", [NewJob(tool(number)) for number in range(jobs)]))
        waiting -= jobs


def _end(number: int, at: int) -> Change:
    # Scattered, so that each tool has each outcome.
    outcome = _OUTCOMES[(number * 2654435761 >> 16) % len(_OUTCOMES)]
    code = {Outcome.SUCCESS: 0, Outcome.FAILED: 1}.get(outcome)
    usage = Usage(0.5, 0.25, 1 << 22)
    return Change(
        number, 1, at, State.DONE, outcome=outcome, return_code=code, started=at - 500_000,
        finished=at, usage=usage,
    )  # fmt: skip


def _migrations() -> list[Path]:
    folder = Path(store_module.__file__).parent / "migrations" / "versions"
    return sorted(folder.glob("v*.py"))


def queries(count: int, chance: random.Random) -> dict[str, Query]:
    """Return what is asked: lists at their beginning and deep in them, filters, counts."""
    some_outcomes = (Outcome.FAILED, Outcome.TIMEOUT, Outcome.CANCELLED, Outcome.LOST)

    def page(deep: bool, **which: str) -> Query:
        def words() -> tuple[dict[str, str], str | None]:
            now = {
                name: {"?tool": tool(chance.randrange(TOOLS)),
                       "?outcome": chance.choice(some_outcomes).value}.get(value, value)
                for name, value in which.items()
            }  # fmt: skip
            return now, store_values.cursor(chance.randrange(1, count)) if deep else None

        def path() -> str:
            now, cursor = words()
            more = {"cursor": cursor} if cursor else {}
            return f"/api/v1/jobs?{urlencode({'limit': str(_LIMIT), **now, **more})}"

        def ask(store: Store) -> object:
            now, cursor = words()
            return store.jobs(_filter(now), limit=_LIMIT, cursor=cursor)

        return Query(path, ask)

    def count_of(**which: str) -> Query:
        return Query(
            lambda: f"/api/v1/counts?{urlencode(which)}",
            lambda store: store.counts(_filter(which)),
        )

    found = {}
    for name, which in (
        ("jobs", {}),
        ("jobs by state", {"state": "DONE"}),
        ("jobs that wait", {"state": "NEW"}),
        ("jobs by outcome", {"outcome": "?outcome"}),
        ("jobs by tool", {"tool": "?tool"}),
        ("jobs by owner", {"owner": "owner3"}),
        ("jobs by outcome and tool", {"outcome": "?outcome", "tool": "?tool"}),
        ("jobs by state and tool", {"state": "DONE", "tool": "?tool"}),
    ):
        for deep in (False, True):
            if name != "jobs that wait" or not deep:
                found[name + (", deep" if deep else "")] = page(deep, **which)
    found["counts"] = count_of()
    found["counts by outcome"] = count_of(outcome="FAILED")
    found["counts by tool and state"] = count_of(tool="tool03", state="DONE")
    found["submissions"] = Query(
        lambda: f"/api/v1/submissions?limit={_LIMIT}",
        lambda store: store.submissions(SubmissionFilter(), limit=_LIMIT),
    )
    found["one job"] = Query(
        lambda: f"/api/v1/jobs/{chance.randrange(1, count // 2)}",
        lambda store: store.job(chance.randrange(1, count // 2)),
    )
    return found


def _filter(which: Mapping[str, str]) -> JobFilter:
    return JobFilter(
        states=[State[which["state"]]] if "state" in which else [],
        outcomes=[Outcome(which["outcome"])] if "outcome" in which else [],
        tools=[which["tool"]] if "tool" in which else [],
        owners=[which["owner"]] if "owner" in which else [],
    )


class Million:
    """Measures one database; `figures` has the memory of the server of the last round, in MiB."""

    def __init__(self, count: int, calls: int, work: Path, environ: Mapping[str, str]) -> None:
        self._count = count
        self._calls = calls
        self._work = work
        self._environ = environ
        self._source = database(count)
        self._rounds = 0
        self.figures: dict[str, dict[str, float]] = {}

    def probes(self) -> list[Probe]:
        """Return the probes: the server, the store, SQL as the floor, and an empty server."""
        return [
            Probe(HTTP, self._server),
            Probe(STORE, self._store),
            Probe(SQL, self._sql),
            Probe(START_EMPTY, self._empty),
        ]

    def _server(self) -> dict[str, float]:
        server = JobServer(self._folder(), self._environ)
        server.data.mkdir()
        shutil.copyfile(self._source, server.data / "satellite.db")
        server.add_tool(_HOLD, "#!/bin/sh\nexec sleep 3600\n")
        try:
            # The made-up jobs are old: they are not to be archived while others are measured.
            options = ("--parallel-submissions=1", "--parallel-jobs=1", "--expire-days=36500")
            found = {START: server.start(*options)}
            process = server.process
            assert process is not None  # noqa: S101  (it was started just now)
            fresh = memory_of(process.pid)
            asked = queries(self._count, random.Random(self._rounds))  # noqa: S311
            found |= self._timed(
                HTTP, {name: self._getter(server, query) for name, query in asked.items()}
            )
            self.figures[HTTP] = {
                "MiB after the start": fresh["rss"],
                "MiB after the queries": memory_of(process.pid)["rss"],
                "MiB of the database": self._source.stat().st_size / 2**20,
            }
            return found
        finally:
            server.sweep()
            shutil.rmtree(server.root, ignore_errors=True)

    @staticmethod
    def _getter(server: JobServer, query: Query) -> Callable[[], object]:
        return lambda: server.client.get(query.path())

    def _store(self) -> dict[str, float]:
        with closing(open_store(f"sqlite:///{self._source}")) as store:
            asked = queries(self._count, random.Random(self._rounds))  # noqa: S311

            def asker(query: Query) -> Callable[[], object]:
                return lambda: query.ask(store)

            return self._timed(STORE, {name: asker(query) for name, query in asked.items()})

    def _sql(self) -> dict[str, float]:
        # A page by the primary key and a sum over the shelves: less can't be asked.
        chance = random.Random(self._rounds)  # noqa: S311
        with closing(sqlite3.connect(self._source)) as connection:
            page = f"SELECT * FROM job WHERE number < ? ORDER BY number DESC LIMIT {_LIMIT}"  # noqa: S608
            total = "SELECT state, sum(amount) FROM shelf WHERE kind = 0 GROUP BY state"
            return self._timed(
                SQL,
                {
                    "jobs, deep": lambda: connection.execute(
                        page, [chance.randrange(1, self._count)]
                    ).fetchall(),
                    "counts": lambda: connection.execute(total).fetchall(),
                },
            )

    def _empty(self) -> dict[str, float]:
        server = JobServer(self._folder(), self._environ)
        try:
            return {START_EMPTY: server.start()}
        finally:
            server.sweep()
            shutil.rmtree(server.root, ignore_errors=True)

    def _timed(self, where: str, asked: Mapping[str, Callable[[], object]]) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, ask in asked.items():
            ask()
            took = []
            for _ in range(self._calls):
                began = time.perf_counter()
                ask()
                took.append(time.perf_counter() - began)
            for which, value in quantiles(took).items():
                found[case(f"{where}: {name}", which)] = value
        for which in (P50, P99):
            found[case(f"{where}: {WORST}", which)] = max(
                value for name, value in found.items() if name.endswith(which)
            )
        return found

    def _folder(self) -> Path:
        self._rounds += 1
        folder = self._work / f"million{self._rounds}"
        folder.mkdir()
        return folder
