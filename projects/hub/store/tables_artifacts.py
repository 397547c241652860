"""What is kept of artifacts: runs, the files of each, what is being sent, how much one may keep."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from projects.hub.store.schema import Big, metadata

artifact = Table(
    "hub_artifact",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("owner", Text, nullable=False),
    # What its export calls it: exporting it again means the same run.
    Column("place", Text, nullable=False),
    # What its manifest calls the run.
    Column("run_id", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    # The last sign of life of whoever sends it.
    Column("touched", BigInteger, nullable=False),
    # Since when others see it; null: nobody but the owner does.
    Column("published", BigInteger),
    # What its manifest says of when it was made.
    Column("made", BigInteger),
    # The files that are seen, and those that are being sent.
    Column("tree", BigInteger),
    Column("draft", BigInteger),
    Column("files", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("draft_bytes", BigInteger, nullable=False),
    # Who sends it now: JSON of the client's own, and until when nobody else may.
    Column("holder", Text, nullable=False),
    Column("held_until", BigInteger, nullable=False),
    UniqueConstraint("id", name="hub_artifact_by_id"),
    UniqueConstraint("owner", "place", name="hub_artifact_by_place"),
)
# Pages of a project; those of an owner come by the constraint above.
Index("hub_artifact_by_project", artifact.c.project, artifact.c.number)

artifact_group = Table(
    "hub_artifact_group",
    metadata,
    Column("artifact", BigInteger, primary_key=True, autoincrement=False),
    Column("group", Text, primary_key=True),
    sqlite_with_rowid=False,
)
# What a group was given.
Index("hub_artifact_group_by_group", artifact_group.c.group, artifact_group.c.artifact)

artifact_tree = Table(
    "hub_artifact_tree",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("owner", Text, nullable=False),
)
"""A set of files: what was sent once is never changed, only replaced as a whole."""

artifact_file = Table(
    "hub_artifact_file",
    metadata,
    Column("tree", BigInteger, primary_key=True, autoincrement=False),
    # Bytes: names need not be text.
    Column("path", LargeBinary, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("mtime", BigInteger, nullable=False),
    # Whether the content is on the disk, and the owner has sent it or had it before.
    Column("stored", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
# Whether anybody names a content.
Index("hub_artifact_file_by_content", artifact_file.c.sha256, artifact_file.c.tree)

artifact_quota = Table(
    "hub_artifact_quota",
    metadata,
    Column("user", Text, primary_key=True),
    # Null: as much as they like.
    Column("bytes", BigInteger),
)
"""The users to whom another quota applies than to all."""
