"""Groups, their members, and what is shared with them, in the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from projects.hub.accounts.values import Group, Member
from projects.hub.store.tables_accounts import group, member, share, user
from projects.hub.store.tables_artifacts import artifact_group
from projects.hub.store.tables_tables import share as table_group

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


def add(connection: Connection, new: Group) -> None:
    """Keep a new group."""
    values = {"id": new.id, "title": new.title, "created": new.created}
    connection.execute(insert(group), values)


def find(connection: Connection, id_: str) -> Group | None:
    """Return a group."""
    row = connection.execute(select(group).where(group.c.id == id_)).one_or_none()
    return None if row is None else Group(row.id, row.title, row.created)


def page(
    connection: Connection, limit: int, after: str = "", of_user: str | None = None
) -> list[Group]:
    """Return up to `limit` groups after an id: all, or those that a user is in."""
    query = select(group).where(group.c.id > after).order_by(group.c.id).limit(limit)
    if of_user is not None:
        query = query.where(group.c.id.in_(select(member.c.group).where(member.c.user == of_user)))
    return [Group(row.id, row.title, row.created) for row in connection.execute(query)]


def rename(connection: Connection, id_: str, title: str) -> None:
    """Give a group another title."""
    connection.execute(update(group).where(group.c.id == id_).values(title=title))


def remove(connection: Connection, id_: str) -> None:
    """Remove a group; what was shared with it isn't any more, nor with another of its name."""
    connection.execute(delete(group).where(group.c.id == id_))
    for table in (member, share, artifact_group, table_group):
        connection.execute(delete(table).where(table.c.group == id_))
    named = select(user.c.name, user.c.autoshare).where(user.c.autoshare.contains(f'"{id_}"'))
    for name, autoshare in connection.execute(named).all():
        left = json.dumps([each for each in json.loads(autoshare) if each != id_])
        connection.execute(update(user).where(user.c.name == name).values(autoshare=left))


def members(connection: Connection, id_: str) -> list[Member]:
    """Return who is in a group."""
    query = select(member).where(member.c.group == id_).order_by(member.c.user)
    return [Member(row.group, row.user, row.manager) for row in connection.execute(query)]


def member_counts(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    """Return how many members groups have, by their ids."""
    query = select(member.c.group, func.count()).group_by(member.c.group)
    found = {group_: int(count) for group_, count in connection.execute(query)}
    return {id_: found.get(id_, 0) for id_ in ids}


def membership(connection: Connection, id_: str, user: str) -> Member | None:
    """Return what a user is in a group."""
    query = select(member).where(member.c.group == id_, member.c.user == user)
    row = connection.execute(query).one_or_none()
    return None if row is None else Member(row.group, row.user, row.manager)


def put_member(connection: Connection, new: Member) -> None:
    """Make a user a member, or change what they are."""
    remove_member(connection, new.group, new.user)
    row = {"group": new.group, "user": new.user, "manager": new.manager}
    connection.execute(insert(member), row)


def remove_member(connection: Connection, id_: str, user: str) -> bool:
    """Take a user out of a group."""
    query = delete(member).where(member.c.group == id_, member.c.user == user)
    return bool(connection.execute(query).rowcount)


def shared_with(connection: Connection, kind: str, name: str) -> tuple[str, ...]:
    """Return the ids of the groups that an object is shared with."""
    query = select(share.c.group).where(share.c.kind == kind, share.c.object == name)
    return tuple(connection.execute(query.order_by(share.c.group)).scalars())


def set_shared(connection: Connection, kind: str, name: str, groups: Iterable[str]) -> None:
    """Share an object with these groups and no others."""
    connection.execute(delete(share).where(share.c.kind == kind, share.c.object == name))
    rows = [{"kind": kind, "object": name, "group": each} for each in sorted(set(groups))]
    if rows:
        connection.execute(insert(share), rows)
