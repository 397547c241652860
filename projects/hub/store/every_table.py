"""All tables of the hub, of every room."""

from __future__ import annotations

from projects.hub.store import (
    tables_accounts,
    tables_artifacts,
    tables_notifications,
    tables_sites,
    tables_tables,
)
from projects.hub.store.schema import metadata

__all__ = [
    "metadata",
    "tables_accounts",
    "tables_artifacts",
    "tables_notifications",
    "tables_sites",
    "tables_tables",
]
