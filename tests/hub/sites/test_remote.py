"""What is told of satellites that are away, break off, or hand over the wrong credential."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.core.secrets.masking import mask
from projects.hub.sites import calling
from projects.hub.sites.remote import RemoteSite
from projects.hub.sites.site import SiteAway
from projects.jobs.http.access import Principal
from tests.jobs.http.puppets import served

ANN = Principal("ann", ("submit",))
TOKEN = {"token": "tg_for-ann-0123456789"}


def told(site: RemoteSite, what: Callable[[RemoteSite], Coroutine[Any, Any, Any]]) -> str:
    """Return what is said of a satellite that can't be asked."""

    async def run() -> str:
        try:
            with pytest.raises(SiteAway) as raised:
                await what(site)
            return raised.value.message
        finally:
            await site.close()

    return asyncio.run(run())


def answering(answer: Callable[[httpx.Request], httpx.Response], **more: Any) -> RemoteSite:
    return RemoteSite(
        "lab-1", "http://lab", "credential-of-lab", transport=httpx.MockTransport(answer), **more
    )


def test_one_that_is_offline_is_told_with_since_when() -> None:
    site = RemoteSite("lab-1", "http://127.0.0.1:1", "credential", since=lambda: "2026-01-02 03:04")
    said = told(site, lambda one: one.info())
    assert said.startswith("satellite lab-1 is offline since 2026-01-02 03:04 (")


def test_one_that_should_be_online_but_does_not_answer() -> None:
    site = RemoteSite("lab-1", "http://127.0.0.1:1", "credential")
    assert told(site, lambda one: one.info()).startswith("satellite lab-1 doesn't answer (")


def test_one_without_a_credential_is_not_asked() -> None:
    site = RemoteSite("lab-1", "http://127.0.0.1:1", "")
    assert "no credential" in told(site, lambda one: one.info())


def test_a_credential_that_cannot_act_for_others_is_told(tmp_path: Path) -> None:
    with served(tmp_path, ["satellite"]) as world:
        site = RemoteSite("lab-1", world.address, world.token("hub", ["read"]))
        said = told(site, lambda one: one.jobs(ANN, {}))
    assert "needs the scope admin" in said


def test_a_token_for_a_user_that_was_revoked_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, ["satellite"]) as world:

        async def run() -> None:
            site = RemoteSite("lab-1", world.address, world.token("hub", ["admin"]))
            await site.jobs(ANN, {})
            for token in world.store.tokens("ann"):
                world.store.revoke_token(token.id, at=1)
            world.app.state.authenticator.forget()
            assert (await site.jobs(ANN, {}))["items"] == []
            await site.close()

        asyncio.run(run())
        assert len(world.store.tokens("ann")) == 2


def test_an_answer_without_an_end_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "MOST_ANSWER", 1000)
    site = answering(lambda _: httpx.Response(200, content=b" " * 1001))
    assert "answered more than" in told(site, lambda one: one.info())


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null"])
def test_an_answer_of_something_else_is_told(body: bytes) -> None:
    site = answering(lambda _: httpx.Response(200, content=body))
    assert "isn't an object" in told(site, lambda one: one.info())


def test_a_redirect_is_not_followed_with_the_credential() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(302, headers={"Location": "http://elsewhere/"})

    told(answering(answer), lambda one: one.info())
    assert asked == ["lab"]


def test_a_mistake_of_the_satellite_is_told_as_its_own() -> None:
    error = {"error": {"code": "internal", "message": "the server made a mistake"}}
    site = answering(lambda _: httpx.Response(500, json=error))
    assert told(site, lambda one: one.info()) == "satellite lab-1: the server made a mistake"


def test_credentials_are_masked() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/tokens"):
            return httpx.Response(201, json=TOKEN)
        return httpx.Response(200, json={"items": [], "next": None})

    async def run() -> None:
        site = answering(answer)
        await site.jobs(ANN, {})
        await site.close()

    asyncio.run(run())
    assert mask(f"credential-of-lab {TOKEN['token']}") == "*** ***"
