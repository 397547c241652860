"""Groups, as browsers without scripts see and change them."""

from __future__ import annotations

import httpx
import pytest

from tests.hub.hub_world import Hub
from tests.hub.pages.test_account_pages import beside, sent


@pytest.fixture
def boss(hub: Hub) -> httpx.Client:
    hub.user("boss", admin=True)
    return hub.browser("boss")


def test_an_admin_makes_a_group_and_a_manager_fills_it(hub: Hub, boss: httpx.Client) -> None:
    for name in ("ann", "bob"):
        hub.user(name)
    made = sent(boss, "/groups", id="team", title="The <team>", join="yes")
    assert (made.status_code, made.headers["Location"]) == (303, "/groups/team?done=made")
    assert sent(boss, "/groups/team/members", user="ann", manager="yes").status_code == 303
    ann = hub.browser("ann")
    assert "The &lt;team&gt;" in ann.get("/groups").text
    assert sent(ann, "/groups/team/members", user=" bob ").status_code == 303
    bob = hub.browser("bob")
    shown = bob.get("/groups/team").text
    assert [name in shown for name in ("boss", "ann", "bob")] == [True] * 3
    assert "Take out" not in shown
    assert sent(bob, "/groups/team/members", user="bob", manager="yes").status_code == 403
    assert sent(ann, "/groups/team/members/boss/remove").status_code == 303
    left = sent(bob, "/groups/team/members/bob/remove")
    assert left.headers["Location"] == "/groups?done=left"
    assert bob.get("/groups/team").status_code == 404
    assert sent(ann, "/groups/team/title", title="Harbour").status_code == 303
    assert "<h1>Harbour</h1>" in ann.get("/groups/team").text


def test_mistakes_are_beside_their_fields(hub: Hub, boss: httpx.Client) -> None:
    hub.user("annabel")
    for name, said in (("Team A", "is no name"), ("", "is no name"), ("x" * 64, "63")):
        answer = sent(boss, "/groups", id=name, title="kept")
        assert answer.status_code == 422
        assert said in beside(answer.text, "id")
        assert 'value="kept"' in answer.text
    hub.group("team", managers=["boss"])
    taken = sent(boss, "/groups", id="team")
    assert taken.status_code == 409
    assert "already" in beside(taken.text, "id")
    absent = sent(boss, "/groups/team/members", user="annabell")
    assert absent.status_code == 422
    assert "annabel" in beside(absent.text, "user").replace("annabell", "")


def test_managers_are_not_told_the_names_of_others(hub: Hub) -> None:
    hub.user("annabel")
    hub.user("ann")
    hub.group("team", managers=["ann"])
    answer = sent(hub.browser("ann"), "/groups/team/members", user="annabell")
    assert answer.status_code == 422
    assert "annabel" not in answer.text.replace("annabell", "")


def test_only_admins_make_and_remove_groups(hub: Hub, boss: httpx.Client) -> None:
    hub.user("ann")
    hub.group("team", managers=["ann"])
    ann = hub.browser("ann")
    assert "New group" not in ann.get("/groups").text
    assert sent(ann, "/groups", id="mine").status_code == 403
    assert sent(ann, "/groups/team/remove").status_code == 403
    assert sent(boss, "/groups/team/remove").status_code == 303
    assert ann.get("/groups/team").status_code == 404


def test_what_one_submits_is_shared_from_the_page(hub: Hub) -> None:
    for name in ("ann", "bob"):
        hub.user(name)
    hub.group("team", ["ann", "bob"])
    ann, bob = hub.browser("ann"), hub.client("bob")
    assert sent(ann, "/account/autoshare", group="team").status_code == 303
    (job,) = hub.world.submit(hub.client("ann"))
    assert bob.get(f"/api/v1/jobs/{job}").status_code == 200
    assert sent(ann, "/account/autoshare").status_code == 303
    (private,) = hub.world.submit(hub.client("ann"))
    assert bob.get(f"/api/v1/jobs/{private}").status_code == 404
    assert sent(ann, "/account/autoshare", group="others").status_code == 422
