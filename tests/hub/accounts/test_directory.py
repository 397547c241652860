"""Users and groups: made, changed, ended; what groups see; the audit log."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from projects.hub.accounts.guard import Guard
from projects.hub.accounts.values import Member
from tests.hub.authorisation.artifacts import finished
from tests.hub.hub_world import PASSWORD, ROOT, TEST, Hub

NEW = "another wrong horse"


@pytest.fixture
def boss(hub: Hub) -> httpx.Client:
    """An admin with a token."""
    hub.user("boss", admin=True)
    return hub.client("boss", "admin")


def error_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]


def test_a_user_is_made_and_logs_in_by_a_link_and_sets_a_password(
    hub: Hub, boss: httpx.Client
) -> None:
    made = boss.post("/api/v1/users", json={"name": "ann", "full_name": "Ann Lee"})
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/users/ann"
    assert "password" not in made.json()
    url = boss.post("/api/v1/links", json={"user": "ann"}).json()["url"]
    assert url.startswith(f"{hub.address}/login?link=")
    browser = hub.browser()
    answer = browser.post("/api/v1/login", json={"link": url.partition("link=")[2]})
    browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    assert browser.put("/api/v1/users/ann/password", json={"new": PASSWORD}).status_code == 204
    assert hub.log_in(hub.browser(), "ann").status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"name": "Ann"}, 422, "name"),
        ({"name": "../x"}, 422, "name"),
        ({"name": ""}, 422, "name"),
        ({"name": "a" * 64}, 422, "name"),
        ({"name": "ann", "password": "short"}, 422, "password"),
        ({"name": "ann", "passwort": PASSWORD}, 422, "passwort"),
        ({"name": "ann", "email": "a\nb"}, 422, "email"),
        ({"name": "boss"}, 409, "name"),
        ([], 422, "body"),
    ],
)
def test_a_wrong_user_is_refused_with_the_field(
    hub: Hub, boss: httpx.Client, body: Any, status: int, field: str
) -> None:
    answer = boss.post("/api/v1/users", json=body)
    assert answer.status_code == status
    assert field in error_of(answer)["fields"]


def test_everybody_makes_themselves_a_user_only_where_that_is_open(
    hub: Hub, boss: httpx.Client
) -> None:
    wanted = {"name": "ann", "password": PASSWORD}
    assert hub.browser().post("/api/v1/register", json=wanted).status_code == 403
    assert boss.patch("/api/v1/settings", json={"registration": "open"}).status_code == 200
    browser = hub.browser()
    answer = browser.post("/api/v1/register", json=wanted)
    assert answer.status_code == 201
    assert browser.get("/api/v1/me").json()["scopes"] == ["submit"]
    assert hub.browser().post("/api/v1/register", json=wanted).status_code == 409
    admin = hub.browser().post("/api/v1/register", json=wanted | {"name": "eve", "admin": True})
    assert admin.status_code == 422


def test_nobody_registers_a_name_that_owns_something(hub: Hub, boss: httpx.Client) -> None:
    boss.patch("/api/v1/settings", json={"registration": "open"})
    hub.world.submit(hub.client("ci"))
    hub.world.token("robot")
    for name in ("ci", "robot"):
        answer = hub.browser().post("/api/v1/register", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 409
    assert boss.post("/api/v1/users", json={"name": "ci"}).status_code == 201


def test_a_user_who_is_disabled_is_out_at_once_everywhere(hub: Hub, boss: httpx.Client) -> None:
    hub.user("ann", password=PASSWORD)
    browser, client = hub.browser("ann"), hub.client("ann")
    link = hub.accounts.make_link("ann", TEST)
    assert browser.get("/api/v1/me").status_code == client.get("/api/v1/me").status_code == 200
    changed = boss.patch("/api/v1/users/ann", json={"disabled": True})
    assert changed.json()["disabled"] is not None
    assert browser.get("/api/v1/me").status_code == 401
    assert client.get("/api/v1/me").status_code == 401
    assert hub.browser().post("/api/v1/login", json={"link": link}).status_code == 401
    assert boss.post("/api/v1/links", json={"user": "ann"}).status_code == 404
    assert boss.patch("/api/v1/users/ann", json={"disabled": False}).status_code == 200
    assert client.get("/api/v1/me").status_code == 401, "its token was revoked"
    assert browser.get("/api/v1/me").status_code == 401


def test_no_token_opens_anything_for_a_disabled_user(hub: Hub) -> None:
    hub.user("ann")
    hub.directory.change("ann", {"disabled": True}, TEST)
    assert hub.client("ann").get("/api/v1/me").status_code == 401


def test_who_is_no_admin_any_more_has_no_token_of_one(hub: Hub, boss: httpx.Client) -> None:
    hub.user("ann", admin=True)
    token, browser = hub.client("ann", "admin"), hub.browser("ann")
    assert token.get("/api/v1/users").status_code == 200
    boss.patch("/api/v1/users/ann", json={"admin": False})
    assert token.get("/api/v1/users").status_code == browser.get("/api/v1/users").status_code == 403


@pytest.mark.parametrize("change", [{"admin": False}, {"disabled": True}])
def test_the_last_admin_stays(hub: Hub, boss: httpx.Client, change: Any) -> None:
    answer = boss.patch("/api/v1/users/boss", json=change)
    assert answer.status_code == 409
    assert "is the only admin" in error_of(answer)["message"]
    hub.user("ann", admin=True)
    assert boss.patch("/api/v1/users/boss", json=change).status_code == 200


def test_another_password_needs_the_old_one_and_ends_other_sessions(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    one, other = hub.browser("ann"), hub.browser("ann")
    path = "/api/v1/users/ann/password"
    wrong = one.put(path, json={"new": NEW, "old": "guess"})
    assert wrong.status_code == 403
    assert "old" in error_of(wrong)["fields"]
    assert one.put(path, json={"new": "short", "old": PASSWORD}).status_code == 422
    assert one.put(path, json={"new": NEW, "old": PASSWORD}).status_code == 204
    assert one.get("/api/v1/me").status_code == 200
    assert other.get("/api/v1/me").status_code == 401
    assert hub.log_in(hub.browser(), "ann", PASSWORD).status_code == 401
    assert hub.log_in(hub.browser(), "ann", NEW).status_code == 200


def test_guesses_of_the_old_password_are_bounded(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    hub.accounts.guard = Guard(lambda: 7.0)  # hashes take their time
    browser = hub.browser("ann")
    wrong = {"new": NEW, "old": "guess"}
    statuses = [browser.put("/api/v1/users/ann/password", json=wrong).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_users_change_what_is_theirs_and_nothing_else(hub: Hub) -> None:
    hub.user("ann")
    ann = hub.client("ann")
    assert ann.patch("/api/v1/users/ann", json={"email": "ann@x"}).json()["email"] == "ann@x"
    answer = ann.patch("/api/v1/users/ann", json={"admin": True})
    assert answer.status_code == 422
    assert "admin" in error_of(answer)["fields"]


def test_group_members_see_what_is_shared_and_change_nothing_of_it(hub: Hub) -> None:
    for name in ("ann", "bob", "eve"):
        hub.user(name)
    hub.group("team", ["ann", "bob"])
    ann, bob, eve = (hub.client(name) for name in ("ann", "bob", "eve"))
    (shared,) = hub.world.submit(ann, groups=["team"])
    (private,) = hub.world.submit(ann)
    hub.world.ended(shared)
    assert bob.get(f"/api/v1/jobs/{shared}").status_code == 200
    assert bob.get(f"/api/v1/jobs/{shared}/logs/stdout").text == "hello\n"
    assert bob.get(f"/api/v1/jobs/{private}").status_code == 404
    assert eve.get(f"/api/v1/jobs/{shared}").status_code == 404
    assert bob.post(f"/api/v1/jobs/{shared}/retry").status_code == 403
    hub.directory.remove_member(ROOT, "team", "bob", TEST)
    assert bob.get(f"/api/v1/jobs/{shared}").status_code == 404, "at once"


def test_what_is_always_shared_goes_without_saying(hub: Hub) -> None:
    hub.user("ann")
    hub.user("bob")
    hub.group("team", ["ann", "bob"])
    hub.group("others")
    ann, bob = hub.client("ann"), hub.client("bob")
    refused = ann.patch("/api/v1/users/ann", json={"autoshare": ["others"]})
    assert refused.status_code == 422
    assert ann.patch("/api/v1/users/ann", json={"autoshare": ["team"]}).status_code == 200
    (shared,) = hub.world.submit(ann)
    (private,) = hub.world.submit(ann, groups=[])
    assert bob.get(f"/api/v1/jobs/{shared}").status_code == 200
    assert bob.get(f"/api/v1/jobs/{private}").status_code == 404


@pytest.mark.parametrize("groups", ["team", [1], ["others"], ["none"], ["x"] * 101])
def test_jobs_are_shared_with_groups_of_ones_own_only(hub: Hub, groups: Any) -> None:
    hub.user("ann")
    hub.group("others")
    body = {"job_specs": [{"name": "example"}], "groups": groups}
    answer = hub.client("ann").post("/api/v1/submissions", json=body)
    assert answer.status_code == 422
    assert "groups" in error_of(answer)["fields"]


def test_a_manager_keeps_a_group_and_a_member_may_go(hub: Hub, boss: httpx.Client) -> None:
    for name in ("ann", "bob", "eve"):
        hub.user(name)
    assert boss.post("/api/v1/groups", json={"id": "team", "title": "T"}).status_code == 201
    assert boss.post("/api/v1/groups", json={"id": "team"}).status_code == 409
    hub.directory.put_member(ROOT, Member("team", "ann", True), TEST)
    ann, bob = hub.client("ann"), hub.client("bob")
    assert ann.put("/api/v1/groups/team/members/bob", json={}).status_code == 204
    assert ann.put("/api/v1/groups/team/members/nobody", json={}).status_code == 404
    assert bob.put("/api/v1/groups/team/members/eve", json={}).status_code == 403
    members = bob.get("/api/v1/groups/team").json()["members"]
    assert members == [{"user": "ann", "manager": True}, {"user": "bob", "manager": False}]
    assert bob.delete("/api/v1/groups/team/members/bob").status_code == 204
    assert bob.get("/api/v1/groups/team").status_code == 404
    assert boss.delete("/api/v1/groups/team").status_code == 204
    assert ann.get("/api/v1/groups").json()["items"] == []


def test_lists_come_in_pages(hub: Hub, boss: httpx.Client) -> None:
    for number in range(5):
        hub.user(f"u{number}")
        hub.group(f"g{number}")
    for path, key in (
        ("/api/v1/users", "name"),
        ("/api/v1/groups", "id"),
        ("/api/v1/audit", "seq"),
    ):
        whole = [one[key] for one in boss.get(path, params={"limit": 1000}).json()["items"]]
        found: list[Any] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = boss.get(path, params=query).json()
            found += [one[key] for one in page["items"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert found == whole
        assert len(found) >= 5


def test_the_audit_log_says_who_did_what_on_what_and_from_where(
    hub: Hub, boss: httpx.Client
) -> None:
    boss.post("/api/v1/users", json={"name": "ann", "password": PASSWORD})
    ann = hub.client("ann")
    (job,) = hub.world.submit(ann)
    hub.world.ended(job)
    ann.post(f"/api/v1/jobs/{job}/retry")
    made = ann.post("/api/v1/tokens", json={"scopes": ["read"], "label": "ci"}).json()
    ann.delete(f"/api/v1/tokens/{made['id']}")
    found = hub.world.store.job(job)
    assert found is not None
    boss.patch("/api/v1/users/ann", json={"email": "ann@x", "disabled": True})
    items = boss.get("/api/v1/audit").json()["items"]
    assert {one["address"] for one in items} >= {"127.0.0.1"}
    assert [(one["who"], one["action"], one["object"]) for one in items][:6] == [
        ("boss", "user.change", "ann"),
        ("ann", "token.revoke", made["id"]),
        ("ann", "token.create", made["id"]),
        ("ann", "job.retry", job),
        ("ann", "submission.create", found.submission_id),
        ("boss", "user.create", "ann"),
    ]
    assert items[0]["detail"] == {"email": "…", "disabled": True}
    assert PASSWORD not in str(items)
    assert made["token"] not in str(items)
    only = boss.get("/api/v1/audit", params={"user": "ann", "action": "job.retry"}).json()
    assert len(only["items"]) == 1


def test_what_failed_is_not_said_to_have_been_done(hub: Hub) -> None:
    hub.user("ann")
    ann = hub.client("ann")
    ann.post("/api/v1/submissions", json={"job_specs": []})
    ann.post("/api/v1/jobs/1/cancel")
    assert [what for _, what, _ in hub.audited()] == ["user.create"]


def test_a_person_without_a_session_is_led_to_the_page_to_log_in(hub: Hub) -> None:
    browser = hub.browser()
    answer = browser.get("/docs?x=1&y=2", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Fdocs%3Fx%3D1%26y%3D2"
    assert browser.get("/docs").status_code == 401
    assert browser.post("/api/v1/logout", headers={"Accept": "text/html"}).status_code == 401


def test_a_group_of_the_same_name_sees_nothing_of_the_one_that_was_removed(hub: Hub) -> None:
    for name in ("ann", "bob"):
        hub.user(name)
    hub.group("team", ["ann"])
    hub.directory.change("ann", {"autoshare": ["team"]}, TEST)
    ann = hub.client("ann")
    (job,) = hub.world.submit(ann)
    run = finished(hub, "ann", ["team"])
    ann.post("/api/v1/tables/db/read/rows", json={"ms": 1}).raise_for_status()
    ann.patch("/api/v1/tables/db/read", json={"groups": ["team"]}).raise_for_status()
    places = [f"/api/v1/jobs/{job}", f"/api/v1/artifacts/{run}", "/api/v1/tables/db/read"]
    hub.directory.put_member(ROOT, Member("team", "bob", manager=False), TEST)
    assert [hub.client("bob").get(place).status_code for place in places] == [200] * 3
    hub.directory.remove_group("team", TEST)
    hub.group("team", ["bob", "ann"])
    assert [hub.client("bob").get(place).status_code for place in places] == [404] * 3
    (later,) = hub.world.submit(ann)
    assert hub.client("bob").get(f"/api/v1/jobs/{later}").status_code == 404
    assert [ann.get(place).status_code for place in places] == [200] * 3
