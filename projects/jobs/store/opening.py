"""Opening a database: is it ours, is it of our version, and bringing it up to date."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from projects.jobs.store import errors

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from projects.jobs.store.database import Database

VERSION = "0001"
"""The newest migration; a number, so that a newer one is known as such."""

_TABLE = "alembic_version"


def prepare(database: Database) -> None:
    """Make the tables of a new database, or bring those of an older version up to date."""
    if database.path is not None:
        _check_place(database.path)
        with database.explained():
            found = _version_of_file(database.path)
    else:
        with database.read() as connection:
            found = _version(connection)
    _check(database.name, found)
    if found == VERSION:
        return
    with database.write(durable=True) as connection:
        found = _version(connection)  # another process may have been faster
        _check(database.name, found)
        if found != VERSION:
            _migrate(connection)


def _check_place(path: str) -> None:
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise errors.StoreMissing(f"{folder} is no folder: make it first, or name another one")
    if os.path.isdir(path):
        raise errors.StoreDamaged(f"{path} is a folder: a file is wanted")
    for place in (folder, path):
        if os.path.exists(place) and not os.access(place, os.W_OK):
            raise errors.StoreReadOnly(f"{place} can't be written to by this user")


def _version_of_file(path: str) -> str | None:
    """Return the version, None of an empty file; read so that nothing of the file changes."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return None
    from urllib.parse import quote

    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)
    try:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = {name for (name,) in connection.execute(query)}
        if _TABLE not in tables:
            return "" if tables else None
        row = connection.execute(f"SELECT version_num FROM {_TABLE}").fetchone()  # noqa: S608
        return row[0] if row else ""
    finally:
        connection.close()


def _version(connection: Connection) -> str | None:
    tables = inspect(connection).get_table_names()
    if _TABLE not in tables:
        return "" if tables else None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_TABLE}"))  # noqa: S608
    return found or ""


def _check(name: str, found: str | None) -> None:
    if found is None:
        return
    if not found.isdigit():
        raise errors.StoreForeign(f"{name} has tables of something else: name another database")
    if int(found) > int(VERSION):
        raise errors.StoreForeign(
            f"{name} is of version {found}, this program knows versions up to {VERSION}:"
            " use the newer program, or another database"
        )


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    folder = os.path.join(os.path.dirname(__file__), "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
