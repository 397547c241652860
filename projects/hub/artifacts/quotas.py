"""How many bytes of artifacts users and the whole hub may keep, and do keep.

What is counted are the files of runs as if nothing were shared, from the moment that they are
announced: what one user keeps doesn't depend on what others have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from projects.core.errors import UsageError
from projects.hub.artifacts.values import Usage
from projects.hub.store.tables_artifacts import artifact, artifact_quota

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from projects.hub.artifacts.values import Run
    from projects.jobs.store.database import Database

EVERYBODY = ""
"""The user of a usage that is the whole hub's."""


class OverQuota(UsageError):
    """More would be kept than may be."""

    http_status = 413


class Quotas:
    """`of_user`: bytes for a user who has no quota of their own; `of_hub`: for all; None: any."""

    def __init__(
        self, database: Database, of_user: int | None = None, of_hub: int | None = None
    ) -> None:
        self._database = database
        self.of_user = of_user
        self.of_hub = of_hub

    def check(self, connection: Connection, run: Run, size: int, *, hub: bool = True) -> None:
        """Refuse that `run` has `size` bytes; `hub`: look also at what all keep, each row of it.

        Raises
        ------
        OverQuota
            Its owner or the hub would keep more than they may.
        """
        quota = self._quota_of(connection, run.owner)
        if quota is not None:
            others = _used(connection, artifact.c.owner == run.owner, but=run.number)
            if others + size > quota:
                raise OverQuota(
                    f"{run.owner} may keep {quota} bytes and has {others} beside this run, which"
                    f" has {size}: remove other runs, or ask an administrator for more"
                )
        if hub and self.of_hub is not None:
            others = _used(connection, but=run.number)
            if others + size > self.of_hub:
                raise OverQuota(
                    f"the hub may keep {self.of_hub} bytes and has {others} beside this run, which"
                    f" has {size}: remove other runs, or ask an administrator for more"
                )

    def usage(self, user: str) -> Usage:
        """Return what a user keeps and may keep."""
        with self._database.read() as connection:
            used = _used(connection, artifact.c.owner == user)
            return Usage(user, used, self._quota_of(connection, user))

    def usage_of_hub(self) -> Usage:
        """Return what all keep and may keep."""
        with self._database.read() as connection:
            return Usage(EVERYBODY, _used(connection), self.of_hub)

    def largest(self, limit: int) -> list[Usage]:
        """Return what users keep, those who keep most first, then those with a quota of theirs."""
        with self._database.read() as connection:
            query = select(artifact.c.owner, func.sum(_LARGER)).group_by(artifact.c.owner)
            found = {owner: int(size) // 2 for owner, size in connection.execute(query)}
            own = select(artifact_quota.c.user, artifact_quota.c.bytes)
            quotas = {row.user: row.bytes for row in connection.execute(own)}
        names = sorted({*found, *quotas}, key=lambda name: (-found.get(name, 0), name))[:limit]
        return [Usage(name, found.get(name, 0), quotas.get(name, self.of_user)) for name in names]

    def set_own(self, user: str, size: int | None) -> None:
        """Give a user a quota of their own, in bytes (None: as much as they like); durable."""
        with self._database.write(durable=True) as connection:
            connection.execute(delete(artifact_quota).where(artifact_quota.c.user == user))
            connection.execute(insert(artifact_quota).values(user=user, bytes=size))

    def drop_own(self, user: str) -> None:
        """Let what is everybody's quota be a user's again; durable."""
        with self._database.write(durable=True) as connection:
            connection.execute(delete(artifact_quota).where(artifact_quota.c.user == user))

    def _quota_of(self, connection: Connection, user: str) -> int | None:
        query = select(artifact_quota.c.bytes).where(artifact_quota.c.user == user)
        row = connection.execute(query).first()
        return self.of_user if row is None else row[0]


_LARGER = (
    func.coalesce(artifact.c.bytes, 0)
    + func.abs(artifact.c.draft_bytes - artifact.c.bytes)
    + artifact.c.draft_bytes
)
"""Twice the larger of what a run has and what it is going to have."""


def _used(connection: Connection, *which: ColumnElement[bool], but: int = -1) -> int:
    query = select(func.coalesce(func.sum(_LARGER), 0)).where(*which, artifact.c.number != but)
    return int(connection.execute(query).scalar_one()) // 2
