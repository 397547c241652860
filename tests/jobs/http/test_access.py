from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from projects.jobs.http import tokens
from projects.jobs.http.status import OPEN
from projects.jobs.http.throttle import Throttle
from projects.jobs.model import moment
from tests.jobs.http.puppets import World

NOBODYS, OWN, ADMINS, FREE = "nobody's", "own", "an admin's", "free"
"""What a route shows: the same to all who may read; objects of an owner; only to admins; to all."""


@dataclass(frozen=True)
class Expected:
    """Who may use a route: the scope it needs, and whether what it shows belongs to somebody."""

    scope: str
    kind: str
    body: Any = None
    admin: str = "yes"


ONE = {"job_specs": [{"name": "example"}]}
FEED = "/api/v1/events"

TABLE = {
    ("POST", "/api/v1/submissions"): Expected("submit", NOBODYS, body=ONE),
    ("GET", "/api/v1/submissions"): Expected("read", NOBODYS),
    ("GET", "/api/v1/submissions/{submission}"): Expected("read", OWN),
    ("POST", "/api/v1/submissions/{submission}/cancel"): Expected("submit", OWN),
    ("GET", "/api/v1/jobs"): Expected("read", NOBODYS),
    ("GET", "/api/v1/jobs/{job}"): Expected("read", OWN),
    ("GET", "/api/v1/jobs/{job}/uploads"): Expected("read", OWN),
    ("POST", "/api/v1/jobs/{job}/cancel"): Expected("submit", OWN),
    ("POST", "/api/v1/jobs/{job}/retry"): Expected("submit", OWN),
    ("GET", "/api/v1/jobs/{job}/events"): Expected("read", OWN),
    ("GET", "/api/v1/jobs/{job}/logs/{log}"): Expected("read", OWN),
    ("GET", "/api/v1/jobs/{job}/artifacts"): Expected("read", OWN),
    ("GET", "/api/v1/jobs/{job}/artifacts/{path:path}"): Expected("read", OWN),
    ("GET", "/api/v1/tools"): Expected("read", NOBODYS),
    ("GET", "/api/v1/tools/{tool}"): Expected("read", NOBODYS),
    ("GET", "/api/v1/tools/{tool}/options/{parameter}"): Expected("read", NOBODYS),
    ("GET", "/api/v1/counts"): Expected("read", NOBODYS),
    ("GET", "/api/v1/info"): Expected("read", NOBODYS),
    ("GET", FEED): Expected("read", NOBODYS),
    ("POST", "/api/v1/tokens"): Expected("submit", NOBODYS, body={"scopes": ["read"]}),
    ("GET", "/api/v1/tokens"): Expected("read", NOBODYS),
    # That of an admin: it is revoked by the last caller, who is its owner.
    ("DELETE", "/api/v1/tokens/{token}"): Expected("submit", ADMINS),
    ("POST", "/satellite/submissions"): Expected("submit", NOBODYS, body=ONE),
    ("GET", "/satellite/submissions"): Expected("read", NOBODYS),
    ("GET", "/satellite/submissions/{submission}"): Expected("read", OWN),
    ("POST", "/satellite/submissions/{submission}/cancel"): Expected("submit", OWN),
    ("GET", "/satellite/jobs"): Expected("read", NOBODYS),
    ("GET", "/satellite/jobs/{job}"): Expected("read", OWN),
    ("POST", "/satellite/jobs/{job}/cancel"): Expected("submit", OWN),
    ("POST", "/satellite/jobs/{job}/retry"): Expected("submit", OWN),
    ("GET", "/satellite/jobs/{job}/logs/{log}"): Expected("read", OWN),
    ("GET", "/satellite/jobs/{job}/artifacts"): Expected("read", OWN),
    ("GET", "/satellite/jobs/{job}/artifacts/{path:path}"): Expected("read", OWN),
    ("GET", "/satellite/tests"): Expected("read", NOBODYS),
    ("GET", "/satellite/tests/{test}"): Expected("read", NOBODYS),
    ("GET", "/satellite/tests/{test}/options/{parameter}"): Expected("read", NOBODYS),
    ("GET", "/satellite/info"): Expected("read", NOBODYS),
    ("GET", "/healthz"): Expected("", FREE),
    ("GET", "/readyz"): Expected("", FREE),
    ("GET", "/metrics"): Expected("read", NOBODYS),
    ("GET", "/openapi.json"): Expected("read", NOBODYS),
    ("GET", "/docs"): Expected("read", NOBODYS),
}
"""Every route there is. A new one needs its line here."""

SCOPES = {"read": ["read"], "submit": ["submit"], "admin": ["admin"]}


def routes(world: World) -> Iterator[tuple[str, str]]:
    for context in iter_route_contexts(world.app.routes):
        for method in getattr(context, "methods", None) or ():
            yield method, str(getattr(context, "path"))  # noqa: B009  (of either kind of route)


def test_every_route_is_in_the_table_and_only_health_is_open(world: World) -> None:
    assert set(routes(world)) == set(TABLE)
    assert {path for (_, path), e in TABLE.items() if e.kind == FREE} == set(OPEN)


