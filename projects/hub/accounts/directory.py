"""What is done to users and groups, and who may do it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from projects.core.errors import nearest
from projects.hub.accounts import audit, groups, passwords, sessions, users
from projects.hub.accounts.sharing import check_member_of
from projects.hub.accounts.values import Actor, Group, Member, User
from projects.jobs.http.refusals import Absent, Forbidden, Refusal
from projects.jobs.model import moment
from projects.jobs.store.values import JobFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from projects.hub.accounts.accounts import Accounts
    from projects.hub.accounts.values import Registration
    from projects.jobs.http.access import Principal


class Taken(Refusal):
    """There is one of this name already."""

    http_status = 409


class Kept(Refusal):
    """It can't be changed: something depends on it."""

    http_status = 409


class Directory:
    """Users and groups, changed by those who may."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._database = accounts.database
        self._store = accounts.store

    # Users.

    def create(self, new: User, password: str | None, actor: Actor) -> User:
        """Make a user.

        Raises
        ------
        Invalid, Taken
            The name or the password won't do; somebody has the name.
        """
        users.check_name(new.name)
        if password is not None:
            passwords.check(password, new.name)
        kept = None if password is None else passwords.hash_of(password)
        made = replace(new, password=kept, created=moment.now())
        with self._database.write(durable=True) as connection:
            if users.find(connection, new.name) is not None:
                raise _taken(new.name)
            users.add(connection, made)
            audit.write(connection, actor, "user.create", new.name, {"admin": new.admin})
        self._accounts.changed()
        return made

    def register(self, new: User, password: str, actor: Actor) -> User:
        """Make a user who asks for it themselves.

        Raises
        ------
        Forbidden
            Registration is closed.
        TooManyAttempts
            Many came from this address: each costs a hash and a row.
        Invalid, Taken
            See `create`; also when something belongs to the name: whoever takes it owns that.
        """
        if self.registration() == "closed":
            raise Forbidden("registration is closed: ask an admin of this hub for an account")
        self._accounts.guard.begin(actor.address, f"@register {actor.address}")
        if self._owns_something(new.name):
            raise _taken(new.name)
        return self.create(new, password, actor)

    def by_subject(
        self, wanted: User, actor: Actor, *, make: bool, known: str | None = None
    ) -> User:
        """Return the user who is a provider's subject; `make` one if there is none.

        A user whom an admin made beforehand becomes theirs if name and (verified) address agree,
        and nobody has logged in as them: otherwise whoever did may have written that address, and
        would share what is the subject's. So does the user `known`, as whom this browser is
        logged in, if the name is theirs.

        Raises
        ------
        Forbidden
            They are disabled; there is none, and none may be made; the name is another's.
        """
        assert wanted.subject is not None  # noqa: S101  (our caller has it from the provider)
        free = not self._owns_something(wanted.name)
        with self._database.write(durable=True) as connection:
            found = users.by_subject(connection, wanted.subject)
            of_name = users.find(connection, wanted.name) if found is None else None
            if of_name is not None and _is_theirs(of_name, wanted, known):
                users.change(connection, of_name.name, subject=wanted.subject)
                audit.write(connection, actor, "user.link", of_name.name)
                found = of_name
            elif found is None and of_name is None and make and free:
                found = replace(wanted, created=moment.now())
                users.add(connection, found)
                audit.write(connection, actor, "user.create", found.name, {"by": "oidc"})
            if found is None or found.disabled is not None:
                raise Forbidden("you are not a user of this hub: ask an admin")
        return found

    def page(self, limit: int, after: str) -> list[User]:
        """Return users in the order of their names."""
        with self._database.read() as connection:
            return users.page(connection, limit, after)

    def change(self, name: str, values: Mapping[str, Any], actor: Actor) -> User:
        """Change a user; `disabled` is given as a truth. One who is disabled is out at once.

        Raises
        ------
        Absent, Invalid, Kept
            There is no such user; they aren't in such a group; nobody would be admin any more.
        """
        given = dict(values)
        with self._database.write(durable=True) as connection:
            before = users.find(connection, name)
            if before is None:
                raise Absent(f"there is no user {name[:70]}")
            if "disabled" in given:
                given["disabled"] = (before.disabled or moment.now()) if given["disabled"] else None
            if "autoshare" in given:
                check_member_of(users.groups_of(connection, name), given["autoshare"])
            if given:
                users.change(connection, name, **given)
            if not users.admins(connection) and before.admin and before.disabled is None:
                raise Kept(f"{name} is the only admin: make somebody else one first")
            if given.get("disabled") is not None:
                sessions.end_all(connection, name)
                sessions.drop_links(connection, name)
            audit.write(connection, actor, "user.change", name, _shown(values))
            after = users.find(connection, name)
        if given.get("disabled") is not None:
            self._revoke_tokens(name)
        self._accounts.changed()
        return after or before

    def change_own_password(self, who: Principal, old: str, new: str, actor: Actor) -> None:
        """Give oneself another password; sessions elsewhere end.

        Raises
        ------
        Absent, Forbidden, Invalid, TooManyAttempts
            See `set_password`; also when a token that is no admin's would be enough.
        """
        found = self._accounts.user(who.owner)
        proves = who.session_id or who.is_admin or (old and found and found.password is not None)
        if not proves:
            raise Forbidden("a token doesn't set a password without the old one: log in instead")
        self.set_password(who.owner, old, new, actor, who.session_id)

    def set_password(
        self, name: str, old: str | None, new: str, actor: Actor, keep_session: str
    ) -> None:
        """Give a user another password; their sessions end, but for `keep_session`.

        `old` None: an admin does it.

        Raises
        ------
        Absent, Forbidden, Invalid, TooManyAttempts
            There is no such user; the old password is wrong (too often); the new one won't do.
        """
        passwords.check(new, name)
        found = self._accounts.user(name)
        if found is None:
            raise Absent(f"there is no user {name[:70]}")
        # Who has no password (they came by a link) proves with their session who they are.
        if old is not None and found.password is not None:
            self._accounts.guard.begin(actor.address, name)
            if not passwords.fits(old, found.password):
                said = "this is not your password"
                raise Forbidden(said, fields={"old": said})
            self._accounts.guard.succeeded(actor.address, name)
        kept = passwords.hash_of(new)
        with self._database.write(durable=True) as connection:
            users.change(connection, name, password=kept)
            sessions.end_all(connection, name, but=keep_session)
            sessions.drop_links(connection, name)
            audit.write(connection, actor, "user.password", name)
        self._accounts.changed()

    def registration(self) -> Registration:
        """Return whether everybody may make themselves a user."""
        with self._database.read() as connection:
            return users.registration(connection)

    def set_registration(self, value: Registration, actor: Actor) -> None:
        """Open or close registration."""
        with self._database.write(durable=True) as connection:
            users.set_registration(connection, value)
            audit.write(connection, actor, "settings.change", "registration", {"to": value})

    # Groups.

    def create_group(self, id_: str, title: str, actor: Actor) -> Group:
        """Make a group."""
        new = Group(users.check_name(id_, "id"), title, moment.now())
        with self._database.write(durable=True) as connection:
            if groups.find(connection, id_) is not None:
                said = f"there is a group {id_} already"
                raise Taken(said, fields={"id": said})
            groups.add(connection, new)
            audit.write(connection, actor, "group.create", id_)
        return new

    def groups_page(self, who: Principal, limit: int, after: str) -> list[Group]:
        """Return the groups that `who` is in; all, for an admin."""
        with self._database.read() as connection:
            return groups.page(connection, limit, after, who.sees)

    def group(self, who: Principal, id_: str) -> tuple[Group, list[Member]]:
        """Return a group with its members.

        Raises
        ------
        Absent
            There is none, or they aren't in it.
        """
        with self._database.read() as connection:
            return _visible(connection, who, id_), groups.members(connection, id_)

    def member_counts(self, ids: Iterable[str]) -> dict[str, int]:
        """Return how many members groups have, by their ids."""
        with self._database.read() as connection:
            return groups.member_counts(connection, ids)

    def rename_group(self, who: Principal, id_: str, title: str, actor: Actor) -> Group:
        """Give a group another title."""
        with self._database.write(durable=True) as connection:
            found = _managed(connection, who, id_)
            groups.rename(connection, id_, title)
            audit.write(connection, actor, "group.change", id_, {"title": title})
        return replace(found, title=title)

    def remove_group(self, id_: str, actor: Actor) -> None:
        """Remove a group; what was shared with it belongs to its owners alone again."""
        with self._database.write(durable=True) as connection:
            if groups.find(connection, id_) is None:
                raise _no_group(id_)
            groups.remove(connection, id_)
            audit.write(connection, actor, "group.delete", id_)
        self._accounts.changed()

    def put_member(self, who: Principal, new: Member, actor: Actor) -> None:
        """Make a user a member of a group."""
        with self._database.write(durable=True) as connection:
            _managed(connection, who, new.group)
            if users.find(connection, new.user) is None:
                raise users.absent(connection, new.user, tell=who.is_admin)
            groups.put_member(connection, new)
            detail = {"user": new.user, "manager": new.manager}
            audit.write(connection, actor, "group.member.put", new.group, detail)
        self._accounts.changed()

    def remove_member(self, who: Principal, id_: str, user: str, actor: Actor) -> None:
        """Take a user out of a group; everybody may go themselves."""
        with self._database.write(durable=True) as connection:
            if user == who.owner:
                _visible(connection, who, id_)
            else:
                _managed(connection, who, id_)
            if not groups.remove_member(connection, id_, user):
                raise Absent(f"{user[:70]} is not in the group {id_}")
            audit.write(connection, actor, "group.member.delete", id_, {"user": user})
        self._accounts.changed()

    def _owns_something(self, name: str) -> bool:
        owned = self._store.counts(JobFilter(owners=[name])).total
        return bool(owned) or any(token.owner == name for token in self._store.tokens())

    def _revoke_tokens(self, name: str) -> None:
        for token in self._store.tokens(name):
            if token.revoked is None:
                self._store.revoke_token(token.id, at=moment.now())


def _is_theirs(user: User, wanted: User, known: str | None) -> bool:
    """Return whether a user without a subject is who comes from the provider."""
    if user.subject is not None:
        return False
    agrees = wanted.email != "" and user.email.casefold() == wanted.email.casefold()
    return user.name == known or (agrees and user.last_login is None)


def _taken(name: str) -> Taken:
    said = f"the name {name} is taken"
    return Taken(said, fields={"name": said})


def _visible(connection: Connection, who: Principal, id_: str) -> Group:
    found = groups.find(connection, id_)
    member = who.is_admin or groups.membership(connection, id_, who.owner) is not None
    if found is None or not member:
        known = groups.page(connection, users.MOST_NEAR, "", who.sees)
        raise _no_group(id_, nearest(id_, [one.id for one in known]))
    return found


def _managed(connection: Connection, who: Principal, id_: str) -> Group:
    found = _visible(connection, who, id_)
    if not who.is_admin:
        membership = groups.membership(connection, id_, who.owner)
        if membership is None or not membership.manager:
            raise Forbidden(f"only managers of the group {id_}, and admins, may do this")
    return found


def _no_group(id_: str, near: str | None = None) -> Absent:
    hint = f'; did you mean "{near}"?' if near else ""
    return Absent(f"there is no group {id_[:70]}{hint}")


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit log has of a change; what is somebody's own is only named."""
    return {
        name: value if name in ("admin", "disabled", "autoshare") else "…"
        for name, value in values.items()
    }
