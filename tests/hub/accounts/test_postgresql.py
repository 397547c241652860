"""Accounts in PostgreSQL do what they do in SQLite."""

from __future__ import annotations

from pathlib import Path

from tests.hub.hub_world import PASSWORD, TEST, served_hub


def test_accounts_are_the_same_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    with served_hub(tmp_path, hub_database=postgresql) as hub:
        hub.user("boss", admin=True)
        hub.user("ann", password=PASSWORD)
        hub.user("bob")
        hub.group("team", ["ann", "bob"], ["boss"])
        browser = hub.browser()
        assert hub.log_in(browser, "ann").status_code == 200
        body = {"job_specs": [{"name": "example"}], "groups": ["team"]}
        made = browser.post("/api/v1/submissions", json=body)
        assert made.status_code == 201
        (job,) = made.json()["job_ids"]
        assert hub.client("bob").get(f"/api/v1/jobs/{job}").status_code == 200
        link = hub.accounts.make_link("bob", TEST)
        for status in (200, 401):
            assert hub.browser().post("/api/v1/login", json={"link": link}).status_code == status
        boss = hub.client("boss", "admin")
        assert boss.patch("/api/v1/settings", json={"registration": "open"}).status_code == 200
        wanted = {"name": "eve", "password": PASSWORD}
        assert hub.browser().post("/api/v1/register", json=wanted).status_code == 201
        assert boss.patch("/api/v1/users/ann", json={"disabled": True}).status_code == 200
        assert browser.get("/api/v1/me").status_code == 401
        assert boss.patch("/api/v1/users/boss", json={"admin": False}).status_code == 409
        actions = [one["action"] for one in boss.get("/api/v1/audit").json()["items"]]
        assert actions[:4] == ["user.change", "login", "user.create", "settings.change"]
