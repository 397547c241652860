"""What admins see and do on their page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.artifacts.values import File, Wanted
from tests.hub.hub_world import TEST, Hub, served_hub
from tests.hub.pages.test_account_pages import beside, sent

MIB = 1 << 20


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub with quotas, as the command line sets them."""
    with served_hub(
        tmp_path, hub_quota=8 * MIB, user_quota=2 * MIB, keep_artifacts_days=90.0
    ) as made:
        made.user("ann")
        made.user("boss", admin=True)
        yield made


@pytest.fixture
def boss(hub: Hub) -> httpx.Client:
    return hub.browser("boss")


def announce(hub: Hub, owner: str, size: int) -> None:
    artifacts: Artifacts = hub.world.app.state.artifacts
    artifacts.begin(owner, Wanted("runs/1"), [File(b"a", size, b"x" * 32, 0)])


def test_what_is_kept_is_shown_beside_what_may_be(hub: Hub, boss: httpx.Client) -> None:
    announce(hub, "ann", 3 * MIB // 2)
    page = boss.get("/admin").text
    assert "1.5 MiB of 8.0 MiB kept" in page
    assert "runs go after 90 days, but the newest 10 of a project stay" in page
    assert 'aria-label="kept by ann"' in page
    account = hub.browser("ann").get("/account").text
    assert "1.5 MiB kept of 2.0 MiB" in account
    assert boss.get("/api/v1/artifact-quotas").json() == {
        "bytes": 3 * MIB // 2,
        "quota": 8 * MIB,
        "items": [{"user": "ann", "bytes": 3 * MIB // 2, "quota": 2 * MIB}],
    }


def test_an_export_beyond_a_quota_is_refused_with_the_figures(hub: Hub) -> None:
    files = [{"path": "a", "size": 3 * MIB, "sha256": "0" * 64, "mtime": ""}]
    answer = hub.client("ann").post("/api/v1/artifacts", json={"place": "runs/1", "files": files})
    assert answer.status_code == 413
    assert f"ann may keep {2 * MIB} bytes" in answer.text


def test_a_user_gets_a_quota_of_their_own_and_that_of_all_again(
    hub: Hub, boss: httpx.Client
) -> None:
    def quota() -> object:
        return boss.get("/api/v1/artifact-quotas/ann").json()["quota"]

    assert sent(boss, "/admin/quotas", user="ann", quota="5MiB").status_code == 303
    assert quota() == 5 * MIB
    assert sent(boss, "/admin/quotas", user="ann", quota="none").status_code == 303
    assert quota() is None
    assert sent(boss, "/admin/quotas", user="ann", quota="").status_code == 303
    assert quota() == 2 * MIB
    assert ("boss", "quota.change", "ann") in hub.audited()
    wrong = sent(boss, "/admin/quotas", user="ann", quota="lots")
    assert (wrong.status_code, "is not a size" in beside(wrong.text, "quota")) == (422, True)
    absent = sent(boss, "/admin/quotas", user="anne", quota="1MiB")
    assert "ann" in beside(absent.text, "user").replace("anne", "")
    assert sent(hub.browser("ann"), "/admin/quotas", user="ann", quota="none").status_code == 403


def test_a_name_that_is_none_is_said_beside_the_field(boss: httpx.Client) -> None:
    answer = sent(boss, "/admin/users", name="Bob Lee", full_name="Bob <Lee>")
    assert answer.status_code == 422
    assert "is no name" in beside(answer.text, "name")
    assert 'value="Bob &lt;Lee&gt;"' in answer.text


def test_no_link_is_made_for_who_is_disabled_nor_a_user_of_a_strange_name(hub: Hub) -> None:
    hub.user("eve")
    hub.directory.change("eve", {"disabled": True}, TEST)
    boss = hub.browser("boss")
    csrf = {"csrf_token": boss.headers["X-CSRF-Token"]}
    answer = boss.post("/admin/users", data={"name": "eve", **csrf})
    assert answer.status_code == 422
    assert "eve is disabled" in answer.text
    assert "link=" not in answer.text
    for full_name in ("x" * 201, "a\tb"):
        answer = boss.post("/admin/users", data={"name": "mallory", "full_name": full_name, **csrf})
        assert answer.status_code == 422
    assert hub.accounts.user("mallory") is None
