"""What requests about accounts hold, and what is shown of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from projects.hub.accounts.values import Registration  # noqa: TC001  (pydantic reads it)
from projects.jobs.model.moment import iso

if TYPE_CHECKING:
    from projects.hub.accounts.values import AuditEntry, Group, Member, Session, User
    from projects.jobs.http.access import Principal


_Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
_Name = Annotated[str, Field(max_length=63)]
_Password = Annotated[str, Field(max_length=4096)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginRequest(_Request):
    """A name and a password, or the secret of a log-in link."""

    name: _Line = ""
    password: _Password = ""
    link: _Line = ""


class NewUser(_Request):
    """A user to be made; without a password they come by a link."""

    name: _Name
    password: _Password | None = None
    full_name: _Line = ""
    email: _Line = ""
    admin: bool = False


class Registrant(_Request):
    """Somebody who makes themselves a user."""

    name: _Name
    password: _Password
    full_name: _Line = ""
    email: _Line = ""


class OwnChange(_Request):
    """What users change of themselves."""

    full_name: _Line | None = None
    email: _Line | None = None
    autoshare: list[_Name] | None = Field(None, max_length=100)


class UserChange(OwnChange):
    """What admins change of users."""

    admin: bool | None = None
    disabled: bool | None = None


class PasswordChange(_Request):
    """A new password; the old one isn't needed where an admin sets that of somebody else."""

    new: _Password
    old: _Password = ""


class NewGroup(_Request):
    """A group to be made."""

    id: _Name
    title: _Line = ""


class GroupChange(_Request):
    """Another title."""

    title: _Line


class MemberChange(_Request):
    """What a member is."""

    manager: bool = False


class LinkRequest(_Request):
    """Whom a log-in link is for; nobody: oneself."""

    user: _Name | None = None


class SettingsChange(_Request):
    """Settings of the hub."""

    registration: Registration


class Anything(BaseModel):
    """An object; its fields are shown by an example in the documentation of accounts."""

    model_config = ConfigDict(extra="allow")


def user(one: User, groups: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Return what is shown of a user to themselves and to admins."""
    shown = {
        "name": one.name,
        "full_name": one.full_name,
        "email": one.email,
        "admin": one.admin,
        "disabled": _moment(one.disabled),
        "autoshare": list(one.autoshare),
        "has_password": one.password is not None,
        "created": iso(one.created),
        "last_login": _moment(one.last_login),
    }
    return shown if groups is None else shown | {"groups": list(groups)}


def me(who: Principal, one: User | None) -> dict[str, Any]:
    """Return who calls; of an owner of tokens who is no user there is little."""
    known = {"name": who.owner} if one is None else user(one)
    return known | {
        "groups": list(who.groups),
        "scopes": list(who.scopes),
        "session": who.session_id or None,
        "csrf_token": who.csrf or None,
    }


def group(one: Group, members: list[Member] | None = None) -> dict[str, Any]:
    """Return a group, and who is in it."""
    shown: dict[str, Any] = {"id": one.id, "title": one.title, "created": iso(one.created)}
    if members is not None:
        shown["members"] = [{"user": each.user, "manager": each.manager} for each in members]
    return shown


def session(one: Session, current: str) -> dict[str, Any]:
    """Return what is shown of a session: where it is, not what opens it."""
    return {
        "id": one.id,
        "created": iso(one.created),
        "last_used": iso(one.last_used),
        "ends": iso(one.ends),
        "address": one.address,
        "agent": one.agent,
        "current": one.id == current,
    }


def audit_entry(one: AuditEntry) -> dict[str, Any]:
    """Return what was done."""
    return {
        "seq": one.seq,
        "at": iso(one.at),
        "who": one.who,
        "address": one.address,
        "action": one.action,
        "object": one.object,
        "detail": one.detail or {},
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else iso(at)
