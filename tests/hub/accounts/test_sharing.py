"""A submission and who sees it are in two databases: whatever happens between the two writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from projects.hub.accounts.sharing import Sharing
from tests.hub.hub_world import Hub


class Stopped(RuntimeError):
    """The server was killed here: nothing of what would have followed was done."""


def stopping(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Return `function` on whose way, before it or after it, the server is stopped."""

    def stop(*args: Any, **more: Any) -> Any:
        if after:
            function(*args, **more)
        raise Stopped

    return stop


@pytest.mark.parametrize(
    ("place", "after", "kept"),
    [
        ("sharing", False, False),
        ("sharing", True, False),
        ("store", False, False),
        ("store", True, True),
    ],
)
def test_a_submission_is_never_there_without_those_who_see_it(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, place: str, after: bool, kept: bool
) -> None:
    for name in ("ann", "bob"):
        hub.user(name)
    hub.group("team", ["ann", "bob"])
    ann, bob = hub.client("ann"), hub.client("bob")
    owner, name = {
        "sharing": (Sharing, "share_submission"),
        "store": (hub.world.store, "submit"),
    }[place]
    body = {"job_specs": [{"name": "example"}], "groups": ["team"]}
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stopping(getattr(owner, name), after=after))
        assert ann.post("/api/v1/submissions", json=body).is_server_error
    found = ann.get("/api/v1/submissions").json()["items"]
    assert len(found) == kept
    for one in found:
        answer = bob.get(f"/api/v1/submissions/{one['id']}")
        assert answer.status_code == httpx.codes.OK


def test_what_is_refused_leaves_nothing_behind(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.user("ann")
    hub.group("team", ["ann"])
    shared: list[str] = []
    monkeypatch.setattr(Sharing, "share_submission", lambda _, id_, __: shared.append(id_))
    body = {"job_specs": [{"name": "absent"}], "groups": ["team"]}
    assert hub.client("ann").post("/api/v1/submissions", json=body).status_code == 422
    assert shared == []