def call(client: httpx.Client, method: str, address: str, body: Any = None) -> int:
    """Return the status; of a stream only its head is waited for."""
    with client.stream(method, address, json=body) as answer:
        return answer.status_code


def test_every_route_opens_to_exactly_those_who_may(world: World) -> None:
    ann = world.client("ann", ["submit"])
    world.puppets.exit_code = 0
    (job,) = world.submit(ann)
    ended = world.ended(job)
    _, spare = tokens.issue("root", ["read"])
    world.store.add_token(spare)
    fill = {
        "token": spare.id,
        "job": job,
        "submission": ended.submission_id,
        "log": "stdout",
        "path:path": "stdout.log",
        "tool": "example",
        "test": "example",
        "parameter": "pet",
    }
    callers = {
        "nobody": world.client_with(None),
        "wrong": world.client_with("tg_wrong"),
        "expired": world.client_with(world.token("ann", ["admin"], lifetime=0.0)),
        "revoked": world.client_with(revoked(world)),
        "ann reads": world.client("ann", ["read"]),
        "ann submits": ann,
        "bob reads": world.client("bob", ["read"]),
        "bob submits": world.client("bob", ["submit"]),
        "admin": world.client("root", ["admin"]),
    }
    seen, wanted = {}, {}
    for (method, path), expected in TABLE.items():
        address = path
        for name, value in fill.items():
            address = address.replace(f"{{{name}}}", value)
        for who, client in callers.items():
            key = (method, path, who)
            seen[key] = kind_of(call(client, method, address, expected.body))
            wanted[key] = expectation(who, expected)
    assert {key: kind for key, kind in seen.items() if kind != wanted[key]} == {}


def revoked(world: World) -> str:
    text = world.token("ann", ["admin"])
    (token,) = [each for each in world.store.tokens() if each.hash == tokens.digest(text)]
    world.store.revoke_token(token.id, at=moment.now())
    return text


def kind_of(status: int) -> str:
    """Return what a status says about access; a conflict of states came after it was granted."""
    return {401: "who?", 429: "who?", 403: "no", 404: "absent"}.get(
        status, "yes" if status in (200, 201, 204, 409) else str(status)
    )


def expectation(who: str, expected: Expected) -> str:
    if expected.kind == FREE:
        return "yes"
    if who in ("nobody", "wrong", "expired", "revoked"):
        return "who?"
    if who == "admin":
        return expected.admin
    scope = who.split()[1].rstrip("s")
    if not tokens.includes([scope], expected.scope):  # type: ignore[arg-type]
        return "no"
    if expected.kind == ADMINS:
        return "absent"
    return "absent" if expected.kind == OWN and who.startswith("bob") else "yes"


def test_lists_and_counts_show_only_ones_own(world: World) -> None:
    ann, bob = world.client("ann"), world.client("bob")
    admin = world.client("root", ["admin"])
    world.submit(ann, 2)
    world.submit(bob, 1)
    for client, jobs, submissions in ((ann, 2, 1), (bob, 1, 1), (admin, 3, 2)):
        assert len(client.get("/api/v1/jobs").json()["items"]) == jobs
        assert len(client.get("/satellite/jobs").json()["data"]["jobs"]) == jobs
        assert client.get("/api/v1/counts").json()["total"] == jobs
        assert len(client.get("/api/v1/submissions").json()["items"]) == submissions
        assert (
            len(client.get("/satellite/submissions").json()["data"]["submissions"]) == submissions
        )
    assert ann.get("/api/v1/jobs", params={"owner": "bob"}).json()["items"] == []
    assert len(admin.get("/api/v1/jobs", params={"owner": "bob"}).json()["items"]) == 1
    (other,) = bob.get("/api/v1/jobs").json()["items"]
    assert ann.get("/api/v1/jobs", params={"submission": other["submission_id"]}).json() == {
        "items": [],
        "next": None,
    }


def test_a_foreign_object_looks_like_one_that_does_not_exist(world: World) -> None:
    (job,) = world.submit(world.client("ann"))
    bob = world.client("bob")
    foreign = bob.get(f"/api/v1/jobs/{job}")
    absent = bob.get("/api/v1/jobs/kw0dZmh4R42lb2yZH7kGBA")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.text.replace(job, "") == absent.text.replace("kw0dZmh4R42lb2yZH7kGBA", "")


def test_a_token_is_made_listed_and_revoked(world: World) -> None:
    admin = world.client("root", ["admin"])
    made = admin.post(
        "/api/v1/tokens", json={"owner": "bob", "scopes": ["submit"], "label": "ci", "lifetime": 60}
    )
    assert made.status_code == 201
    text = made.json()["token"]
    bob = world.client_with(text)
    assert bob.get("/api/v1/info").status_code == 200
    listed = {one["id"]: one for one in admin.get("/api/v1/tokens").json()["items"]}
    one = listed[made.json()["id"]]
    assert (one["owner"], one["label"], one["scopes"]) == ("bob", "ci", ["submit"])
    assert one["last_used"] is not None
    assert admin.delete(f"/api/v1/tokens/{one['id']}").status_code == 204
    assert bob.get("/api/v1/info").status_code == 401, "at once, although it was remembered"
    assert admin.delete("/api/v1/tokens/nonsense").status_code == 404


