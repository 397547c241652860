"""A store with very many jobs, made through its own interface and kept between rounds."""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from projects.jobs.model.entities import Usage
from projects.jobs.model.states import Outcome, State
from projects.jobs.store import store as store_module
from projects.jobs.store import tables
from projects.jobs.store.store import open_store
from projects.jobs.store.values import MOST_JOBS, Change, NewJob, NewSubmission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.store.store import Store

TOOLS = 20
OWNERS = 5
HOLD = "hold"
"""The tool of the job that runs as long as the server."""

BEGAN = 1_750_000_000_000_000
"""When the first job was submitted, in µs."""

SUBMISSIONS = 18
"""So many have ended; one each hour."""

_CHUNK = 5000
_OUTCOMES = (
    [Outcome.SUCCESS] * 80
    + [Outcome.FAILED] * 12
    + [Outcome.TIMEOUT] * 4
    + [Outcome.CANCELLED] * 3
    + [Outcome.LOST]
)


def tool(number: int) -> str:
    """Return the name of a made-up tool."""
    return f"tool{number % TOOLS:02d}"


def database(count: int) -> Path:
    """Return a database with `count` jobs, made when there is none yet of this schema.

    A tenth of the jobs waits, behind one that runs as long as the server; the others have ended.
    It is kept in $XDG_CACHE_HOME/topgallant-bench: with a million jobs it takes a minute to make.
    """
    sources = (Path(__file__), Path(tables.__file__), *migrations_beside(store_module.__file__))

    def make(path: Path) -> None:
        with closing(open_store(f"sqlite:///{path}")) as store:
            fill(store, count)

    return kept(f"jobs-{count}", sources, make)


def kept(name: str, sources: Sequence[Path], make: Callable[[Path], None]) -> Path:
    """Return a database from the user's cache; made when there is none of these sources."""
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "topgallant-bench"
    path = cache / f"{name}-{digest[:12]}.db"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{name}-*"):
            old.unlink()
        half = path.with_suffix(f".{os.getpid()}.half")
        make(half)
        half.rename(path)
    return path


def fill(store: Store, count: int) -> None:
    """Put `count` jobs into an empty store, through its own interface."""
    waiting = max(count // 10, 1)
    left, turn = count - waiting, 0
    while left:
        jobs = min(left, max((count - waiting) // SUBMISSIONS, 1), MOST_JOBS)
        created = BEGAN + turn * 3_600_000_000
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
    store.submit(NewSubmission("owner0", [NewJob(HOLD)]))
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


def migrations_beside(module: str | None) -> list[Path]:
    """Return the migrations in the folder of a module."""
    folder = Path(module or "").parent / "migrations" / "versions"
    return sorted(folder.glob("v*.py"))
