"""What else a hub keeps beside very many jobs: result tables, exported runs; and its pages."""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from projects.bench.library.job_server import running
from projects.bench.library.million_store import BEGAN, OWNERS, SUBMISSIONS, TOOLS, kept, tool
from projects.bench.library.peers import CHECKOUT
from projects.jobs.model import identity

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from projects.jobs.library.client import Client

    Ask = Callable[[], str]

TABLES = 20
PROJECTS = 25
FILES = 8
"""Files of each run."""

TEAM = "team"
"""A group of two owners, which sees each tenth run and table."""

SYSTEM = "lab 1"
_HOUR = 3_600_000_000
_OUTCOMES = ("passed", "passed", "passed", "failed", "error")
_SENT = 250
"""Rows that a job sends at a time."""


def database(rows: int, runs: int, environ: Mapping[str, str]) -> Path:
    """Return a hub's database with result rows and runs, kept as that of the jobs is.

    A hub takes the rows; what comes in slowly, as exports do, is written into its database then.
    """
    migrations = CHECKOUT / "projects" / "hub" / "store" / "migrations" / "versions"
    sources = (Path(__file__), *sorted(migrations.glob("v*.py")))

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="topgallant-hub-") as folder:
            with running(Path(folder), environ, {}) as server:
                for number in range(TABLES):
                    _send_rows(server.client, number, rows // TABLES)
                server.stop()
            made = server.data / "hub.db"
            with closing(sqlite3.connect(made)) as connection:
                _fill(connection, runs)
                connection.commit()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copyfile(made, path)

    return kept(f"hub-{rows}-{runs}", sources, make)


def name_of(number: int) -> str:
    """Return the name of a table, as it is in addresses."""
    return f"{quote(SYSTEM)}/speed{number:02d}"


def _send_rows(client: Client, number: int, rows: int) -> None:
    """Make a table: a series of a latency with some noise, in two modes, on five machines."""
    for begin in range(0, rows, _SENT):
        sent = [
            {
                "latency": 20 + math.sin(place * 1.7) + (place * 7919 % 101) / 100,
                "throughput": 5000 + place * 104_729 % 977,
                "mode": ("wal", "off")[place % 2],
                "machine": f"lab-{place % 5}",
                "passed": place % 50 != 0,
            }
            for place in range(begin, min(begin + _SENT, rows))
        ]
        client.post_json(f"/api/v1/tables/{name_of(number)}/rows", sent)


def _fill(connection: sqlite3.Connection, runs: int) -> None:
    """Put people and runs into a database, and spread rows over time and owners."""
    for number in range(OWNERS):
        _insert(
            connection, "hub_user",
            [{"name": f"owner{number}", "full_name": "", "email": "", "admin": 0,
              "autoshare": "[]", "created": BEGAN}],
        )  # fmt: skip
    _insert(connection, "hub_group", [{"id": TEAM, "title": "A team", "created": BEGAN}])
    members = [{"group": TEAM, "user": f"owner{n}", "manager": 0} for n in (3, 4)]
    _insert(connection, "hub_member", members)
    for number in range(1, TABLES + 1):
        connection.execute(f"UPDATE hub_rows_{number} SET at = {BEGAN} + upload * {_HOUR}")  # noqa: S608
    connection.execute(f"UPDATE hub_table SET owner = 'owner' || (number % {OWNERS})")  # noqa: S608
    shared = [{"table": number, "group": TEAM} for number in range(10, TABLES + 1, 10)]
    _insert(connection, "hub_table_group", shared)
    numbers = range(1, runs + 1)
    _insert(connection, "hub_artifact_tree", [*map(_tree, numbers)])
    _insert(connection, "hub_artifact", [*map(_run, numbers)])
    _insert(connection, "hub_artifact_file", [file for one in numbers for file in _files(one)])
    shared = [{"artifact": number, "group": TEAM} for number in numbers if number % 10 == 0]
    _insert(connection, "hub_artifact_group", shared)


def _insert(connection: sqlite3.Connection, table: str, rows: list[dict[str, object]]) -> None:
    names = list(rows[0])
    columns, places = (", ".join(each) for each in ([f'"{n}"' for n in names], "?" * len(names)))
    query = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608  (names of ours)
    connection.executemany(query, [tuple(row.values()) for row in rows])


def _tree(number: int) -> dict[str, object]:
    return {"number": number, "owner": f"owner{number % OWNERS}"}


def _run(number: int) -> dict[str, object]:
    at = BEGAN + number * _HOUR // 4
    project = f"project{number % PROJECTS:02d}"
    return {
        "number": number,
        "id": identity.new(),
        "owner": f"owner{number % OWNERS}",
        "place": f"{project}/nightly/{number}",
        "run_id": f"{project}/nightly/{number}",
        "project": project,
        "name": f"{project} test_ci",
        "outcome": _OUTCOMES[number * 7919 % len(_OUTCOMES)],
        **dict.fromkeys(("created", "touched", "published", "made"), at),
        "tree": number,
        "draft": None,
        "files": FILES,
        "bytes": FILES * 1000,
        "draft_bytes": 0,
        "holder": "",
        "held_until": 0,
    }


def _files(number: int) -> Iterator[dict[str, object]]:
    for place in range(FILES):
        content = (number * FILES + place).to_bytes(8, "big") * 4
        path = f"{place % 3:03d}__step/part{place}.log".encode()
        at = BEGAN + number * _HOUR
        yield {
            "tree": number, "path": path, "size": 1000, "sha256": content, "mtime": at,
            "stored": True,
        }  # fmt: skip


def some_runs(path: Path, chance: random.Random, count: int) -> list[str]:
    """Return ids of runs of a database that was filled."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT id FROM hub_artifact ORDER BY number").fetchall()
    return [id_ for (id_,) in chance.sample(found, min(count, len(found)))]


def lists(chance: random.Random, runs: list[str]) -> dict[str, Ask]:
    """Return what is asked of the API, each time a little different."""

    def table(rest: str, **query: str) -> Ask:
        def path() -> str:
            words = {
                word: value.format(machine=chance.randrange(5)) for word, value in query.items()
            }
            asked = f"?{urlencode(words)}" if words else ""
            return f"/api/v1/tables/{name_of(chance.randrange(TABLES))}{rest}{asked}"

        return path

    def artifacts(**query: Callable[[], object]) -> Ask:
        return lambda: (
            "/api/v1/artifacts?" + urlencode({word: ask() for word, ask in query.items()})
        )

    def project() -> str:
        return f"project{chance.randrange(PROJECTS):02d}"

    def cursor() -> int:
        return chance.randrange(2, 10_000)

    def one(rest: str) -> Ask:
        return lambda: f"/api/v1/artifacts/{chance.choice(runs)}{rest}"

    return {
        "tables": lambda: "/api/v1/tables",
        "one table": table(""),
        "rows": table("/rows"),
        "rows, filtered": table("/rows", where="latency > 20.5 and machine = lab-{machine}"),
        "rows, filtered and sorted": table("/rows", where="mode = wal", sort="-latency"),
        "rows, grouped": table("/groups", by="machine", column="latency"),
        "artifacts": artifacts(limit=lambda: 100),
        "artifacts, deep": artifacts(limit=lambda: 100, cursor=cursor),
        "artifacts by project": artifacts(project=project),
        "artifacts by project, deep": artifacts(project=project, cursor=cursor),
        "artifacts by owner": artifacts(owner=lambda: f"owner{chance.randrange(OWNERS)}"),
        "artifacts by group": artifacts(group=lambda: TEAM),
        "artifacts by outcome": artifacts(outcome=lambda: "error"),
        "artifacts by outcome and project": artifacts(outcome=lambda: "error", project=project),
        "artifacts of an outcome that none has": artifacts(outcome=lambda: "lost"),
        "artifacts since a moment": artifacts(since=lambda: "2025-09-01T00:00:00Z"),
        "artifacts at a place": artifacts(place=lambda: "project00/nightly/25"),
        "one artifact": one(""),
        "files of an artifact": one("/files"),
        "manifest": one("/manifest"),
        "quota": lambda: f"/api/v1/artifact-quotas/owner{chance.randrange(OWNERS)}",
        "users": lambda: "/api/v1/users",
        "audit log": lambda: "/api/v1/audit",
    }


def pages(chance: random.Random, jobs: int, runs: list[str]) -> dict[str, Ask]:
    """Return the pages that people look at, each time a little different."""

    def table(rest: str = "", **query: str) -> Ask:
        def path() -> str:
            below = f"/tables/{name_of(chance.randrange(TABLES))}{rest}"
            return below + (f"?{urlencode(query)}" if query else "")

        return path

    def plot() -> str:
        return "/api/v1" + table("/plot.svg", column="latency")()

    def new(path: Ask) -> Ask:
        """Add a condition that all rows fulfil, and that nobody has asked for."""
        return lambda: f"{path()}&{urlencode({'where': f'latency > {chance.random():.9f}'})}"

    return {
        "overview": lambda: "/",
        "jobs": lambda: "/jobs",
        "jobs that wait": lambda: "/jobs?state=queued",
        "jobs that failed": lambda: "/jobs?outcome=FAILED",
        "jobs of a tool": lambda: f"/jobs?tool={tool(chance.randrange(TOOLS))}",
        "a job": lambda: f"/jobs/{chance.randrange(1, jobs // 2)}",
        "submissions": lambda: "/submissions",
        "a submission": lambda: f"/submissions/{chance.randrange(1, SUBMISSIONS)}",
        "satellites": lambda: "/satellites",
        "a satellite": lambda: "/satellites/here",
        "tables": lambda: "/tables",
        "a table": table(),
        "a table, filtered and sorted": table(where="latency > 20.5", sort="-latency"),
        "plot of a table": plot,
        "verdict of a table": table("/verdict", column="latency"),
        "plot that nobody has seen": new(plot),
        "verdict that nobody has seen": new(table("/verdict", column="latency")),
        "artifacts": lambda: "/artifacts",
        "artifacts of a project": lambda: f"/artifacts?project=project{chance.randrange(9):02d}",
        "an artifact": lambda: f"/artifacts/{chance.choice(runs)}",
        "compare": lambda: "/compare",
        "compare two": lambda: f"/compare?a={chance.choice(runs)}&b={chance.choice(runs)}",
        "projects": lambda: "/projects",
        "submit": lambda: "/submit",
        "account": lambda: "/account",
        "groups": lambda: "/groups",
        "notifications": lambda: "/notifications",
        "admin": lambda: "/admin",
    }
