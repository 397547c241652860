"""A table's page: what its owner says of columns, and who sees it."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from projects.hub.tables import downloads
from tests.hub.hub_world import Hub

API = "/api/v1/tables/db%2Fbig/read"
PAGE = "/tables/db%2Fbig/read"


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    for name in ("ann", "bob"):
        hub.user(name)
    hub.group("team", ["ann", "bob"])
    ann = hub.browser("ann")
    rows = [{"latency": 1.5, "count": 1, "mode": "wal"}]
    ann.post(f"{API}/rows", json=rows).raise_for_status()
    return ann


def sent(browser: httpx.Client, **fields: str) -> httpx.Response:
    csrf = browser.headers["X-CSRF-Token"]
    return browser.post(f"{PAGE}/settings", data={**fields, "csrf_token": csrf})


def test_the_owner_says_which_way_is_good_and_who_sees_it(hub: Hub, ann: httpx.Client) -> None:
    assert "Nobody has said which way is good" in ann.get(PAGE).text
    answer = sent(ann, **{"better.1": "lower", "unit.1": " ms ", "group": "team"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?done=settings")
    columns = {one["name"]: one for one in ann.get(API).json()["columns"]}
    assert (columns["latency"]["better"], columns["latency"]["unit"]) == ("lower", "ms")
    assert columns["count"]["better"] is None
    page = ann.get(PAGE).text
    assert "Nobody has said which way is good" not in page
    assert "hub tables change db/big read --column=latency" in page
    bob = hub.browser("bob")
    assert "Columns and who sees them" not in bob.get(PAGE).text
    assert sent(bob, **{"better.1": "higher"}).status_code == 403
    assert sent(ann).status_code == 303
    assert bob.get(PAGE).status_code == 404


def test_one_row_is_a_row_and_several_are_rows(ann: httpx.Client) -> None:
    assert "1 row of ann" in ann.get(PAGE).text
    ann.post(f"{API}/rows", json=[{"count": "many"}]).raise_for_status()
    assert "1 row doesn't fit" in ann.get("/tables").text
    ann.post(f"{API}/rows", json=[{"count": "few"}]).raise_for_status()
    assert "2 rows don't fit" in ann.get("/tables").text
    assert "3 rows of ann" in ann.get(PAGE).text


def test_mistakes_are_beside_their_fields(ann: httpx.Client) -> None:
    answer = sent(ann, **{"unit.1": "x" * 41, "better.1": "lower"})
    assert answer.status_code == 422
    assert 'id="f-unit.1-wrong">String should have at most 40 characters<' in answer.text
    assert '<option value="lower" selected>' in answer.text
    assert sent(ann, **{"better.1": "sideways"}).status_code == 422
    assert sent(ann, group="others").status_code == 403
    assert ann.get(API).json()["columns"][0]["better"] is None


def test_parquet_is_a_link_where_it_can_be_written_and_a_command_elsewhere(
    ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = f'href="{API}/rows.parquet"'
    monkeypatch.setattr(downloads, "parquet_possible", lambda: True)
    page = ann.get(PAGE).text
    assert link in page
    assert downloads.INSTALL not in page
    monkeypatch.setattr(downloads, "parquet_possible", lambda: False)
    page = ann.get(PAGE).text
    assert link not in page
    assert downloads.INSTALL in page


def test_the_command_installs_what_a_lock_says(checkout: Path) -> None:
    lock = checkout / downloads.INSTALL.rpartition(" ")[2]
    assert lock.read_text().startswith("pyarrow==")
    (line,) = [one for one in lock.read_text().splitlines() if "==" in one]
    assert line in (checkout / "requirements-test.lock").read_text()
