"""Who somebody is: logging in and out, sessions, links, what a name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.hub.accounts import audit, passwords, sessions, users
from projects.hub.accounts.guard import Guard
from projects.hub.accounts.values import NAME, Actor, User
from projects.jobs.http.access import Standing
from projects.jobs.http.refusals import Unauthorized
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from projects.hub.accounts.values import Session
    from projects.jobs.store.database import Database

LINK_LIFETIME = 3600 * moment.SECOND
"""A log-in link that wasn't used works no more after so long."""

INVITATION_LIFETIME = 3 * 86400 * moment.SECOND
"""The same for one that an admin sends to somebody."""


_NO_NAME = "@name"


class Accounts:
    """The room's door for routes: any thread may call it; `store` is that of jobs and tokens."""

    def __init__(self, database: Database, store: Any, guard: Guard | None = None) -> None:
        self.database = database
        self.store = store
        self.guard = guard or Guard()
        self.changed: Callable[[], None] = lambda: None
        """Called when what somebody may do has changed: what is remembered counts no more."""

    def standing_of(self, name: str) -> Standing | None:
        """Return what a name stands for; None: there is no such user."""
        with self.database.read() as connection:
            found = users.find(connection, name)
            if found is None:
                return None
            groups = users.groups_of(connection, name)
        return Standing(found.admin, found.disabled is not None, groups)

    def user(self, name: str) -> User | None:
        """Return a user."""
        with self.database.read() as connection:
            return users.find(connection, name)

    # Logging in. Each returns the secret of a new session.

    def log_in(self, name: str, password: str, actor: Actor, agent: str) -> str:
        """Begin a session for a name and a password.

        Raises
        ------
        Unauthorized
            They don't belong together; whether there is such a user isn't said.
        TooManyAttempts
            See `Guard.begin`.
        """
        # What is no name is all one: many of them push out nobody's, nor count as a link's.
        self.guard.begin(actor.address, name if NAME.fullmatch(name) else _NO_NAME)
        found = self.user(name)
        kept = None if found is None or found.disabled is not None else found.password
        if not passwords.fits(password, kept) or found is None or kept is None:
            with self.database.write(durable=False) as connection:
                audit.write(connection, actor, "login.failed", name)
            raise Unauthorized("the name or the password is wrong")
        self.guard.succeeded(actor.address, name)
        newer = passwords.hash_of(password) if passwords.is_old(kept) else kept
        with self.database.write(durable=True) as connection:
            again = users.find(connection, name)
            # While the hash was computed, they may have been disabled or got another password.
            if again is None or again.disabled is not None or again.password != kept:
                raise Unauthorized("the name or the password is wrong")
            if newer != kept:
                users.change(connection, name, password=newer)
            return self._begin(connection, again, Actor(name, actor.address), agent, "password")

    def log_in_by_link(self, secret: str, actor: Actor, agent: str) -> str:
        """Begin a session for a link; one for an admin who doesn't exist makes them.

        Raises
        ------
        Unauthorized
            The link was used, is too old, or never was.
        TooManyAttempts
            See `Guard.begin`.
        """
        nameless = f"@link {actor.address}"
        self.guard.begin(actor.address, nameless)
        with self.database.write(durable=True) as connection:
            taken = sessions.take_link(connection, secret)
            found = None if taken is None else users.find(connection, taken[0])
            if taken is not None and found is None and taken[1]:
                found = User(taken[0], admin=True, created=moment.now())
                users.add(connection, found)
                audit.write(connection, Actor(taken[0], actor.address), "user.create", taken[0])
            if found is not None and found.disabled is None:
                self.guard.succeeded(actor.address, nameless)
                return self._begin(connection, found, actor, agent, "link")
        raise Unauthorized("this log-in link was used already, or is too old: ask for a new one")

    def begin_session(self, user: User, actor: Actor, agent: str, how: str) -> str:
        """Begin a session for a user of whom somebody else vouches, as `how` says."""
        with self.database.write(durable=True) as connection:
            return self._begin(connection, user, actor, agent, how)

    def _begin(self, connection: Any, user: User, actor: Actor, agent: str, how: str) -> str:
        secret = sessions.begin(connection, user.name, actor.address, agent)
        users.change(connection, user.name, last_login=moment.now())
        actor = Actor(user.name, actor.address)
        audit.write(connection, actor, "login", user.name, {"by": how})
        return secret

    # Links.

    def make_link(
        self, name: str, actor: Actor, *, lifetime: int = LINK_LIFETIME, admin: bool = False
    ) -> str:
        """Return the secret of a link that logs `name` in, once."""
        with self.database.write(durable=True) as connection:
            audit.write(connection, actor, "link.create", name)
            expires = moment.now() + lifetime
            return sessions.add_link(connection, name, admin=admin, expires=expires)

    # Sessions.

    def session(self, hash_: str) -> tuple[Session, User, tuple[str, ...]] | None:
        """Return a living session, whose it is, and their groups."""
        with self.database.read() as connection:
            found = sessions.find(connection, hash_)
            user = None if found is None else users.find(connection, found.user)
            if found is None or user is None or user.disabled is not None:
                return None
            return found, user, users.groups_of(connection, user.name)

    def touch(self, hash_: str, at: int) -> None:
        """Note that something came from a session."""
        with self.database.write(durable=False) as connection:
            sessions.touch(connection, hash_, at)

    def sessions_of(self, name: str) -> list[Session]:
        """Return the living sessions of a user."""
        with self.database.read() as connection:
            return sessions.of_user(connection, name)

    def end_session(self, name: str | None, id_: str, actor: Actor) -> bool:
        """End a session of a user, or (None) of anybody; False: there is none."""
        with self.database.write(durable=True) as connection:
            whose = sessions.end(connection, name, id_)
            if whose is not None:
                audit.write(connection, actor, "logout", whose)
        self.changed()
        return whose is not None

    def end_other_sessions(self, name: str, keep: str, actor: Actor) -> None:
        """End all sessions of a user except one."""
        with self.database.write(durable=True) as connection:
            sessions.end_all(connection, name, but=keep)
            audit.write(connection, actor, "logout", name, {"sessions": "all others"})
        self.changed()


def accounts_of(request: Request) -> Accounts:
    """Return the accounts of the application that got `request`."""
    accounts: Accounts = request.app.state.accounts
    return accounts
