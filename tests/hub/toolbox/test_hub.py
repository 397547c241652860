"""The commands of `hub`, called on a real one."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from projects.core.errors import TopgallantError, UsageError
from projects.hub.toolbox import hub as commands
from projects.jobs.http import token_files
from projects.jobs.library.client import address_of
from tests.hub.hub_world import PASSWORD, Hub

NEW = "another wrong horse"


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def as_admin(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub whose commands find the token of an admin."""
    hub.user("boss", admin=True)
    monkeypatch.setenv("TOPGALLANT_HUB", hub.address)
    address = address_of(hub.address)
    token = hub.world.token("boss", ["admin"])
    token_files.write(token_files.path_for(address.host, address.port), token)
    return hub


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def test_a_link_logs_in_once(as_admin: Hub) -> None:
    made = commands.login()
    assert made["user"] == "boss"
    browser = as_admin.browser()
    link = made["url"].partition("link=")[2]
    assert browser.post("/api/v1/login", json={"link": link}).status_code == 200


def test_a_name_and_a_password_leave_a_token_for_the_other_commands(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub.user("ann", password=PASSWORD)
    type_in(monkeypatch, PASSWORD)
    made = commands.login("ann", days=1, server=hub.address)
    assert "token" not in made
    file = Path(made["file"])
    assert file.is_relative_to(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert commands.users("show", "ann", server=hub.address)["name"] == "ann"
    assert hub.accounts.sessions_of("ann") == [], "the session was only for this"
    type_in(monkeypatch, "wrong password")
    with pytest.raises(TopgallantError, match="the name or the password is wrong"):
        commands.login("ann", server=hub.address)


def test_users_are_made_changed_and_disabled(
    as_admin: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = commands.users("add", "ann", full_name="Ann Lee")
    assert made["link"].startswith(as_admin.address)
    assert commands.users("change", "ann", email="ann@x")["email"] == "ann@x"
    assert [one["name"] for one in commands.users()] == ["ann", "boss"]
    type_in(monkeypatch, NEW)
    commands.users("password", "ann")
    assert as_admin.log_in(as_admin.browser(), "ann", NEW).status_code == 200
    assert commands.users("disable", "ann")["disabled"] is not None
    assert commands.users("enable", "ann")["disabled"] is None
    with pytest.raises(UsageError, match="which name"):
        commands.users("show")


def test_groups_are_made_joined_and_left(as_admin: Hub) -> None:
    as_admin.user("ann")
    commands.groups("add", "team", title="T")
    joined = commands.groups("join", "team", "ann", manager=True)
    assert joined["members"] == [{"user": "ann", "manager": True}]
    assert commands.groups("leave", "team", "ann")["members"] == []
    assert commands.groups("rename", "team", title="U")["title"] == "U"
    commands.groups("remove", "team")
    assert commands.groups() == []


def test_tokens_are_made_and_revoked(as_admin: Hub) -> None:
    made = commands.tokens("add", scopes=["satellite"], label="lab", owner="ann", days=None)
    assert (made["owner"], made["expires"]) == ("ann", None)
    commands.tokens("revoke", made["id"])
    listed = {one["id"]: one for one in commands.tokens()}
    assert listed[made["id"]]["revoked"] is not None
    assert [one["action"] for one in commands.audit(what=made["id"])] == [
        "token.revoke",
        "token.create",
    ]


def test_registration_is_opened(as_admin: Hub) -> None:
    assert commands.registration() == {"registration": "closed"}
    assert commands.registration("open") == {"registration": "open"}


def test_rules_of_notifications_are_made_tried_and_removed(as_admin: Hub) -> None:
    made = commands.notifications(
        "add", "webhook", "https://192.0.2.1/hook", on=["failed"], pattern="disk_*", name="night"
    )
    assert (made["number"], made["on"], made["pattern"]) == (1, ["failed"], "disk_*")
    assert made["secret"]
    assert [one["name"] for one in commands.notifications()] == ["night"]
    assert commands.notifications("test", "1")["event"] == "test"
    assert [one["rule"] for one in commands.notifications("outbox")] == [1]
    assert commands.notifications("pause", "1")["active"] is False
    assert commands.notifications("resume", "1")["active"] is True
    commands.notifications("remove", "1")
    assert commands.notifications() == []


def test_what_is_missing_of_a_rule_is_asked_for(as_admin: Hub) -> None:
    with pytest.raises(UsageError, match='unknown channel "slak"; did you mean "slack"'):
        commands.notifications("add", "slak", "https://192.0.2.1/hook")
    with pytest.raises(UsageError, match="where to"):
        commands.notifications("add", "slack")
    with pytest.raises(UsageError, match="which rule"):
        commands.notifications("test")
    with pytest.raises(TopgallantError, match="an address looks like"):
        commands.notifications("add", "slack", "nowhere")


def test_a_name_that_is_near_is_told(as_admin: Hub) -> None:
    as_admin.user("annabel")
    as_admin.group("storage", ["boss"])
    client = as_admin.client("boss", "admin")
    client.post("/api/v1/tables/db/read/rows", json={"ms": 1}).raise_for_status()
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: commands.users("show", "anabel"), "annabel"),
        (lambda: commands.users("change", "anabel", email="x"), "annabel"),
        (lambda: commands.groups("show", "storrage"), "storage"),
        (lambda: commands.groups("join", "storage", "anabel"), "annabel"),
        (lambda: commands.tables("show", "db", "reed"), "db/read"),
    ]
    for call, near in calls:
        with pytest.raises(TopgallantError, match=f'did you mean "{near}"'):
            call()


def test_names_that_one_does_not_see_are_not_told(as_admin: Hub) -> None:
    for name in ("ann", "annabel"):
        as_admin.user(name)
    as_admin.group("storage", ["annabel"])
    as_admin.client("annabel").post("/api/v1/tables/db/read/rows", json={"ms": 1})
    ann = as_admin.client("ann")
    for path in ("/users/anabel", "/groups/storrage", "/tables/db/reed"):
        answer = ann.get(f"/api/v1{path}")
        assert answer.status_code == 404
        assert "did you mean" not in answer.text


def test_a_change_of_nothing_is_asked_about(as_admin: Hub) -> None:
    with pytest.raises(UsageError, match="what is changed"):
        commands.users("change", "boss")
    with pytest.raises(UsageError, match="--days=-1: more than 0"):
        commands.tokens("add", days=-1)


def test_the_old_password_is_asked_for_only_where_it_counts(
    as_admin: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(monkeypatch, PASSWORD)  # boss has none yet
    commands.users("password", "boss")
    type_in(monkeypatch, PASSWORD, NEW)
    commands.users("password", "boss")
    assert as_admin.log_in(as_admin.browser(), "boss", NEW).status_code == 200


def test_who_logs_in_on_the_hubs_machine_leaves_its_own_access(
    as_admin: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_admin.user("ann", password=PASSWORD)
    address = address_of(as_admin.address)
    own = token_files.path_for(address.host, address.port)
    before = own.read_text()
    type_in(monkeypatch, PASSWORD)
    made = commands.login("ann")
    assert made["use"] == "TOPGALLANT_USER=ann"
    assert own.read_text() == before
    assert [one["name"] for one in commands.users()] == ["ann", "boss"], "as an admin"
    monkeypatch.setenv("TOPGALLANT_USER", "ann")
    with pytest.raises(TopgallantError, match="this needs a token with the scope admin"):
        commands.users()
    assert commands.users("show", "ann")["name"] == "ann"
    monkeypatch.setenv("TOPGALLANT_USER", "eve/../ann")
    with pytest.raises(TopgallantError, match="wants a token"):
        commands.users("show", "ann")


def test_elsewhere_who_logged_in_last_is_who_calls(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(hub.address)
    gone = token_files.path_for(address.host, address.port)
    token_files.write(gone, "tg_of-a-server-that-was-here-once")
    for at, name in enumerate(("bob", "ann")):
        hub.user(name, password=PASSWORD)
        type_in(monkeypatch, PASSWORD)
        made = commands.login(name, server=hub.address)
        assert "use" not in made
        os.utime(made["file"], (at, at))
        assert commands.users("show", name, server=hub.address)["name"] == name
    monkeypatch.setenv("TOPGALLANT_USER", "bob")
    assert commands.users("show", "bob", server=hub.address)["name"] == "bob"
