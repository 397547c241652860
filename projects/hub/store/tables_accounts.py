"""Who may do what, and what they did: users, groups, sessions, the audit log."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from projects.hub.store.schema import Big, metadata

user = Table(
    "hub_user",
    metadata,
    Column("name", Text, primary_key=True),
    Column("full_name", Text, nullable=False),
    Column("email", Text, nullable=False),
    # Null: nobody logs in with a password (only by a link, or through OpenID Connect).
    Column("password", Text),
    Column("admin", Boolean, nullable=False),
    # Since when; null: they aren't.
    Column("disabled", BigInteger),
    # JSON: ids of the groups that get what they submit.
    Column("autoshare", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_login", BigInteger),
    # Issuer and subject at an OpenID Connect provider.
    Column("subject", Text),
    UniqueConstraint("subject", name="hub_user_by_subject"),
)

group = Table(
    "hub_group",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
)

member = Table(
    "hub_member",
    metadata,
    Column("group", Text, primary_key=True),
    Column("user", Text, primary_key=True),
    # Whether they add and remove members.
    Column("manager", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
# The groups of a user: asked for once a second for everybody who calls.
Index("hub_member_by_user", member.c.user)

session = Table(
    "hub_session",
    metadata,
    # SHA-256 of what the cookie holds.
    Column("hash", Text, primary_key=True),
    # What people and log lines call it by.
    Column("id", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("last_used", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    sqlite_with_rowid=False,
)
# All sessions of a user end together.
Index("hub_session_by_user", session.c.user)

link = Table(
    "hub_link",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("user", Text, nullable=False),
    # Whether the user is made, as an admin, when they don't exist.
    Column("admin", Boolean, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
"""Log-in links that work once."""

share = Table(
    "hub_share",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("object", Text, primary_key=True),
    Column("group", Text, primary_key=True),
    sqlite_with_rowid=False,
)
"""The groups of objects that don't keep them themselves: submissions."""
# What a group was given.
Index("hub_share_by_group", share.c.group, share.c.kind, share.c.object)

audit = Table(
    "hub_audit",
    metadata,
    Column("seq", Big, Identity(), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),
    # JSON, or null.
    Column("detail", Text),
)
# What one user did.
Index("hub_audit_by_who", audit.c.who, audit.c.seq)

setting = Table(
    "hub_setting",
    metadata,
    Column("key", Text, primary_key=True),
    # JSON.
    Column("value", Text, nullable=False),
)
