"""Heartbeats to a hub that answers, refuses, is away and comes back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from projects.core.errors import UsageError
from projects.satellite.registration import export
from projects.satellite.registration.registration import EVERY, LATEST, Registration, check
from tests.satellite.live import Hub, wait_until


@pytest.fixture
def hub() -> Iterator[Hub]:
    running = Hub()
    yield running
    running.close()


EVERYWHERE = "0.0.0.0"  # noqa: S104  (named, not bound to)


def announcement() -> dict[str, Any]:
    return {"nickname": "n", "url": "http://h:1", "version": "1", "tools": ["a"]}


def test_sat_32_a_heartbeat_says_who_and_where(hub: Hub) -> None:
    registration = Registration(hub.url + "/", announcement, "its-token")
    assert registration.beat() == EVERY
    path, headers, said = hub.calls[0]
    assert (path, said) == ("/api/v1/satellites", announcement())
    assert headers["Authorization"] == "Bearer its-token"
    shown = registration.shown()
    assert (shown["registered"], shown["problem"]) == (True, "")
    assert shown["export_url"] == "http://h:1"


def test_a_hub_that_is_away_is_tried_again_ever_more_seldom_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = Hub()
    url = away.url
    away.close()
    registration = Registration(url, announcement)
    with caplog.at_level(logging.INFO):
        pauses = [registration.beat() for _ in range(12)]
    assert all(0.5 * 2**n <= pause <= 2**n for n, pause in enumerate(pauses[:8]))
    assert max(pauses) <= LATEST
    assert [record.getMessage() for record in caplog.records] == [
        f"the hub {url} doesn't answer (Connection refused); trying again"
    ]
    assert registration.shown()["problem"] == "Connection refused"


def test_a_refusal_is_shown_and_what_was_known_stays(hub: Hub) -> None:
    registration = Registration(hub.url, announcement)
    registration.beat()
    last = registration.shown()["last"]
    hub.status = 403
    registration.beat()
    shown = registration.shown()
    assert shown["problem"] == "403 Forbidden: no such satellite"
    assert (shown["registered"], shown["last"]) == (True, last)
    hub.status = 200
    assert registration.beat() == EVERY
    assert registration.shown()["problem"] == ""


def test_the_thread_begins_and_ends(hub: Hub) -> None:
    registration = Registration(hub.url, announcement)
    registration.start()
    wait_until(lambda: registration.state.registered)
    registration.stop()
    assert len(hub.calls) == 1


def test_an_announcement_that_fails_is_a_problem_not_an_end(hub: Hub) -> None:
    def broken() -> dict[str, Any]:
        raise OSError(5, "Input/output error")

    registration = Registration(hub.url, broken)
    registration.beat()
    assert registration.shown()["problem"] == "Input/output error"


@pytest.mark.parametrize("text", ["", "hub", "hub:8000", "ftp://x", "http://", "http://h:x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="an address looks like"):
        check(text)


def test_the_address_is_what_is_given_else_where_it_listens_else_the_way_to_the_hub() -> None:
    hub = "http://127.0.0.1:8000"
    assert export.url("http", EVERYWHERE, 1, "me.example.com", hub) == "http://me.example.com:1"
    assert export.url("https", "10.0.0.7", 1, "", hub) == "https://10.0.0.7:1"
    assert export.url("http", EVERYWHERE, 1, "", hub) == "http://127.0.0.1:1"
    assert export.url("http", "::1", 1, "", hub) == "http://[::1]:1"


def test_a_name_that_nobody_can_reach_is_warned_of() -> None:
    assert "add --host=0.0.0.0" in export.warning("127.0.0.1", "me.example.com")
    assert export.warning("127.0.0.1", "") == ""
    assert export.warning("127.0.0.1", "localhost") == ""
    assert export.warning(EVERYWHERE, "me.example.com") == ""
