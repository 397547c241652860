"""Tokens, kept as hashes; and settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from projects.jobs.model.entities import Token
from projects.jobs.store.rows import as_json, plain
from projects.jobs.store.tables import setting, token

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


def add(connection: Connection, new: Token) -> None:
    """Keep a token."""
    row = {name: getattr(new, name) for name in (column.name for column in token.c)}
    row |= {"owner": plain(new.owner), "label": plain(new.label)}
    connection.execute(insert(token), {**row, "scopes": as_json(list(new.scopes))})


def by_hash(connection: Connection, hash_: str) -> Token | None:
    """Return the token with a hash."""
    row = connection.execute(select(token).where(token.c.hash == hash_)).one_or_none()
    return None if row is None else _token(row)


def all_of(connection: Connection, owner: str | None) -> list[Token]:
    """Return the tokens of an owner, or all."""
    query = select(token).order_by(token.c.created, token.c.id)
    if owner is not None:
        query = query.where(token.c.owner == owner)
    return [_token(row) for row in connection.execute(query)]


def revoke(connection: Connection, id_: str, at: int) -> bool:
    """Revoke a token."""
    query = update(token).where(token.c.id == id_, token.c.revoked.is_(None))
    return bool(connection.execute(query.values(revoked=at)).rowcount)


def touch(connection: Connection, id_: str, at: int) -> None:
    """Note when a token was last used."""
    connection.execute(update(token).where(token.c.id == id_).values(last_used=at))


def settings(connection: Connection) -> dict[str, Any]:
    """Return all settings."""
    return {row.key: json.loads(row.value) for row in connection.execute(select(setting))}


def set_setting(connection: Connection, key: str, value: Any) -> None:
    """Keep a value under a key; None removes it."""
    connection.execute(delete(setting).where(setting.c.key == key))
    if value is not None:
        connection.execute(insert(setting), {"key": key, "value": as_json(value)})


def _token(row: Row[Any]) -> Token:
    names = (column.name for column in token.c)
    values: dict[str, Any] = dict(zip(names, row, strict=True))
    return Token(**{**values, "scopes": tuple(json.loads(values["scopes"]))})
