"""Opening a database: is it ours, is it of our version, and bringing it up to date."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from projects.core.errors import UsageError
from projects.jobs.store import errors
from projects.jobs.store.database import JOBS_LOCK, Database, check_url

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

VERSION = "0002"
"""The newest migration; a number, so that a newer one is known as such."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Tables that are brought up to date together: a database may have those of several schemas."""

    version: str
    """The newest migration."""
    migrations: Path
    version_table: str
    neighbours: frozenset[str]
    """The version tables of the others that may be in the same database."""
    lock: int
    """Writers of these tables take turns by it on PostgreSQL."""


JOBS_VERSION_TABLE = "alembic_version"
HUB_VERSION_TABLE = "hub_alembic_version"

JOBS = Schema(
    VERSION,
    Path(__file__).with_name("migrations"),
    JOBS_VERSION_TABLE,
    frozenset({HUB_VERSION_TABLE}),
    JOBS_LOCK,
)


def open_database(url: str, schema: Schema, *, wait: float) -> Database:
    """Return the database at `url` with the tables of `schema`, up to date; see `open_store`."""
    database = Database(check_url(_parsed(url)), wait, schema.lock)
    try:
        prepare(database, schema)
    except BaseException:
        database.close()
        raise
    return database


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise UsageError(f"{url!r} is no store: sqlite:////folder/file is") from error


def prepare(database: Database, schema: Schema) -> None:
    """Make the tables of a new database, or bring those of an older version up to date."""
    if database.path is not None:
        _check_place(database.path)
        with database.explained():
            found = _version_of_file(database.path, schema)
        if found is None:
            _make_file(database.path)
    else:
        with database.read() as connection:
            found = _version(connection, schema)
    _check(database.name, found, schema)
    if found == schema.version:
        return
    with database.write(durable=True) as connection:
        found = _version(connection, schema)  # another process may have been faster
        _check(database.name, found, schema)
        if found != schema.version:
            _migrate(connection, schema)


def _check_place(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise errors.StoreMissing(f"{folder} is no folder: make it first, or name another one")
    if os.path.isdir(path):
        raise errors.StoreDamaged(f"{path} is a folder: a file is wanted")
    for place in (folder, path):
        if os.path.exists(place) and not os.access(place, os.W_OK):
            raise errors.StoreReadOnly(f"{place} can't be written to by this user")


def _make_file(path: str) -> None:
    """Make the file readable by its owner only; SQLite gives its -wal and -shm the same mode."""
    with suppress(OSError):  # SQLite says what is in the way
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _version_of_file(path: str, schema: Schema) -> str | None:
    """Return the version, None of an empty file; read so that nothing of the file changes."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return None
    from urllib.parse import quote

    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)
    try:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in connection.execute(query)}
        if schema.version_table not in tables:
            return _unversioned(tables, schema)
        row = connection.execute(_ask(schema)).fetchone()
        return row[0] if row else ""
    finally:
        connection.close()


def _version(connection: Connection, schema: Schema) -> str | None:
    tables = set(inspect(connection).get_table_names())
    if schema.version_table not in tables:
        return _unversioned(tables, schema)
    found: str | None = connection.scalar(text(_ask(schema)))
    return found or ""


def _unversioned(tables: set[str], schema: Schema) -> str | None:
    """Return None if our tables may be made there, else "": somebody else's are there."""
    return None if not tables or tables & schema.neighbours else ""


def _ask(schema: Schema) -> str:
    return f"SELECT version_num FROM {schema.version_table}"  # noqa: S608  (a name of ours)


def _check(name: str, found: str | None, schema: Schema) -> None:
    if found is None:
        return
    if not found.isdigit():
        raise errors.StoreForeign(f"{name} has tables of something else: name another database")
    if int(found) > int(schema.version):
        raise errors.StoreForeign(
            f"{name} is of version {found}, this program knows versions up to {schema.version}:"
            " use the newer program, or another database"
        )


def _migrate(connection: Connection, schema: Schema) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
