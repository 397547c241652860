"""Who is told of what, what waits to be sent, and what has been seen already."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Table, Text, UniqueConstraint

from projects.hub.store.schema import Big, metadata

__all__ = ["delivery", "memory", "metadata", "rule"]

rule = Table(
    "hub_notification_rule",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    # Words with a space between them: failed recovered slower.
    Column("kinds", Text, nullable=False),
    Column("pattern", Text, nullable=False),
    # Whether what groups of the owner see counts as well.
    Column("shared", Boolean, nullable=False),
    Column("channel", Text, nullable=False),
    Column("target", Text, nullable=False),
    # Signs what a webhook gets; shown once.
    Column("secret", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)
# The rules of a user.
Index("hub_notification_rule_by_owner", rule.c.owner)

delivery = Table(
    "hub_notification_delivery",
    metadata,
    Column("number", Big, Identity(), primary_key=True),
    Column("rule", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    # JSON: what is told.
    Column("message", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    # Null: it is over.
    Column("next_at", BigInteger),
    Column("delivered", BigInteger),
    Column("error", Text, nullable=False),
    UniqueConstraint("rule", "event", name="hub_notification_delivery_by_event"),
)
"""The outbox: written with the decision, so that nothing is told twice or never."""
# What is to be sent next; how many a rule sent lately.
Index("hub_notification_delivery_by_next", delivery.c.next_at)
Index("hub_notification_delivery_by_rule", delivery.c.rule, delivery.c.created)

memory = Table(
    "hub_notification_memory",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How far jobs were looked at; which tests fail; which columns are worse."""
