"""Users and settings in the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, func, insert, select, update

from projects.core.errors import nearest
from projects.hub.accounts.values import NAME, NAME_RULE, Registration, User
from projects.hub.store.tables_accounts import member, setting, user
from projects.jobs.http.refusals import Absent, Invalid

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_REGISTRATION = "registration"

MOST_NEAR = 1000
"""So many names are looked through for one that is near."""


def check_name(name: str, field: str = "name") -> str:
    """Return a name of a user or a group.

    Raises
    ------
    Invalid
        It is none.
    """
    if not NAME.fullmatch(name):
        said = f"{name[:70]!r} is no name: {NAME_RULE}"
        raise Invalid(said, fields={field: said})
    return name


def add(connection: Connection, new: User) -> None:
    """Keep a new user."""
    names = (column.name for column in user.c)
    row = {name: getattr(new, name) for name in names}
    connection.execute(insert(user), {**row, "autoshare": json.dumps(new.autoshare)})


def find(connection: Connection, name: str) -> User | None:
    """Return a user."""
    row = connection.execute(select(user).where(user.c.name == name)).one_or_none()
    return None if row is None else _user(row)


def by_subject(connection: Connection, subject: str) -> User | None:
    """Return the user who is this subject at an OpenID Connect provider."""
    row = connection.execute(select(user).where(user.c.subject == subject)).one_or_none()
    return None if row is None else _user(row)


def page(connection: Connection, limit: int, after: str = "") -> list[User]:
    """Return up to `limit` users after a name."""
    query = select(user).where(user.c.name > after).order_by(user.c.name).limit(limit)
    return [_user(row) for row in connection.execute(query)]


def absent(connection: Connection, name: str, *, tell: bool) -> Absent:
    """Return the answer for a user who isn't there; `tell` which name is near, to an admin."""
    near = nearest(name, [one.name for one in page(connection, MOST_NEAR)]) if tell else None
    hint = f'; did you mean "{near}"?' if near else ""
    return Absent(f"there is no user {name[:70]}{hint}")


def change(connection: Connection, name: str, **values: Any) -> None:
    """Change columns of a user."""
    if "autoshare" in values:
        values["autoshare"] = json.dumps(values["autoshare"])
    connection.execute(update(user).where(user.c.name == name).values(**values))


def admins(connection: Connection) -> int:
    """Return how many admins can log in."""
    query = select(func.count()).where(user.c.admin.is_(True), user.c.disabled.is_(None))
    return connection.scalar(query) or 0


def groups_of(connection: Connection, name: str) -> tuple[str, ...]:
    """Return the ids of the groups that a user is in."""
    query = select(member.c.group).where(member.c.user == name).order_by(member.c.group)
    return tuple(connection.execute(query).scalars())


def registration(connection: Connection) -> Registration:
    """Return whether everybody may make themselves a user; closed unless it was opened."""
    query = select(setting.c.value).where(setting.c.key == _REGISTRATION)
    text = connection.scalar(query)
    return "open" if text is not None and json.loads(text) == "open" else "closed"


def set_registration(connection: Connection, value: Registration) -> None:
    """Open or close registration."""
    connection.execute(delete(setting).where(setting.c.key == _REGISTRATION))
    connection.execute(insert(setting), {"key": _REGISTRATION, "value": json.dumps(value)})


def _user(row: Row[Any]) -> User:
    values = cast("dict[str, Any]", dict(row._mapping))  # noqa: SLF001  (how SQLAlchemy names it)
    return User(**{**values, "autoshare": tuple(json.loads(values["autoshare"]))})
