"""What whoever starts the hub reads: how to log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.hub.accounts import users
from projects.hub.accounts.values import Actor

if TYPE_CHECKING:
    from projects.hub.accounts.accounts import Accounts


class Greeting:
    """Makes a log-in link for `name`, who started the server: the first user, and an admin.

    One that others reach gives a link only until there is an admin: what it prints may be kept
    in a log that others read.
    """

    def __init__(self, accounts: Accounts, name: str) -> None:
        self._accounts = accounts
        self._name = name

    def __call__(self, address: str, is_local: bool) -> list[str]:
        """Return the lines."""
        with self._accounts.database.read() as connection:
            is_new = not users.admins(connection)
            known = users.find(connection, self._name)
        may = known is None or (known.admin and known.disabled is None)
        if not (is_new or (is_local and may)):
            return ["  log in  ./run_toolbox.py hub login"]
        secret = self._accounts.make_link(self._name, Actor(self._name), admin=True)
        return [f"  log in  {address}/login?link={secret} (works once, within an hour)"]
