"""Rules and the outbox through the hub: from a job or a table that goes wrong to the message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.hub.notifications.notifications import Notifications
from projects.hub.notifications.outbox import recall
from projects.hub.notifications.settings import Settings
from tests.hub.hub_world import Hub, served_hub
from tests.hub.notifications.listeners import Heard, web_server

RULES = "/api/v1/notifications/rules"
OUTBOX = "/api/v1/notifications/outbox"


@pytest.fixture
def web() -> Iterator[Heard]:
    with web_server() as heard:
        yield heard


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that may send to this machine."""
    settings = Settings("https://hub.example.com", allow_private=True)
    monkeypatch.setattr("projects.hub.app.app.read_settings", lambda _: settings)
    with served_hub(tmp_path) as made:
        for name in ("ann", "bob"):
            made.user(name)
        yield made


def rule(client: httpx.Client, web: Heard, **more: Any) -> dict[str, Any]:
    answer = client.post(RULES, json={"channel": "webhook", "target": web.url, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def told(web: Heard) -> list[tuple[str, str]]:
    found = (json.loads(body) for _, _, body in web.requests)
    return [(one["event"], one["title"]) for one in found]


def run(hub: Hub, client: httpx.Client, exit_code: int, **more: Any) -> str:
    hub.world.puppets.exit_code = exit_code
    (job,) = hub.world.submit(client, **more)
    hub.world.ended(job)
    return job


def looked(hub: Hub) -> None:
    """Let the watcher look at all that happened: a test message comes after that."""
    room: Notifications = hub.world.app.state.notifications
    store = hub.world.store

    def done() -> bool:
        with room.outbox.database.read() as connection:
            return recall(connection, "events") == str(store.last_event())

    hub.world.until(done)


def test_failed_and_recovered_are_told_and_nothing_else(hub: Hub, web: Heard) -> None:
    ann = hub.client("ann")
    rule(ann, web)
    run(hub, ann, 0)
    job = run(hub, ann, 1)
    run(hub, hub.client("bob"), 1)
    run(hub, ann, 0)
    run(hub, ann, 0)
    looked(hub)
    hub.world.until(lambda: len(web.requests) >= 2)
    assert told(web) == [("failed", "example failed"), ("recovered", "example recovered")]
    message = json.loads(web.requests[0][2])
    assert message["url"] == f"https://hub.example.com/jobs/{job}"
    assert message["data"]["outcome"] == "FAILED"
    hub.world.until(lambda: {x["state"] for x in ann.get(OUTBOX).json()["items"]} == {"delivered"})


def test_what_a_group_sees_is_told_to_members_who_want_that(hub: Hub, web: Heard) -> None:
    hub.group("team", ["ann", "bob"])
    ann, bob = hub.client("ann"), hub.client("bob")
    with web_server() as own:
        rule(ann, own)
        rule(ann, web, shared=True, pattern="exam*", on=["failed"])
        run(hub, bob, 1)
        run(hub, bob, 1, groups=["team"])
        looked(hub)
        hub.world.until(lambda: web.requests)
        assert told(web) == [("failed", "example failed")]
        assert own.requests == []


def test_a_column_that_got_worse_is_told_once(hub: Hub, web: Heard) -> None:
    ann = hub.client("ann")
    rule(ann, web, pattern="lab/disk", on=["slower"])
    path = "/api/v1/tables/lab/disk"
    rows = [{"latency": 10.0 + i % 3 / 10} for i in range(20)]
    ann.post(f"{path}/rows", json=rows).raise_for_status()
    better = {"columns": {"latency": {"better": "lower"}}}
    ann.patch(path, json=better).raise_for_status()
    for _ in range(6):
        ann.post(f"{path}/rows", json={"latency": 30.0}).raise_for_status()
    hub.world.until(lambda: web.requests)
    version = ann.post(f"{path}/rows", json={"latency": 30.0}).json()["version"]
    room: Notifications = hub.world.app.state.notifications

    def judged() -> bool:
        with room.outbox.database.read() as connection:
            kept = json.loads(recall(connection, "table:1") or "{}")
        return bool(kept.get("version") == version)

    hub.world.until(judged)
    assert told(web) == [("slower", "lab/disk: latency got worse")]
    assert json.loads(web.requests[0][2])["url"] == "https://hub.example.com/tables/lab/disk"


def test_a_server_that_starts_again_tells_what_ended_unseen_once(hub: Hub, web: Heard) -> None:
    ann = hub.client("ann")
    rule(ann, web)
    run(hub, ann, 1)
    looked(hub)
    hub.world.until(lambda: web.requests)
    room: Notifications = hub.world.app.state.notifications
    room.close()
    run(hub, ann, 1)
    again = Notifications(room.outbox.database, room.settings, room.watcher.sources)
    again.start()
    hub.world.until(lambda: len(web.requests) >= 2)
    looked(hub)
    again.close()
    assert len(web.requests) == 2


def test_secrets_and_addresses_are_shown_to_nobody(hub: Hub, web: Heard) -> None:
    ann = hub.client("ann")
    made = rule(ann, web, name="night")
    assert len(made["secret"]) > 40
    seen = ann.get(RULES).text + ann.get(f"{RULES}/{made['number']}").text
    assert made["secret"] not in seen
    assert "/hook" not in seen
    assert hub.client("bob").get(RULES).json()["items"] == []
    assert ("ann", "notification_rule.create", f"{made['number']}") in hub.audited()


def test_a_test_message_arrives_and_a_removed_rule_sends_nothing(hub: Hub, web: Heard) -> None:
    ann = hub.client("ann")
    one = f"{RULES}/{rule(ann, web)['number']}"
    assert ann.post(f"{one}/test").status_code == 202
    hub.world.until(lambda: told(web) == [("test", "A test from Topgallant")])
    changed = ann.patch(one, json={"on": ["slower"], "active": False}).json()
    assert (changed["on"], changed["active"]) == (["slower"], False)
    assert ann.delete(one).status_code == 204
    assert ann.get(one).status_code == 404
    assert ann.get(OUTBOX).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"channel": "mail", "target": "ann@example.com"}, "the hub has no mail set up"),
        ({"channel": "webhook", "target": "ftp://example.com"}, "looks like"),
        ({"channel": "webhook", "target": "http://a:b@example.com"}, "looks like"),
        ({"channel": "webhook", "target": "http://example.com:x/"}, "looks like"),
        ({"channel": "slack", "target": "http://a", "on": ["never"]}, "on.0"),
        ({"channel": "slack", "target": "http://a", "patern": "*"}, "pattern"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_reason(hub: Hub, body: Any, said: str) -> None:
    answer = hub.client("ann").post(RULES, json=body)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]
