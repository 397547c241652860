"""A whole hub for tests: a real server with users, groups and browsers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.hub.accounts import sessions
from projects.hub.accounts.accounts import Accounts
from projects.hub.accounts.directory import Directory
from projects.hub.accounts.values import Actor, Member, User
from projects.jobs.http.access import Principal
from projects.jobs.model import moment
from tests.jobs.http.puppets import World, served

PASSWORD = "wrong horse, no battery"
ROOT = Principal("root", ("admin",))
TEST = Actor("test", "192.0.2.1")


@dataclass
class Hub:
    """The server, and what there is in it."""

    world: World

    @property
    def accounts(self) -> Accounts:
        found: Accounts = self.world.app.state.accounts
        return found

    @property
    def directory(self) -> Directory:
        return Directory(self.accounts)

    @property
    def address(self) -> str:
        return self.world.address

    def user(self, name: str, *, admin: bool = False, password: str | None = None) -> str:
        """Make a user, who needs no hash if they need no password."""
        self.directory.create(User(name, admin=admin), password, TEST)
        return name

    def group(self, id_: str, members: Sequence[str] = (), managers: Sequence[str] = ()) -> str:
        """Make a group."""
        self.directory.create_group(id_, id_.title(), TEST)
        for name in (*members, *managers):
            self.directory.put_member(ROOT, Member(id_, name, name in managers), TEST)
        return id_

    def browser(self, name: str | None = None) -> httpx.Client:
        """Return a browser, logged in; it sends what our pages send."""
        client = self.world.client_with(None)
        client.headers["Origin"] = self.address
        if name is not None:
            user = self.accounts.user(name)
            assert user is not None
            secret = self.accounts.begin_session(user, TEST, "test", "test")
            port = self.address.rpartition(":")[2]
            client.cookies.set(f"topgallant_{port}", secret)
            client.headers["X-CSRF-Token"] = sessions.csrf_of(secret)
        return client

    def client(self, name: str, *scopes: Any) -> httpx.Client:
        """Return a client with a token."""
        return self.world.client(name, scopes or ("submit",))

    def log_in(self, client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
        """Log in with a password."""
        answer = client.post("/api/v1/login", json={"name": name, "password": password})
        if answer.status_code == httpx.codes.OK:
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return answer

    def audited(self) -> list[tuple[str, str, str]]:
        """Return who did what on what, the newest first."""
        from projects.hub.accounts import audit

        with self.accounts.database.read() as connection:
            found = audit.page(connection, limit=1000)
        return [(one.who, one.action, one.object) for one in found]


@contextlib.contextmanager
def served_hub(tmp_path: Path, **settings: Any) -> Iterator[Hub]:
    """Serve a hub and a satellite."""
    with served(tmp_path, ["hub", "satellite"], **settings) as world:
        yield Hub(world)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub."""
    with served_hub(tmp_path) as made:
        yield made


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the clock show a later time from now on."""
    real = moment.now
    monkeypatch.setattr(
        "projects.jobs.model.moment.now", lambda: real() + round(seconds * moment.SECOND)
    )
