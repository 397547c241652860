"""Sessions of browsers and log-in links in the database: only hashes of their secrets."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from projects.hub.accounts.values import ABSOLUTE, IDLE, Session
from projects.hub.store.tables_accounts import link, session
from projects.jobs.model import identity, moment

if TYPE_CHECKING:
    from typing import Any

    from sqlalchemy import Connection, Row

_MOST_AGENT = 300


def digest(secret: str) -> str:
    """Return what is kept of a secret of 32 random bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_of(secret: str) -> str:
    """Return what pages of a session send back: made from its secret, so it needn't be kept."""
    return hashlib.sha256(b"csrf:" + secret.encode("utf-8", "surrogatepass")).hexdigest()


def begin(connection: Connection, user: str, address: str, agent: str) -> str:
    """Begin a session; return its secret. Sessions that are over are swept away."""
    secret, now = secrets.token_urlsafe(32), moment.now()
    over = (session.c.last_used <= now - IDLE) | (session.c.created <= now - ABSOLUTE)
    connection.execute(delete(session).where(over))
    row = {
        "hash": digest(secret),
        "id": identity.new(),
        "user": user,
        "created": now,
        "last_used": now,
        "address": address,
        "agent": agent[:_MOST_AGENT].replace("\0", ""),
    }
    connection.execute(insert(session), row)
    return secret


def find(connection: Connection, hash_: str) -> Session | None:
    """Return a session that isn't over."""
    row = connection.execute(select(session).where(session.c.hash == hash_)).one_or_none()
    found = None if row is None else _session(row)
    return found if found and moment.now() < found.ends else None


def of_user(connection: Connection, user: str) -> list[Session]:
    """Return the sessions of a user, the newest first."""
    query = select(session).where(session.c.user == user).order_by(session.c.created.desc())
    return [each for each in map(_session, connection.execute(query)) if moment.now() < each.ends]


def touch(connection: Connection, hash_: str, at: int) -> None:
    """Note that something came from a session."""
    connection.execute(update(session).where(session.c.hash == hash_).values(last_used=at))


def end(connection: Connection, user: str | None, id_: str) -> str | None:
    """End one session, of a user or (None) of anybody; return whose it was."""
    query = select(session.c.user).where(session.c.id == id_)
    if user is not None:
        query = query.where(session.c.user == user)
    whose: str | None = connection.scalar(query)
    if whose is not None:
        connection.execute(delete(session).where(session.c.id == id_))
    return whose


def end_all(connection: Connection, user: str, but: str = "") -> None:
    """End all sessions of a user, except one."""
    connection.execute(delete(session).where(session.c.user == user, session.c.id != but))


def add_link(connection: Connection, user: str, *, admin: bool, expires: int) -> str:
    """Make a log-in link; return its secret. `admin`: the user is made if there is none."""
    secret = secrets.token_urlsafe(32)
    connection.execute(delete(link).where(link.c.expires <= moment.now()))
    row = {"hash": digest(secret), "user": user, "admin": admin, "expires": expires}
    connection.execute(insert(link), row)
    return secret


def take_link(connection: Connection, secret: str) -> tuple[str, bool] | None:
    """Return the user of a link and whether to make them; it works no second time."""
    chosen = link.c.hash == digest(secret)
    row = connection.execute(select(link).where(chosen)).one_or_none()
    connection.execute(delete(link).where(chosen))
    if row is None or row.expires <= moment.now():
        return None
    return row.user, row.admin


def drop_links(connection: Connection, user: str) -> None:
    """Let no link of a user work any more."""
    connection.execute(delete(link).where(link.c.user == user))


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.user, row.created, row.last_used, row.address, row.agent)
