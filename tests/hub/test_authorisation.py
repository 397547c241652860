"""Every route of the hub, by everybody who may call it; a route without an entry fails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from projects.hub.accounts import login_routes
from projects.jobs.http.status import OPEN
from projects.jobs.model import identity
from tests.hub.authorisation import (
    accounts,
    artifacts,
    jobs,
    notifications,
    pages,
    sites,
    tables,
)
from tests.hub.authorisation.expected import CALLERS, May, Table, Things, expected, kind_of
from tests.hub.hub_world import Hub

ROOMS = (accounts, jobs, tables, artifacts, sites, notifications, pages)
TABLE: Table = {route: may for room in ROOMS for route, may in room.TABLE.items()}
THINGS: Things = {name: make for room in ROOMS for name, make in room.THINGS.items()}

_MOMENT = re.compile(r"\d+ \w+ ago|just now|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+")
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def routes(hub: Hub) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(hub.world.app.routes):
        for method in getattr(context, "methods", None) or ():
            yield method, str(getattr(context, "path"))  # noqa: B009  (of either kind of route)


def test_every_route_is_in_a_table_and_few_are_open(hub: Hub) -> None:
    found = {route for route in routes(hub) if route[0] != "HEAD"}
    assert found - set(TABLE) == set(), "these need an entry in tests/hub/authorisation"
    assert set(TABLE) - found == set(), "these are no routes any more"
    opened = {path for (_, path), may in TABLE.items() if may.needs == "nothing"}
    assert opened == {*OPEN, *login_routes.OPEN, *pages.OPEN}


class Stage:
    """The callers, and things that belong to `owner`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._made: dict[str, str] = {}
        for name in ("owner", "member", "other", "sat"):
            hub.user(name)
        hub.user("boss", admin=True)
        hub.group("team", ["owner", "member"])

    def callers(self, by: str) -> dict[str, httpx.Client]:
        """Return who calls, by tokens or by sessions."""
        scopes = {"admin": ("boss", "admin"), "satellite": ("sat", "satellite")}
        made = {"nobody": self.hub.browser() if by == "session" else self.anonymous()}
        for caller in CALLERS[1:]:
            name, scope = scopes.get(caller, (caller, "submit"))
            if by == "token":
                made[caller] = self.hub.client(name, scope)
            elif caller != "satellite":
                made[caller] = self.hub.browser(name)
        return made

    def anonymous(self) -> httpx.Client:
        return self.hub.world.client_with(None)

    def thing(self, name: str, *, fresh: bool) -> str:
        if fresh:
            return THINGS[name](self.hub)
        if name not in self._made:
            self._made[name] = THINGS[name](self.hub)
        return self._made[name]

    def address(self, path: str, may: May) -> str:
        whole = path + (f"?{may.query}" if may.query else "")

        def fill(found: re.Match[str]) -> str:
            return self.thing(may.other.get(found[1], found[1]), fresh=may.fresh)

        return _PARAMETER.sub(fill, whole)


def status_of(client: httpx.Client, method: str, address: str, may: May) -> int:
    """Return the status; of a stream only its head is waited for."""
    sent: dict[str, Any] = {} if may.body is None else {"json": may.body}
    if may.media:
        sent = {"content": may.body, "headers": {"Content-Type": may.media}}
    with client.stream(method, address, **sent) as answer:
        return answer.status_code


@pytest.mark.parametrize("by", ["token", "session"])
def test_every_route_opens_to_exactly_those_who_may(hub: Hub, by: str) -> None:
    stage = Stage(hub)
    wrong = {}
    for (method, path), may in TABLE.items():
        for caller, client in stage.callers(by).items():
            if caller == "nobody" and may.needs != "nothing":
                client.cookies.clear()
            got = kind_of(status_of(client, method, stage.address(path, may), may))
            wanted = expected(may, caller)
            if got != wanted:
                wrong[method, path, caller] = f"{got} instead of {wanted}"
    assert not wrong, "\n".join(f"{route}: {said}" for route, said in wrong.items())


def test_a_cookie_alone_changes_nothing(hub: Hub) -> None:
    stage = Stage(hub)
    browser = stage.callers("session")["admin"]
    del browser.headers["X-CSRF-Token"]
    opened = {}
    for (method, path), may in TABLE.items():
        if method in ("GET", "HEAD") or may.needs == "nothing":
            continue
        status = status_of(browser, method, stage.address(path, may), may)
        if status != httpx.codes.FORBIDDEN:
            opened[method, path] = status
    assert opened == {}


IN_QUERIES = (
    ("/compare?a={own_run}&b={run}", "run"),
    ("/compare?a={run}&b={own_run}", "run"),
    ("/api/v1/artifacts/compare?a={own_run}&b={run}", "run"),
    ("/api/v1/artifacts/compare?a={run}&b={own_run}", "run"),
    ("/submit/example?again={job}", "job"),
    ("/live?job={job}", "job"),
    ("/live?submission={submission}", "submission"),
    ("/satellites/nick/live?job={job}", "job"),
    ("/find?q={job}", "job"),
    ("/api/v1/jobs?submission={submission}", "submission"),
    ("/api/v1/counts?submission={submission}", "submission"),
    ("/satellite/jobs?submission={submission}", "submission"),
    ("/jobs?submission={submission}", "submission"),
)
"""Addresses that name a thing behind the question mark, and which."""

IN_BODIES = (
    ("POST", "/api/v1/submissions", {"job_specs": [{"name": "example"}], "groups": ["{group}"]}),
    ("PATCH", "/api/v1/users/other", {"autoshare": ["{group}"]}),
    ("POST", "/api/v1/artifacts", {"place": "x/1", "files": [], "groups": ["{group}"]}),
)


def test_what_is_named_behind_the_question_mark_is_as_if_it_were_not_there(hub: Hub) -> None:
    """Of somebody else's thing the answer is the same as of one that never was."""
    stage = Stage(hub)
    own = artifacts.finished(hub, "other", [])
    never = identity.new()
    other = hub.browser("other")
    wrong = {}
    for address, name in IN_QUERIES:
        told = []
        for id_ in (stage.thing(name, fresh=False), never):
            asked = address.replace(f"{{{name}}}", id_).replace("{own_run}", own)
            with other.stream("GET", asked, headers={"Accept": "text/html"}) as answer:
                text = answer.read().decode().replace(id_, "ID")
                where = answer.headers.get("Location", "").replace(id_, "ID")
            told.append((answer.status_code, where, _MOMENT.sub("", text)))
        if told[0] != told[1]:
            wrong[address] = f"{told[0][:2]} is not {told[1][:2]}"
    assert wrong == {}


def test_a_group_that_one_is_not_in_is_as_if_it_were_not_there(hub: Hub) -> None:
    Stage(hub)
    other = hub.client("other")
    for method, path, body in IN_BODIES:
        told = []
        for group in ("team", "nowhere"):
            sent = json.loads(json.dumps(body).replace("{group}", group))
            answer = other.request(method, path, json=sent)
            told.append((answer.status_code, answer.text.replace(group, "ID")))
        assert told[0] == told[1], path
        assert told[0][0] in (403, 422), (path, told)
