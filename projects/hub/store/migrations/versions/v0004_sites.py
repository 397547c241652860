"""Version 4: the sites."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "hub_satellite",
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("online_since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("nickname"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hub_satellite_credential",
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("nickname"),
        sqlite_with_rowid=False,
    )