def test_users_make_see_and_revoke_their_own_tokens_only(world: World) -> None:
    ann, bob = world.client("ann"), world.client("bob")
    made = ann.post("/api/v1/tokens", json={"scopes": ["submit", "satellite"], "label": "ci"})
    assert (made.status_code, made.json()["owner"]) == (201, "ann")
    assert [one["label"] for one in ann.get("/api/v1/tokens").json()["items"]] == ["", "ci"]
    assert [one["label"] for one in bob.get("/api/v1/tokens").json()["items"]] == [""]
    assert bob.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 404
    assert ann.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 204
    for refused in ({"scopes": ["admin"]}, {"owner": "bob", "scopes": ["read"]}):
        assert ann.post("/api/v1/tokens", json=refused).status_code == 403


def test_a_token_makes_none_that_outlives_it(world: World) -> None:
    short = world.client_with(world.token("ann", ["submit"], lifetime=60.0))
    for lifetime in (None, 3600.0):
        made = short.post("/api/v1/tokens", json={"scopes": ["read"], "lifetime": lifetime}).json()
        assert moment.parse_iso(made["expires"]) <= moment.now() + 60 * moment.SECOND


def test_a_token_of_a_satellite_opens_nothing_but_what_satellites_send(world: World) -> None:
    satellite = world.client("sat", ["satellite"])
    assert satellite.get("/api/v1/jobs").status_code == 403
    assert satellite.post("/api/v1/submissions", json=ONE).status_code == 403
    assert satellite.post("/api/v1/tokens", json={"scopes": ["satellite"]}).status_code == 403
    assert tokens.includes(["satellite"], "upload")
    assert tokens.includes(["submit"], "upload")
    assert not tokens.includes(["submit"], "satellite")
    assert not tokens.includes(["read"], "upload")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"owner": "bob", "scopes": ["red"]}, "scopes.0"),
        ({"owner": "bob", "scopes": []}, "scopes"),
        ({"owner": "", "scopes": ["read"]}, "owner"),
        ({"owner": "bob", "scopes": ["read"], "livetime": 5}, "livetime"),
        ({"owner": "bob", "scopes": ["read"], "lifetime": -1}, "lifetime"),
        ([], "body"),
    ],
)
def test_a_wrong_request_for_a_token_says_which_field(world: World, body: Any, field: str) -> None:
    answer = world.client("root", ["admin"]).post("/api/v1/tokens", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["fields"]


def test_no_token_is_kept_or_logged_in_plain_text(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    text = world.token("ann", ["submit"])
    client = world.client_with(text)
    world.ended(world.submit(client)[0])
    client.get("/api/v1/nothing")
    world.store.sync()
    for path in world.data.rglob("*"):
        if path.is_file():
            assert text.encode() not in path.read_bytes(), path
    assert text not in caplog.text


def test_last_used_is_written_at_most_once_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[int] = []
    monkeypatch.setattr(world.store, "touch_token", lambda _, at: touched.append(at))
    client = world.client("ann")
    at = moment.now()
    for later in (0, 1, 59, 61, 62):
        monkeypatch.setattr("projects.jobs.http.access.moment.now", lambda x=later: at + x * 10**6)
        assert client.get("/api/v1/info").status_code == 200
    assert touched == [at, at + 61 * 10**6]


def test_a_browser_is_asked_for_a_token_and_may_send_it_where_nothing_changes(world: World) -> None:
    token = world.token("ann")
    browser = world.client_with(None)
    asked = browser.get("/docs", headers={"Accept": "text/html"})
    assert asked.status_code == 401
    assert asked.headers["www-authenticate"].startswith("Basic")
    basic = {"Authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode()}
    assert browser.get("/docs", headers=basic).status_code == 200
    assert browser.post("/api/v1/jobs/1/cancel", headers=basic).status_code == 401
    assert browser.get("/docs", headers={"Authorization": "Basic %%%"}).status_code == 401


def test_wrong_tokens_from_one_address_are_answered_less_and_right_ones_still_open(
    world: World,
) -> None:
    wrong, right = world.client_with("tg_wrong"), world.client("ann")
    statuses = [wrong.get("/api/v1/info").status_code for _ in range(25)]
    assert statuses == [401] * 20 + [429] * 5
    assert int(wrong.get("/api/v1/info").headers["retry-after"]) > 0
    assert right.get("/api/v1/info").status_code == 200


def test_a_throttle_forgets_after_its_window_and_bounds_what_it_knows() -> None:
    throttle = Throttle(most=2, window=10)
    assert throttle.failed("a", 0) is None
    assert throttle.failed("a", 1) is None
    assert throttle.failed("a", 2) == 8
    assert throttle.failed("b", 2) is None
    assert throttle.failed("a", 10.5) is None, "the first is out of the window"
    assert throttle.failed("a", 10.6) == pytest.approx(0.4)
    for number in range(20_000):
        throttle.failed(str(number), 11)
    assert len(throttle._failures) == 10_000
