"""What one wants to be told, as a browser without scripts says it."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.hub.hub_world import Hub
from tests.hub.notifications.listeners import Heard
from tests.hub.notifications.test_routes import hub, web
from tests.hub.pages.test_account_pages import beside

__all__ = ["hub", "web"]


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    return hub.browser("ann")


def sent(browser: httpx.Client, path: str, **fields: str | list[str]) -> httpx.Response:
    return browser.post(path, data={**fields, "csrf_token": browser.headers["X-CSRF-Token"]})


def form(web: Heard, **more: str | list[str]) -> dict[str, str | list[str]]:
    wanted: dict[str, str | list[str]] = {
        "channel": "webhook",
        "target": f"{web.url}/secret",
        "on": ["failed", "slower"],
    }
    return {**wanted, "pattern": "disk_*", "name": "<night>", "shared": "", **more}


def test_a_rule_is_made_tried_paused_and_removed(hub: Hub, ann: httpx.Client, web: Heard) -> None:
    made = sent(ann, "/notifications", **form(web, shared="yes"))
    assert made.status_code == 200
    secret = re.search(r'id="secret" tabindex="0">([\w-]+)<', made.text)
    assert secret is not None
    (rule,) = ann.get("/api/v1/notifications/rules").json()["items"]
    assert (rule["on"], rule["pattern"], rule["shared"]) == (["failed", "slower"], "disk_*", True)
    number = rule["number"]
    page = ann.get("/notifications").text
    assert "&lt;night&gt;" in page
    assert secret[1] not in page
    assert "/secret" not in page
    assert sent(ann, f"/notifications/{number}/test").status_code == 303
    hub.world.until(lambda: "badge success" in ann.get("/notifications").text)
    assert json.loads(web.requests[0][2])["event"] == "test"
    assert 'hx-trigger="every 2s"' not in ann.get("/notifications").text
    assert sent(ann, f"/notifications/{number}/active").status_code == 303
    assert "paused" in ann.get("/notifications").text
    assert sent(ann, f"/notifications/{number}/active", active="yes").status_code == 303
    assert "paused" not in ann.get("/notifications").text
    assert sent(ann, f"/notifications/{number}/remove").status_code == 303
    assert "Nothing yet: make a rule." in ann.get("/notifications").text
    said = hub.audited()
    assert ("ann", "notification_rule.create", f"{number}") in said
    assert ("ann", "notification_rule.delete", f"{number}") in said


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"target": "nowhere"}, "target", "https://example.com/hook"),
        ({"target": ""}, "target", "say where to"),
        ({"on": []}, "on", "choose at least one"),
        ({"channel": "mail"}, "channel", "the hub has no mail set up"),
        ({"pattern": "x" * 201}, "pattern", "200"),
        ({"name": "a\nb"}, "name", "match"),
    ],
)
def test_mistakes_are_beside_their_fields(
    ann: httpx.Client, web: Heard, changed: dict[str, str], field: str, said: str
) -> None:
    answer = sent(ann, "/notifications", **form(web, **changed))
    assert answer.status_code == 422
    assert said in beside(answer.text, field)
    if "on" not in changed:
        assert re.search(r'value="recovered"(?! checked)', answer.text)
        assert 'value="slower" checked' in answer.text
    assert ann.get("/api/v1/notifications/rules").json()["items"] == []


def test_what_did_not_arrive_is_told_with_the_reason(
    hub: Hub, ann: httpx.Client, web: Heard
) -> None:
    web.moods[:] = [(503, {}), (410, {})]
    sent(ann, "/notifications", **form(web))
    (rule,) = ann.get("/api/v1/notifications/rules").json()["items"]
    sent(ann, f"/notifications/{rule['number']}/test")
    hub.world.until(lambda: "answered 503" in ann.get("/notifications").text)
    page = ann.get("/notifications").text
    assert 'hx-trigger="every 2s"' in page or "abandoned" in page
    hub.world.until(lambda: "abandoned" in ann.get("/notifications").text)
    assert "answered 410" in ann.get("/notifications").text


def test_rules_of_others_are_not_there(hub: Hub, ann: httpx.Client, web: Heard) -> None:
    sent(ann, "/notifications", **form(web))
    (rule,) = ann.get("/api/v1/notifications/rules").json()["items"]
    bob = hub.browser("bob")
    assert "night" not in bob.get("/notifications").text
    for what in ("test", "active", "remove"):
        assert sent(bob, f"/notifications/{rule['number']}/{what}").status_code == 404
