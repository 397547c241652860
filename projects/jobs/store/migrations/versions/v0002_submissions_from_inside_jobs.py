"""Version 2: submissions know the job from inside which they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LIVE = "below IS NOT NULL AND finished IS NULL"


def upgrade() -> None:
    """Add three columns, empty, and the index of what depends on a job."""
    op.add_column("submission", sa.Column("parent", sa.LargeBinary(length=16), nullable=True))
    op.add_column("submission", sa.Column("below", sa.BigInteger(), nullable=True))
    op.add_column("submission", sa.Column("below_attempt", sa.Integer(), nullable=True))
    op.create_index(
        "submission_below",
        "submission",
        ["below", "number"],
        unique=False,
        sqlite_where=sa.text(_LIVE),
        postgresql_where=sa.text(_LIVE),
    )
