"""Satellites register by heartbeats, and are offline when those stop."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.hub.sites.remote import RemoteSite
from projects.hub.sites.satellites import SILENCE
from projects.jobs.model import moment
from projects.satellite.registration.registration import Registration
from tests.hub.hub_world import Hub, later
from tests.jobs.http.puppets import World, served

SAID = {"nickname": "lab-1", "url": "http://lab-1:8001", "version": "1", "tools": ["sort"]}


def test_a_satellite_registers_as_it_does_by_itself(hub: Hub) -> None:
    hub.user("sat")
    token = hub.world.token("sat", ["satellite"])
    registration = Registration(hub.address, lambda: SAID, token)
    registration.beat()
    assert registration.state.problem == ""
    (found,) = hub.client("sat", "read").get("/api/v1/satellites").json()["items"]
    assert (found["nickname"], found["online"], found["tools"]) == ("lab-1", True, ["sort"])


def test_silence_is_offline_since_the_last_heartbeat(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hub.client("sat", "satellite")
    seen = client.post("/api/v1/satellites", json=SAID).json()["seen"]
    later(monkeypatch, SILENCE / moment.SECOND + 1)
    reader = hub.client("ann", "read")
    (found,) = reader.get("/api/v1/satellites").json()["items"]
    assert (found["online"], found["since"]) == (False, seen)
    back = client.post("/api/v1/satellites", json=SAID).json()
    assert back["online"]
    assert back["since"] > seen


def test_nobody_takes_over_a_nickname(hub: Hub) -> None:
    hub.client("sat", "satellite").post("/api/v1/satellites", json=SAID).raise_for_status()
    other = hub.client("mallory", "satellite")
    assert other.post("/api/v1/satellites", json=SAID).status_code == 409
    own = {**SAID, "nickname": "nick"}
    assert other.post("/api/v1/satellites", json=own).status_code == 400


def test_a_credential_is_shown_to_nobody_and_is_for_one_address(hub: Hub) -> None:
    client = hub.client("sat", "satellite")
    text = client.post("/api/v1/satellites", json={**SAID, "token": "tg_very-secret"}).text
    assert "very-secret" not in text
    kept = hub.world.app.state.sites.satellites
    assert kept.credential("lab-1") == "tg_very-secret"
    client.post("/api/v1/satellites", json=SAID).raise_for_status()
    assert kept.credential("lab-1") == "tg_very-secret"
    client.post("/api/v1/satellites", json={**SAID, "url": "http://evil:1"}).raise_for_status()
    assert kept.credential("lab-1") == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nickname": "a/b"}, "nickname"),
        ({"nickname": ""}, "nickname"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://user:secret@lab"}, "url"),
        ({"url": "http://lab:port"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "http://[::ffff:169.254.169.254]"}, "url"),
        ({"url": "http://[fe80::1%25eth0]:8001"}, "url"),
        ({"url": "http://2852039166"}, "url"),
        ({"url": "http://0xa9fea9fe"}, "url"),
        ({"url": "http://0.0.0.0:8001"}, "url"),
        ({"url": "http://lab\r\nHost: evil"}, "url"),
        ({"url": "http://lab/?x="}, "url"),
        ({"tools": "sort"}, "tools"),
        ({"tools": ["../sort"]}, "tools"),
        ({"version": 7}, "version"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_told_by_field(hub: Hub, change: dict[str, Any], field: str) -> None:
    answer = hub.client("sat", "satellite").post("/api/v1/satellites", json={**SAID, **change})
    assert answer.status_code == 422
    assert set(answer.json()["error"]["fields"]) == {field}


def test_many_heartbeats_at_once_are_one_satellite(hub: Hub) -> None:
    clients = [hub.client("sat", "satellite") for _ in range(8)]
    threads = [
        threading.Thread(target=client.post, args=("/api/v1/satellites",), kwargs={"json": SAID})
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hub.client("ann", "read").get("/api/v1/satellites").json()["items"]) == 1


def test_jobs_of_a_satellite_are_seen_through_the_hub(hub: Hub, tmp_path: Path) -> None:
    hub.user("ann")
    with served(tmp_path / "far", ["satellite"]) as far:
        said = {
            **SAID,
            "url": far.address,
            "tools": ["example"],
            "token": far.token("hub", ["admin"]),
        }
        hub.client("sat", "satellite").post("/api/v1/satellites", json=said).raise_for_status()
        browser = hub.browser("ann")
        form = {"site": "lab-1", "p.a": "7", "csrf_token": browser.headers["X-CSRF-Token"]}
        answer = browser.post("/submit/example", data=form)
        assert answer.status_code == 303, answer.text
        where = answer.headers["Location"]
        assert where.startswith("/satellites/lab-1/jobs/")
        found = far.ended(where.rpartition("/")[2])
        assert (found.owner, found.params) == ("ann", {"a": 7})
        assert "example" in browser.get(where).text
        assert "lab-1" in browser.get("/").text
        hub.user("bob")
        assert hub.browser("bob").get(where).status_code == 404
    assert "doesn&#39;t answer" in browser.get("/satellites/lab-1").text


def test_a_satellite_that_moves_is_in_the_audit_log(hub: Hub) -> None:
    client = hub.client("sat", "satellite")
    for url in (SAID["url"], SAID["url"], "http://elsewhere:8001", "http://elsewhere:8001"):
        client.post("/api/v1/satellites", json={**SAID, "url": url}).raise_for_status()
    noted = [what for _, action, what in hub.audited() if action == "satellite.register"]
    assert noted == ["lab-1 at http://elsewhere:8001", f"lab-1 at {SAID['url']}"]


@pytest.mark.parametrize("token", ["a b", "secr\u00e9t", "a\r\nb"])
def test_a_credential_that_no_header_holds_is_refused(hub: Hub, token: str) -> None:
    client = hub.client("sat", "satellite")
    answer = client.post("/api/v1/satellites", json={**SAID, "token": token})
    assert set(answer.json()["error"]["fields"]) == {"token"}


def register(hub: Hub, far: World, nickname: str) -> None:
    said = {"nickname": nickname, "url": far.address, "version": "1", "tools": ["example"]}
    token = far.token("hub", ["admin"])
    client = hub.client("sat", "satellite")
    client.post("/api/v1/satellites", json={**said, "token": token}).raise_for_status()


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout])
def test_one_that_dies_after_it_was_chosen_leaves_the_jobs_to_another(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[httpx.HTTPError]
) -> None:
    """Nothing has reached it: another one takes them. It may have: that is said, nobody does."""
    hub.user("ann")
    once = RemoteSite._once

    async def dies(site: RemoteSite, method: str, path: str, *rest: Any, **more: Any) -> Any:
        if (site.nickname, path) == ("a-first", "/submissions"):
            raise site._away(error("gone"), "GET" if error is httpx.ConnectError else method)
        return await once(site, method, path, *rest, **more)

    monkeypatch.setattr(RemoteSite, "_once", dies)
    hub.world.puppets.hold = True
    hub.world.submit(hub.client("ann"), 5)  # the hub's own machine is the busiest
    with served(tmp_path / "far", ["satellite"]) as far:
        register(hub, far, "a-first")
        register(hub, far, "b-second")
        browser = hub.browser("ann")
        form = {"site": "any that can", "csrf_token": browser.headers["X-CSRF-Token"]}
        answer = browser.post("/submit/example", data=form)
        taken = far.client("ann").get("/api/v1/jobs").json()["items"]
        if error is httpx.ConnectError:
            assert answer.headers["Location"].startswith("/satellites/b-second/jobs/")
            assert len(taken) == 1
        else:
            assert answer.status_code == 503
            assert "look there first whether it took what was sent" in answer.text
            assert taken == []
