"""Logging in through a provider of OpenID Connect, a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.core.errors import ConfigurationError
from projects.hub.accounts.oidc import Attempt, read_provider
from projects.hub.accounts.values import User
from tests.hub.accounts.oidc_provider import CLIENT, SECRET, OneProvider, provider
from tests.hub.hub_world import PASSWORD, TEST, Hub, served_hub


@pytest.fixture
def one() -> Iterator[OneProvider]:
    """A provider."""
    with provider() as server:
        yield server


@pytest.fixture
def settings() -> dict[str, Any]:
    """More of what the hub is told about the provider."""
    return {}


@pytest.fixture
def hub(tmp_path: Path, one: OneProvider, settings: dict[str, Any]) -> Iterator[Hub]:
    """A hub that knows the provider."""
    told = {"issuer": one.issuer, "client_id": CLIENT, "client_secret": SECRET, **settings}
    (tmp_path / "oidc.json").write_text(json.dumps(told))
    with served_hub(tmp_path, hub_oidc=str(tmp_path / "oidc.json")) as made:
        yield made


def come_back(browser: httpx.Client, onward: str = "/jobs") -> tuple[str, httpx.Response]:
    """Go to the provider and back; return the address that led back, and what it answered."""
    begun = browser.get("/login/oidc", params={"next": onward})
    assert begun.status_code == 303
    with httpx.Client() as at_provider:
        back = at_provider.get(begun.headers["location"]).headers["location"]
    return back, browser.get(back)


def test_whom_the_provider_knows_becomes_a_user_and_stays_the_same(
    hub: Hub, one: OneProvider
) -> None:
    browser = hub.browser()
    _, answer = come_back(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    me = browser.get("/api/v1/me").json()
    assert (me["name"], me["full_name"], me["email"]) == ("ann.lee", "Ann Lee", "ann@example.org")
    one.claims["preferred_username"] = "ann.miller"
    again = hub.browser()
    come_back(again)
    assert again.get("/api/v1/me").json()["name"] == "ann.lee"


def test_a_code_works_once_and_in_the_browser_that_began(hub: Hub) -> None:
    browser = hub.browser()
    back, _ = come_back(browser)
    assert "failed=provider" in browser.get(back).headers["location"]
    other = hub.browser()
    other.get("/login/oidc")
    assert "failed=provider" in other.get(back).headers["location"]
    assert "failed=provider" in hub.browser().get(back).headers["location"]
    assert other.get("/api/v1/me").status_code == 401


def test_a_code_with_another_state_is_refused(hub: Hub) -> None:
    browser = hub.browser()
    begun = browser.get("/login/oidc")
    with httpx.Client() as at_provider:
        back = at_provider.get(begun.headers["location"]).headers["location"]
    assert "failed=provider" in browser.get(f"{back}x").headers["location"]
    assert "failed" not in browser.get(back).headers["location"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": 1},
        {"exp": "never"},
        {"nonce": "another"},
        {"sub": ""},
        {"sub": 42},
    ],
)
def test_what_is_not_for_this_log_in_counts_nothing(
    hub: Hub, one: OneProvider, claims: dict[str, Any]
) -> None:
    one.claims |= claims
    browser = hub.browser()
    _, answer = come_back(browser)
    assert "failed=provider" in answer.headers["location"]
    assert browser.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    ("email", "verified", "comes_in"),
    [("ann@example.org", True, True), ("ann@example.org", False, False), ("", True, False)],
)
def test_a_user_whom_an_admin_made_is_taken_over_only_with_the_same_verified_address(
    hub: Hub, one: OneProvider, email: str, verified: bool, comes_in: bool
) -> None:
    hub.directory.create(User("ann.lee", email=email, admin=True), None, TEST)
    one.claims["email_verified"] = verified
    browser = hub.browser()
    _, answer = come_back(browser)
    assert (browser.get("/api/v1/me").status_code == 200) == comes_in
    assert ("failed=unknown" in answer.headers["location"]) != comes_in


def test_a_disabled_user_does_not_come_in(hub: Hub) -> None:
    come_back(hub.browser())
    hub.directory.change("ann.lee", {"disabled": True}, TEST)
    _, answer = come_back(hub.browser())
    assert "failed=unknown" in answer.headers["location"]


@pytest.mark.parametrize("settings", [{"register": False}])
def test_nobody_becomes_a_user_where_that_is_not_wanted(hub: Hub) -> None:
    _, answer = come_back(hub.browser())
    assert "failed=unknown" in answer.headers["location"]


def test_a_provider_that_is_away_is_said(hub: Hub, one: OneProvider) -> None:
    one.issuer = "http://127.0.0.1:1"
    answer = hub.browser().get("/login/oidc")
    assert answer.headers["location"] == "/login?failed=provider"


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"issuer": "https://x"}',
        '{"issuer": "http://x.example", "client_id": "c"}',
        '{"issuer": "https://x", "client_id": 1}',
        '{"issuer": "https://x", "client_id": "c", "clientsecret": "s"}',
    ],
)
def test_a_wrong_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "oidc.json").write_text(text)
    with pytest.raises(ConfigurationError, match=r"oidc\.json"):
        read_provider(tmp_path / "oidc.json")
    assert read_provider(tmp_path / "none") is None


@pytest.mark.parametrize("text", ["", "%", "e30=", "WzFd", "é"])
def test_a_strange_cookie_is_none(text: str) -> None:
    assert Attempt.read(text) is None


def test_nobody_takes_an_account_in_which_somebody_else_has_been(hub: Hub) -> None:
    hub.directory.set_registration("open", TEST)
    wanted = {"name": "ann.lee", "password": PASSWORD, "email": "ann@example.org"}
    thief = hub.browser()
    assert thief.post("/api/v1/register", json=wanted).status_code == 201
    browser = hub.browser()
    _, answer = come_back(browser)
    assert "failed=unknown" in answer.headers["location"]
    assert browser.get("/api/v1/me").status_code == 401


def test_who_is_logged_in_takes_their_account_along(hub: Hub) -> None:
    hub.user("ann.lee", password=PASSWORD)
    hub.user("bob")
    browser = hub.browser()
    hub.log_in(browser, "ann.lee")
    come_back(browser)
    come_back(again := hub.browser())
    assert again.get("/api/v1/me").json()["name"] == "ann.lee"


def test_an_account_of_another_name_is_not_taken_along(hub: Hub) -> None:
    hub.user("ann.lee", password=PASSWORD)
    _, answer = come_back(hub.browser("bob" if hub.user("bob") else None))
    assert "failed=unknown" in answer.headers["location"]


@pytest.mark.parametrize("settings", [{"public_url": "https://hub.example"}])
def test_behind_a_proxy_for_https_the_cookies_are_for_https(hub: Hub, one: OneProvider) -> None:
    browser = hub.browser()
    begun = browser.get("/login/oidc")
    assert "Secure" in begun.headers["set-cookie"]
    with httpx.Client() as at_provider:
        back = at_provider.get(begun.headers["location"]).headers["location"]
    kept = begun.headers["set-cookie"].partition(";")[0]
    answer = browser.get(back.replace("https://hub.example", ""), headers={"Cookie": kept})
    assert "Secure" in answer.headers["set-cookie"].partition("_oidc")[0]


def test_the_log_in_page_leads_to_the_provider_and_says_what_failed(hub: Hub) -> None:
    browser = hub.browser()
    page = browser.get("/login", params={"next": "/jobs?a=b&c"}).text
    assert '/login/oidc?next=/jobs%3Fa%3Db%26c"' in page
    for failed, said in (("provider", "try again"), ("unknown", "ask an admin")):
        assert said in browser.get("/login", params={"failed": failed}).text
