"""What the room tables keeps; every name begins with `hub_`.

The rows of each result table are in an SQL table of their own, `hub_rows_NUMBER`, made when the
result table is: see `projects.hub.tables.store`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from projects.hub.store.schema import Big, metadata

__all__ = ["acknowledgement", "metadata", "result_table", "share", "upload"]

result_table = Table(
    "hub_table",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("test_system", Text, nullable=False),
    Column("test_name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    # Grows with whatever changes what is shown.
    Column("version", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    # Rows that have a value beside them that doesn't fit its column.
    Column("errors", BigInteger, nullable=False),
    # JSON.
    Column("columns", Text, nullable=False),
    UniqueConstraint("test_system", "test_name", name="hub_table_by_name"),
)

share = Table(
    "hub_table_group",
    metadata,
    Column("table", BigInteger, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""The groups that a table belongs to as well."""
# What a group sees.
Index("hub_table_group_by_group", share.c.group, share.c.table)

upload = Table(
    "hub_table_upload",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("table", BigInteger, nullable=False),
    Column("submitter", Text, nullable=False),
    # The Idempotency-Key; null: none was sent.
    Column("key", Text),
    # SHA-256 of what was sent, and to where.
    Column("digest", LargeBinary(32), nullable=False),
    # JSON: what was answered, and is again.
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("satellite", Text),
    Column("job", Text),
    Column("artifact", Text),
    Column("rows", Integer, nullable=False),
    UniqueConstraint("submitter", "key", name="hub_table_upload_by_key"),
)
"""Where rows come from."""
# What a job or an artifact led to.
Index("hub_table_upload_by_job", upload.c.job)
Index("hub_table_upload_by_artifact", upload.c.artifact)

acknowledgement = Table(
    "hub_table_acknowledgement",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("table", BigInteger, nullable=False),
    Column("column", Text, nullable=False),
    # JSON: the values of the columns by which the series is grouped.
    Column("labels", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    # A day, YYYY-MM-DD, the last one.
    Column("expires", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
"""Changes that somebody knows of and accepts for a while."""
Index("hub_table_acknowledgement_by_table", acknowledgement.c.table)
