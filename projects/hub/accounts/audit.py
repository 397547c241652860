"""The audit log: who did what on what, when and from where; written with what was done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from projects.core.secrets.masking import mask
from projects.hub.accounts.values import Actor, AuditEntry
from projects.hub.store.tables_accounts import audit
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

_LONGEST = 500


def write(
    connection: Connection,
    actor: Actor,
    action: str,
    what: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Note what `actor` does in this transaction; secrets are masked."""
    row = {
        "at": moment.now(),
        "who": _plain(actor.who),
        "address": _plain(actor.address),
        "action": action,
        "object": _plain(what),
        "detail": None if not detail else mask(json.dumps(detail, default=str)),
    }
    connection.execute(insert(audit), row)


def page(
    connection: Connection,
    *,
    limit: int,
    before: int | None = None,
    who: str | None = None,
    action: str | None = None,
    what: str | None = None,
) -> list[AuditEntry]:
    """Return up to `limit` entries below the number `before`, the newest first."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.seq < before)
    for column, wanted in ((audit.c.who, who), (audit.c.action, action), (audit.c.object, what)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [
        AuditEntry(
            row.seq,
            row.at,
            row.who,
            row.address,
            row.action,
            row.object,
            None if row.detail is None else json.loads(row.detail),
        )
        for row in connection.execute(query)
    ]


def _plain(text: str) -> str:
    """Return text that every database keeps."""
    clean = text[:_LONGEST].replace("\0", "")
    return mask(clean.encode("utf-8", "replace").decode())
