"""The satellites that registered: kept, and online while their heartbeats come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from projects.core.errors import UsageError
from projects.hub.store.tables_sites import credential, satellite
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from projects.jobs.store.database import Database

SILENCE = 45 * moment.SECOND
"""A satellite from which nothing came for so long (µs) is offline."""


class Taken(UsageError):
    """The nickname is somebody else's satellite."""

    http_status = 409


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a satellite says of itself; `token` opens its own `/api/v1`."""

    nickname: str
    url: str
    version: str
    tools: Sequence[str]
    token: str = ""


@dataclass(frozen=True, slots=True)
class Satellite:
    """A satellite as the hub knows it; moments in µs."""

    nickname: str
    url: str
    version: str
    tools: Sequence[str]
    owner: str
    created: int
    seen: int
    online_since: int

    def is_online(self, now: int) -> bool:
        """Return whether its heartbeats come."""
        return now - self.seen <= SILENCE

    def since(self, now: int) -> int:
        """Return since when it is online, or offline."""
        return self.online_since if self.is_online(now) else self.seen


class Satellites:
    """The rows; every call is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, said: Announcement, owner: str, *, admin: bool = False) -> Satellite:
        """Keep a heartbeat; the first one registers.

        Raises
        ------
        Taken
            Another's satellite has the nickname, and `owner` is no `admin`.
        """
        now = moment.now()
        with self._database.write(durable=False) as connection:
            known = _row(connection, said.nickname)
            if known is not None and known.owner != owner and not admin:
                raise Taken(f"the nickname {said.nickname} is taken; choose another with -n")
            values: dict[str, Any] = {
                "url": said.url,
                "version": said.version,
                "tools": json.dumps(list(said.tools)),
                "seen": now,
            }
            if known is None:
                new = {"nickname": said.nickname, "owner": owner, "created": now}
                connection.execute(insert(satellite), {**values, **new, "online_since": now})
            else:
                if not known.is_online(now):
                    values["online_since"] = now
                which = satellite.c.nickname == said.nickname
                connection.execute(update(satellite).where(which).values(**values))
            if said.token or (known is not None and known.url != said.url):
                # A credential is for the place that handed it over.
                _forget(connection, said.nickname)
            if said.token:
                row = {"nickname": said.nickname, "token": said.token}
                connection.execute(insert(credential), row)
            found = _row(connection, said.nickname)
        assert found is not None  # noqa: S101  (just written)
        return found

    def all(self) -> list[Satellite]:
        """Return all, by nickname."""
        with self._database.read() as connection:
            rows = connection.execute(select(satellite).order_by(satellite.c.nickname)).all()
        return [_satellite(row) for row in rows]

    def get(self, nickname: str) -> Satellite | None:
        """Return the one with a nickname."""
        with self._database.read() as connection:
            return _row(connection, nickname)

    def credential(self, nickname: str) -> str:
        """Return the token that opens it; empty if it handed over none."""
        query = select(credential.c.token).where(credential.c.nickname == nickname)
        with self._database.read() as connection:
            return str(connection.scalar(query) or "")

    def remove(self, nickname: str) -> bool:
        """Forget a satellite; its next heartbeat registers it anew. False: there was none."""
        with self._database.write(durable=True) as connection:
            _forget(connection, nickname)
            query = delete(satellite).where(satellite.c.nickname == nickname)
            return bool(connection.execute(query).rowcount)


def _row(connection: Connection, nickname: str) -> Satellite | None:
    query = select(satellite).where(satellite.c.nickname == nickname)
    row = connection.execute(query).one_or_none()
    return None if row is None else _satellite(row)


def _satellite(row: Any) -> Satellite:
    values = dict(row._mapping)  # noqa: SLF001  (so it is called)
    return Satellite(**{**values, "tools": tuple(json.loads(values["tools"]))})


def _forget(connection: Connection, nickname: str) -> None:
    connection.execute(delete(credential).where(credential.c.nickname == nickname))
