"""Version 2: the result tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "hub_table",
        sa.Column("number", key, sa.Identity(always=False), nullable=False),
        sa.Column("test_system", sa.Text(), nullable=False),
        sa.Column("test_name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("test_system", "test_name", name="hub_table_by_name"),
    )
    op.create_table(
        "hub_table_group",
        sa.Column("table", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("table", "group"),
        sqlite_with_rowid=False,
    )
    op.create_index("hub_table_group_by_group", "hub_table_group", ["group", "table"])
    op.create_table(
        "hub_table_upload",
        sa.Column("number", key, sa.Identity(always=False), nullable=False),
        sa.Column("table", sa.BigInteger(), nullable=False),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("satellite", sa.Text(), nullable=True),
        sa.Column("job", sa.Text(), nullable=True),
        sa.Column("artifact", sa.Text(), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("submitter", "key", name="hub_table_upload_by_key"),
    )
    op.create_index("hub_table_upload_by_job", "hub_table_upload", ["job"])
    op.create_index("hub_table_upload_by_artifact", "hub_table_upload", ["artifact"])
    op.create_table(
        "hub_table_acknowledgement",
        sa.Column("number", key, sa.Identity(always=False), nullable=False),
        sa.Column("table", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("hub_table_acknowledgement_by_table", "hub_table_acknowledgement", ["table"])
