"""A hub with very many jobs, result rows and runs: how long lists, pages and its start take."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from projects.bench.library import million_hub
from projects.bench.library.alternation import Probe
from projects.bench.library.job_cases import (
    HTTP,
    P50,
    P99,
    PAGE,
    SQL,
    START,
    START_EMPTY,
    STORE,
    WORST,
    WORST_PAGE,
    case,
    quantiles,
)
from projects.bench.library.job_server import JobServer, cpu_of, memory_of
from projects.bench.library.million_store import BEGAN, HOLD, SUBMISSIONS, TOOLS, database, tool
from projects.jobs.model import moment
from projects.jobs.model.states import Outcome, State
from projects.jobs.store import values as store_values
from projects.jobs.store.store import Store, open_store
from projects.jobs.store.values import JobFilter, SubmissionFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_LIMIT = 100
_SHORT = {"jobs that wait", "jobs since a moment by tool", "jobs of a submission by outcome"}
"""Lists that may not reach so deep."""

SINCE = moment.iso(BEGAN + SUBMISSIONS // 2 * 3600 * moment.SECOND)


class Query(NamedTuple):
    """One kind of question, asked of the server and of the store, each time a little different."""

    path: Callable[[], str]
    ask: Callable[[Store], object]


def queries(count: int, chance: random.Random) -> dict[str, Query]:
    """Return what is asked: lists at their beginning and deep in them, filters, counts."""
    some_outcomes = (Outcome.FAILED, Outcome.TIMEOUT, Outcome.CANCELLED, Outcome.LOST)

    def page(deep: bool, **which: str) -> Query:
        def words() -> tuple[dict[str, str], str | None]:
            now = {
                name: {"?tool": tool(chance.randrange(TOOLS)),
                       "?outcome": chance.choice(some_outcomes).value,
                       "?submission": str(chance.randrange(1, SUBMISSIONS))}.get(value, value)
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
        ("jobs since a moment by tool", {"since": SINCE, "tool": "?tool"}),
        ("jobs of a submission by outcome", {"submission": "?submission", "outcome": "?outcome"}),
    ):
        for deep in (False, True):
            if name not in _SHORT or not deep:
                found[name + (", deep" if deep else "")] = page(deep, **which)
    found["counts"] = count_of()
    found["counts by outcome"] = count_of(outcome="FAILED")
    found["counts by tool and state"] = count_of(tool="tool03", state="DONE")
    found["counts since a moment"] = count_of(since=SINCE)
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
        submission=int(which["submission"]) if "submission" in which else None,
        since=moment.parse_iso(which["since"]) if "since" in which else None,
    )


class Million:
    """Measures one database; `figures` has memory and sizes of the server of the last round.

    Beside `count` jobs the hub has `rows` result rows and `runs` exported runs.
    """

    def __init__(  # noqa: PLR0917  (how large, how often, and where)
        self,
        count: int,
        calls: int,
        work: Path,
        environ: Mapping[str, str],
        rows: int = 100_000,
        runs: int = 10_000,
    ) -> None:
        self._count = count
        self._calls = calls
        self._work = work
        self._environ = environ
        self._source = database(count)
        self._hub = million_hub.database(rows, runs, environ)
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
        shutil.copyfile(self._hub, server.data / "hub.db")
        server.add_tool(HOLD, "#!/bin/sh\nexec sleep 3600\n")
        try:
            # The made-up jobs are old: they are not to be archived while others are measured.
            options = ("--parallel-submissions=1", "--parallel-jobs=1", "--expire-days=36500")
            found = {START: server.start(*options)}
            process = server.process
            assert process is not None  # noqa: S101  (it was started just now)
            fresh = memory_of(process.pid)
            chance = random.Random(self._rounds)  # noqa: S311
            runs = million_hub.some_runs(self._hub, chance, 200)
            lists = {name: each.path for name, each in queries(self._count, chance).items()}
            lists |= million_hub.lists(chance, runs)
            pages = million_hub.pages(chance, self._count, runs)
            sizes: dict[str, float] = {}
            for where, worst, asked in ((HTTP, WORST, lists), (PAGE, WORST_PAGE, pages)):
                calls = {
                    name: self._getter(server, path, f"{where}: {name}", sizes)
                    for name, path in asked.items()
                }
                found |= self._timed(where, calls, worst, lambda: cpu_of(process.pid))
            self.figures["kB of the largest answer"] = sizes
            self.figures[HTTP] = {
                "MiB after the start": fresh["rss"],
                "MiB after the queries": memory_of(process.pid)["rss"],
                "MiB of the jobs": self._source.stat().st_size / 2**20,
                "MiB of the hub": self._hub.stat().st_size / 2**20,
            }
            return found
        finally:
            server.sweep()
            shutil.rmtree(server.root, ignore_errors=True)

    @staticmethod
    def _getter(
        server: JobServer, path: Callable[[], str], name: str, sizes: dict[str, float]
    ) -> Callable[[], object]:
        def get() -> None:
            size = len(server.client.get(path())) / 1000
            sizes[name] = max(size, sizes.get(name, 0.0))

        return get

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

    def _timed(
        self,
        where: str,
        asked: Mapping[str, Callable[[], object]],
        worst: str = WORST,
        processor: Callable[[], float] = time.process_time,
    ) -> dict[str, float]:
        found: dict[str, float] = {}
        worked = self.figures.setdefault("ms of a processor for a call", {})
        for name, ask in asked.items():
            ask()
            took = []
            used = processor()
            for _ in range(self._calls):
                began = time.perf_counter()
                ask()
                took.append(time.perf_counter() - began)
            worked[f"{where}: {name}"] = (processor() - used) * 1000 / self._calls
            for which, value in quantiles(took).items():
                found[case(f"{where}: {name}", which)] = value
        for which in (P50, P99):
            found[case(f"{where}: {worst}", which)] = max(
                value for name, value in found.items() if name.endswith(which)
            )
        return found

    def _folder(self) -> Path:
        self._rounds += 1
        folder = self._work / f"million{self._rounds}"
        folder.mkdir()
        return folder
