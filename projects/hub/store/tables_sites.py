"""The satellites that registered: where they are, since when, and how they are asked."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table, Text

from projects.hub.store.schema import metadata

satellite = Table(
    "hub_satellite",
    metadata,
    Column("nickname", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("version", Text, nullable=False),
    # JSON: names of tools.
    Column("tools", Text, nullable=False),
    # Whose token registered it: nobody else takes over the nickname.
    Column("owner", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    # The last heartbeat, and the first after it was away.
    Column("seen", BigInteger, nullable=False),
    Column("online_since", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

credential = Table(
    "hub_satellite_credential",
    metadata,
    Column("nickname", Text, primary_key=True),
    # A token of the satellite; read by the server, shown to nobody.
    Column("token", Text, nullable=False),
    sqlite_with_rowid=False,
)
