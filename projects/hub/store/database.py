"""The database of the hub: opened like that of the jobs, with tables and versions of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from projects.jobs.store.opening import (
    HUB_VERSION_TABLE,
    JOBS_VERSION_TABLE,
    Schema,
    open_database,
)

if TYPE_CHECKING:
    from projects.jobs.store.database import Database

HUB = Schema(
    version="0005",
    migrations=Path(__file__).with_name("migrations"),
    version_table=HUB_VERSION_TABLE,
    neighbours=frozenset({JOBS_VERSION_TABLE}),
    lock=0x68756221,  # "hub!"
)


def open_hub_store(url: str, *, wait: float = 10.0) -> Database:
    """Open the hub's tables at `sqlite:////path/file` or `postgresql://…`, brought up to date.

    They may be in the same PostgreSQL database as those of the jobs. Rooms write inside
    `with database.write(durable=True) as connection`, read inside `with database.read() as
    connection`; never one inside the other, and no write inside another: writers take turns.

    Raises
    ------
    StoreMissing, StoreReadOnly, StoreLocked, StoreDamaged, StoreAway
        It can't be opened, for the reason that the class says.
    StoreForeign
        It is of a newer version or of something else; it is left as it is.
    """
    return open_database(url, HUB, wait=wait)
