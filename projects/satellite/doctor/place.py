"""Where a satellite works: its test scripts, its data directory and what is in it."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

from projects.satellite.doctor.findings import Finding, ok, problem, warning

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LITTLE, TOO_LITTLE = 1 << 30, 100 << 20
"""Bytes of free space below which it is said, and below which it is in the way."""

_MOST_SHOWN = 20


def test_scripts(roots: Sequence[Path]) -> list[Finding]:
    """Look at every test script."""
    from projects.jobs.tools.catalog import Catalog
    from projects.jobs.tools.tool import InvalidTool

    found: list[Finding] = []
    there = []
    for root in roots:
        if root.is_dir():
            there.append(root)
            continue
        advice = (
            f"mkdir {root}, and in it a directory for each test with the program run and spec.json;"
            " or name another with --test_scripts=DIRECTORY"
        )
        found.append(problem("test scripts", f"there is no directory {root}", advice))
    tools = Catalog(there).all()
    wrong = [tool for tool in tools if isinstance(tool, InvalidTool)]
    right = len(tools) - len(wrong)
    if there:
        names = ", ".join(map(str, there))
        if right:
            said = f"{right} in {names} can be run"
            found.append(ok("test scripts", said))
        elif not wrong:
            advice = "make one: a directory with the program run and spec.json"
            found.append(warning("test scripts", f"there are none in {names} yet", advice))
    for tool in wrong[:_MOST_SHOWN]:
        said = tool.reason.replace("\n", "\n    ")
        found.append(problem(f"test script {tool.name}", said, "correct it; no restart is needed"))
    if len(wrong) > _MOST_SHOWN:
        more = f"{len(wrong) - _MOST_SHOWN} more can't be run"
        found.append(problem("test scripts", more, "satctl tests lists them all"))
    return found


def data_directory(directory: Path) -> list[Finding]:
    """Look whether the satellite can keep its data."""
    if not directory.exists():
        above = next(parent for parent in directory.parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            return [
                ok("data directory", f"{directory} will be made at the first start"),
                _space(above),
            ]
        advice = "make it, or name another with --data_dir=DIRECTORY"
        return [problem("data directory", f"{directory} can't be made: {above} isn't ours", advice)]
    if not directory.is_dir():
        advice = "name another with --data_dir=DIRECTORY"
        return [problem("data directory", f"{directory} is no directory", advice)]
    if not os.access(directory, os.W_OK | os.X_OK):
        advice = f"chown it to this user, or start as user {directory.stat().st_uid}"
        return [problem("data directory", f"{directory} can't be written to", advice)]
    found = [ok("data directory", f"{directory} can be written to"), _space(directory)]
    if directory.stat().st_mode & 0o077:
        advice = f"chmod 700 {directory}"
        found.append(warning("data directory", "others may look into it", advice))
    return found


def _space(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    said = f"{free / (1 << 30):.1f} GiB are free at {directory}"
    advice = "make room, or keep logs for fewer days: --expire_days"
    if free < TOO_LITTLE:
        return problem("disk", said, advice)
    return warning("disk", said, advice) if free < LITTLE else ok("disk", said)


def server_pid(directory: Path) -> int | None:
    """Return the pid of the server that works in a data directory."""
    lock = directory / "server.lock"
    try:
        text = lock.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.isdecimal():
        return None
    return int(text) if lock_holders(lock) or not os.path.exists("/proc/locks") else None


def lock_holders(path: Path) -> list[int]:
    """Return the pids that hold a file locked (/proc/locks, proc(5)); nothing is locked by this."""
    try:
        inode = path.stat().st_ino
        with open("/proc/locks", encoding="ascii") as file:
            lines = [line.split() for line in file]
    except OSError:
        return []
    return [
        int(words[4])
        for words in lines
        if len(words) > 5 and words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode)  # noqa: PLR2004
    ]


def leftovers(directory: Path, server: int | None) -> Finding:
    """Say what runs for the jobs of a data directory, and for whom."""
    runners = directory / "run" / "runners"
    journals = sorted(runners.glob("*.journal")) if runners.is_dir() else []
    living = [journal for journal in journals if lock_holders(journal)]
    dead = [journal for journal in journals if journal not in living and journal.stat().st_size]
    if server is not None:
        return ok("runners", f"{len(living)} work for the server")
    if living or dead:
        said = f"{len(living)} go on without a server, {len(dead)} have ended since"
        return warning("runners", said, "start the satellite: it takes over jobs and their ends")
    return ok("runners", "nothing is left over")


def token(directory: Path) -> list[Finding]:
    """Look whether the token of this machine is for its owner's eyes only."""
    file = directory / "token"
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError:
        return []
    if mode & 0o077:
        advice = f"rm {file}, and start the satellite again: it makes a new one"
        return [problem("token", f"others may read {file} (mode {mode:o})", advice)]
    return [ok("token", f"only its owner may read {file}")]


def database(directory: Path, name: str) -> Finding:
    """Open the database, without changing it, and look at its version."""
    if "://" in name and not name.startswith("sqlite:"):
        return _database_server(name)
    path = os.path.join(directory, name.removeprefix("sqlite:///"))
    if not os.path.exists(path):
        return ok("database", f"{path} will be made at the first start")
    import sqlite3
    from urllib.parse import quote

    try:
        connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=2)
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        advice = "put a copy of the file back, or name another with --database"
        return problem("database", f"{path}: {error}", advice)
    return _version(path, row[0] if row else "")


def _database_server(url: str) -> Finding:
    from sqlalchemy import create_engine, inspect, text
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        shown = make_url(url).render_as_string(hide_password=True)
        engine = create_engine(url)
        with engine.connect() as connection:
            if "alembic_version" not in inspect(connection).get_table_names():
                return ok("database", f"{shown} answers; its tables will be made")
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (SQLAlchemyError, ImportError) as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return problem("database", f"{reason}", "start it, or correct the URL in --database")
    return _version(shown, version or "")


def _version(name: str, found: str) -> Finding:
    from projects.jobs.store.opening import VERSION

    if found == VERSION:
        return ok("database", f"{name} opens and is of version {found}")
    if found.isdecimal() and int(found) < int(VERSION):
        return ok(
            "database", f"{name} is of version {found}: the next start brings it to {VERSION}"
        )
    said = f"{name} is of version {found or 'none'}, this program knows up to {VERSION}"
    return problem("database", said, "use the newer program, or another database")
