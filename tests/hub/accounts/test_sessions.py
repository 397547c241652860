"""Sessions: begun by passwords and links, ended at once, and useless to other sites."""

from __future__ import annotations

import httpx
import pytest

from projects.hub.accounts import sessions, values
from projects.hub.accounts.login_routes import local_path
from tests.hub.hub_world import PASSWORD, TEST, Hub, later


def test_a_password_begins_a_session_and_log_out_ends_it(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    browser = hub.browser()
    answer = hub.log_in(browser, "ann")
    assert answer.status_code == 200
    assert answer.json()["user"]["name"] == "ann"
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie, "it came by HTTP"
    stolen = hub.browser()
    stolen.cookies = httpx.Cookies(browser.cookies)
    assert stolen.get("/api/v1/me").json()["name"] == "ann"
    assert browser.post("/api/v1/logout").status_code == 204
    assert stolen.get("/api/v1/me").status_code == 401, "at once, although it was remembered"
    assert ("ann", "login", "ann") in hub.audited()
    assert ("ann", "logout", "ann") in hub.audited()


def test_behind_a_proxy_with_https_the_cookie_is_secure(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    host = hub.address.removeprefix("http://")
    browser = hub.browser()
    browser.headers["Origin"] = f"https://{host}"
    assert "Secure" in hub.log_in(browser, "ann").headers["set-cookie"]


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong password"), ("bob", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    hub: Hub, name: str, password: str
) -> None:
    hub.user("ann", password=PASSWORD)
    answer = hub.log_in(hub.browser(), name, password)
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "the name or the password is wrong"
    assert "set-cookie" not in answer.headers
    assert ("", "login.failed", name) in hub.audited()


def test_users_without_a_password_and_disabled_ones_do_not_get_in(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    hub.user("bob")
    hub.directory.change("ann", {"disabled": True}, TEST)
    assert hub.log_in(hub.browser(), "ann").status_code == 401
    assert hub.log_in(hub.browser(), "bob", "").status_code == 401


def test_a_form_leads_on_to_a_place_of_ours_and_a_failure_back(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    browser = hub.browser()
    fields = {"name": "ann", "password": PASSWORD, "next": "/jobs?state=queued"}
    answer = browser.post("/api/v1/login", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs?state=queued")
    assert browser.get("/api/v1/me").json()["name"] == "ann"
    failed = hub.browser().post("/api/v1/login", data=fields | {"password": "x"})
    assert failed.headers["location"] == "/login?failed=password&next=%2Fjobs%3Fstate%3Dqueued"


@pytest.mark.parametrize(
    "text", ["", "jobs", "//evil.example", "/\\evil.example", "https://e/", "/a\r\nb", "/a\\b"]
)
def test_no_log_in_leads_to_another_site(text: str) -> None:
    assert local_path(text) == "/"


def test_a_link_works_once(hub: Hub) -> None:
    hub.user("ann")
    secret = hub.accounts.make_link("ann", TEST)
    page = hub.browser().get("/login", params={"link": secret})
    assert secret in page.text
    browser = hub.browser()
    answer = browser.post("/api/v1/login", data={"link": secret})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/api/v1/me").json()["name"] == "ann"
    again = hub.browser().post("/api/v1/login", json={"link": secret})
    assert again.status_code == 401


def test_a_link_is_too_old_at_some_time(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.user("ann")
    secret = hub.accounts.make_link("ann", TEST)
    later(monkeypatch, 3601)
    assert hub.browser().post("/api/v1/login", json={"link": secret}).status_code == 401


def test_the_first_link_makes_the_first_user_an_admin(hub: Hub) -> None:
    (line,) = hub.world.app.state.greetings[0](hub.address, False)
    secret = line.partition("link=")[2].partition(" ")[0]
    browser = hub.browser()
    assert browser.post("/api/v1/login", json={"link": secret}).status_code == 200
    assert browser.get("/api/v1/me").json()["scopes"] == ["admin"]
    (after,) = hub.world.app.state.greetings[0](hub.address, False)
    assert "link=" not in after, "others may read what a server prints that they reach"
    (local,) = hub.world.app.state.greetings[0](hub.address, True)
    assert "link=" in local


def test_a_session_ends_when_nothing_comes_and_in_any_case(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.user("ann")
    browser = hub.browser("ann")
    ten_hours = 10 * 3600
    for _ in range(71):
        later(monkeypatch, ten_hours)
        assert browser.get("/api/v1/me").status_code == 200
    later(monkeypatch, ten_hours)
    assert browser.get("/api/v1/me").status_code == 401, "30 days"
    idle = hub.browser("ann")
    later(monkeypatch, values.IDLE / 1e6)
    assert idle.get("/api/v1/me").status_code == 401
    assert hub.accounts.sessions_of("ann") == []


@pytest.mark.parametrize(
    ("headers", "opens"),
    [
        ({}, True),
        ({"X-CSRF-Token": "0" * 64}, False),
        ({"X-CSRF-Token": "é".encode()}, False),
        ({"X-CSRF-Token": ""}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
    ],
)
def test_a_session_changes_things_only_from_our_pages(
    hub: Hub, headers: dict[str, str], opens: bool
) -> None:
    hub.user("ann")
    browser = hub.browser("ann")
    answer = browser.patch("/api/v1/users/ann", json={"full_name": "Ann"}, headers=headers)
    assert (answer.status_code == 200) == opens
    assert answer.status_code in (200, 403)


def test_without_any_word_of_where_it_comes_from_a_cookie_changes_nothing(hub: Hub) -> None:
    hub.user("ann")
    browser = hub.browser("ann")
    del browser.headers["Origin"]
    assert browser.post("/api/v1/logout").status_code == 403


def test_a_form_proves_itself_with_a_field(hub: Hub) -> None:
    hub.user("ann")
    browser = hub.browser("ann")
    token = browser.headers.pop("X-CSRF-Token")
    assert browser.post("/api/v1/logout", data={"csrf_token": "no"}).status_code == 403
    assert browser.post("/api/v1/logout", data={"csrf_token": token}).status_code == 303


def test_another_site_logs_nobody_in(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    browser = hub.browser()
    browser.headers["Origin"] = "https://evil.example"
    assert hub.log_in(browser, "ann").status_code == 403


def test_a_browser_of_ones_own_is_logged_out_from_another(hub: Hub) -> None:
    hub.user("ann")
    one, other = hub.browser("ann"), hub.browser("ann")
    listed = {s["id"]: s["current"] for s in one.get("/api/v1/sessions").json()["items"]}
    (theirs,) = [id_ for id_, current in listed.items() if not current]
    assert one.delete(f"/api/v1/sessions/{theirs}").status_code == 204
    assert other.get("/api/v1/me").status_code == 401
    assert one.get("/api/v1/me").status_code == 200


def test_neither_secret_nor_password_is_kept_or_logged(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    hub.user("ann", password=PASSWORD)
    browser = hub.browser()
    hub.log_in(browser, "ann")
    link = hub.accounts.make_link("ann", TEST)
    (secret,) = browser.cookies.values()
    hub.accounts.database.sync()
    for path in hub.world.data.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for text in (PASSWORD, secret, link, sessions.csrf_of(secret)):
                assert text.encode() not in data, path
    said = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("http")
    )
    assert secret not in said
    assert PASSWORD not in said


def test_servers_on_one_machine_do_not_share_a_cookie(hub: Hub) -> None:
    hub.user("ann")
    (name,) = hub.browser("ann").cookies.keys()
    assert name.endswith(hub.address.rpartition(":")[2])


def test_a_stream_ends_with_the_session_that_opened_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.jobs.http.streams.LOOKS", 0.0)
    hub.user("ann")
    browser = hub.browser("ann")
    with browser.stream("GET", "/api/v1/events") as stream:
        pieces = stream.iter_raw()
        next(pieces)
        next(pieces)
        other = hub.browser()
        other.cookies, other.headers = browser.cookies, browser.headers
        assert other.post("/api/v1/logout").status_code == 204
        assert len(list(pieces)) <= 3, "what was under way, and the end"


def test_behind_a_proxy_for_https_links_and_cookies_are_for_https(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    hub.user("boss", admin=True)
    browser = hub.browser()
    browser.headers["X-Forwarded-Proto"] = "https"
    cookie = hub.log_in(browser, "ann").headers["Set-Cookie"]
    assert "Secure" in cookie
    boss = hub.client("boss", "admin")
    boss.headers["X-Forwarded-Proto"] = "https"
    assert boss.post("/api/v1/links", json={}).json()["url"].startswith("https://")
    page = hub.browser("boss")
    page.headers["X-Forwarded-Proto"] = "https"
    csrf = {"csrf_token": page.headers["X-CSRF-Token"]}
    made = page.post("/admin/users", data={"name": "eve", **csrf}).text
    assert f"https://{hub.address.partition('://')[2]}/login?link=" in made
