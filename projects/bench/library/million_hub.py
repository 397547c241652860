"""What else a hub keeps beside very many jobs: result tables, exported runs; and its pages."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from projects.bench.library.million_store import BEGAN, OWNERS, TOOLS, kept, migrations_beside, tool
from projects.hub.accounts import groups, users
from projects.hub.accounts.values import Group, Member, User
from projects.hub.store import database as database_module
from projects.hub.store import every_table, tables_artifacts
from projects.hub.store.database import open_hub_store
from projects.hub.tables.batch import Batch
from projects.hub.tables.store import Tables
from projects.hub.tables.values import Origin
from projects.jobs.model import identity

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping

    from projects.jobs.store.database import Database

    Ask = Callable[[], str]

TABLES = 20
PROJECTS = 25
FILES = 8
"""Files of each run."""

TEAM = "team"
"""A group of owner3 and owner4, which sees each tenth run and table."""

MEMBER = "owner3"
SYSTEM = "lab 1"
_HOUR = 3_600_000_000
_OUTCOMES = ("passed", "passed", "passed", "failed", "error")
_PART = 2000
_SENT = 250
"""Rows that a job sends at a time."""


def database(rows: int, runs: int) -> Path:
    """Return a hub's database with result rows and runs, kept as that of the jobs is."""
    sources = (
        Path(__file__),
        Path(every_table.__file__),
        *migrations_beside(database_module.__file__),
    )

    def make(path: Path) -> None:
        with closing(open_hub_store(f"sqlite:///{path}")) as opened:
            fill(opened, rows, runs)

    return kept(f"hub-{rows}-{runs}", sources, make)


def fill(opened: Database, rows: int, runs: int) -> None:
    """Put people, result rows and runs into an empty database."""
    with opened.write(durable=False) as connection:
        for number in range(OWNERS):
            users.add(connection, User(f"owner{number}", created=BEGAN))
        groups.add(connection, Group(TEAM, "A team", BEGAN))
        for name in (MEMBER, "owner4"):
            groups.put_member(connection, Member(TEAM, name, manager=False))
    for number in range(TABLES):
        _fill_table(opened, number, rows // TABLES)
    for begin in range(0, runs, _PART):
        with opened.write(durable=False) as connection:
            numbers = range(begin + 1, min(begin + _PART, runs) + 1)
            artifacts = tables_artifacts
            connection.execute(artifacts.artifact_tree.insert(), [*map(_tree, numbers)])
            connection.execute(artifacts.artifact.insert(), [*map(_run, numbers)])
            connection.execute(
                artifacts.artifact_file.insert(), [file for one in numbers for file in _files(one)]
            )
            if shared := [{"artifact": one, "group": TEAM} for one in numbers if one % 10 == 0]:
                connection.execute(artifacts.artifact_group.insert(), shared)


def _fill_table(opened: Database, number: int, rows: int) -> None:
    """Make a table: a series of a latency with some noise, in two modes, on five machines."""
    moments = iter(range(BEGAN, BEGAN + rows * _HOUR, _HOUR))
    tables = Tables(opened, clock=lambda: next(moments))
    owner = f"owner{number % OWNERS}"
    for begin in range(0, rows, _SENT):
        places = range(begin, min(begin + _SENT, rows))
        batch = Batch(
            ("latency", "throughput", "mode", "machine", "passed"),
            (
                [20 + math.sin(place * 1.7) + (place * 7919 % 101) / 100 for place in places],
                [5000 + place * 104_729 % 977 for place in places],
                [("wal", "off")[place % 2] for place in places],
                [f"lab-{place % 5}" for place in places],
                [place % 50 != 0 for place in places],
            ),
            len(places),
        )
        origin = Origin(owner, job=f"job{number}-{begin}")
        shared = [TEAM] if number % 10 == 0 else []
        tables.append(name_of(number), batch, origin, None, b"-" * 32, lambda _: None, shared)


def name_of(number: int) -> tuple[str, str]:
    """Return the name of a table."""
    return SYSTEM, f"speed{number:02d}"


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
    with closing(open_hub_store(f"sqlite:///{path}")) as opened, opened.read() as connection:
        numbers = tables_artifacts.artifact.c
        last = connection.exec_driver_sql("SELECT max(number) FROM hub_artifact").scalar_one()
        asked = numbers.number.in_(chance.sample(range(1, last + 1), min(count, last)))
        query = tables_artifacts.artifact.select().with_only_columns(numbers.id).where(asked)
        return list(connection.execute(query).scalars())


def lists(chance: random.Random, runs: list[str]) -> dict[str, Ask]:
    """Return what is asked of the API, each time a little different."""

    def table(rest: str, **query: str) -> Ask:
        def path() -> str:
            system, name = name_of(chance.randrange(TABLES))
            words = {word: value.format(machine=chance.randrange(5)) for word, value in query.items()}
            asked = f"?{urlencode(words)}" if words else ""
            return f"/api/v1/tables/{system.replace(' ', '%20')}/{name}{rest}{asked}"

        return path

    def artifacts(**query: Callable[[], object]) -> Ask:
        return lambda: "/api/v1/artifacts?" + urlencode({word: ask() for word, ask in query.items()})

    def project() -> str:
        return f"project{chance.randrange(PROJECTS):02d}"

    def cursor() -> int:
        return chance.randrange(1, 10_000)

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
        "artifacts since a moment": artifacts(since=lambda: "2026-01-01T00:00:00Z"),
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
            system, name = name_of(chance.randrange(TABLES))
            below = f"/tables/{system.replace(' ', '%20')}/{name}{rest}"
            return below + (f"?{urlencode(query)}" if query else "")

        return path

    def plot() -> str:
        return "/api/v1" + table("/plot.svg", column="latency")()

    return {
        "overview": lambda: "/",
        "jobs": lambda: "/jobs",
        "jobs that wait": lambda: "/jobs?state=queued",
        "jobs that failed": lambda: "/jobs?outcome=FAILED",
        "jobs of a tool": lambda: f"/jobs?tool={tool(chance.randrange(TOOLS))}",
        "a job": lambda: f"/jobs/{chance.randrange(1, jobs // 2)}",
        "submissions": lambda: "/submissions",
        "satellites": lambda: "/satellites",
        "tables": lambda: "/tables",
        "a table": table(),
        "a table, filtered and sorted": table(where="latency > 20.5", sort="-latency"),
        "plot of a table": plot,
        "verdict of a table": table("/verdict", column="latency"),
        "artifacts": lambda: "/artifacts",
        "artifacts of a project": lambda: f"/artifacts?project=project{chance.randrange(9):02d}",
        "an artifact": lambda: f"/artifacts/{chance.choice(runs)}",
        "compare": lambda: "/compare",
        "projects": lambda: "/projects",
        "submit": lambda: "/submit",
        "account": lambda: "/account",
        "admin": lambda: "/admin",
    }


