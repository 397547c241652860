"""Guessing costs longer and longer waits, per name and per address."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from projects.hub.accounts.guard import MOST, Guard, Waits
from projects.jobs.http.refusals import TooManyAttempts
from tests.hub.hub_world import PASSWORD, TEST, Hub


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(guard: Guard, address: str, name: str) -> float:
    """Try; return the seconds to wait, 0 if the try was let through."""
    try:
        guard.begin(address, name)
    except TooManyAttempts as error:
        return float(error.headers["Retry-After"])
    return 0.0


def test_each_failure_makes_the_next_wait_longer() -> None:
    clock = Clock()
    guard = Guard(clock)
    waits = []
    for number in range(12):
        wait = refused(guard, f"192.0.2.{number}", "ann")
        waits.append(wait)
        clock.now += wait
        if wait:
            assert refused(guard, f"192.0.2.{number}", "ann") == 0
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60]


def test_an_address_is_bounded_whatever_names_it_tries() -> None:
    guard = Guard(Clock())
    assert [refused(guard, "192.0.2.1", str(n)) > 0 for n in range(21)] == [False] * 20 + [True]
    assert refused(guard, "192.0.2.2", "0") == 0


def test_a_success_clears_the_name_but_not_what_the_address_did_before() -> None:
    guard = Guard(Clock())
    for number in range(19):
        guard.begin("192.0.2.1", f"victim{number}")
    for _ in range(10):
        guard.begin("192.0.2.1", "own")
        guard.succeeded("192.0.2.1", "own")
    guard.begin("192.0.2.1", "victim")
    assert refused(guard, "192.0.2.1", "own") > 0


def test_all_is_forgotten_after_an_hour_and_little_is_kept() -> None:
    waits = Waits(free=1, longest=60.0)
    for _ in range(5):
        waits.failed("a", 0.0)
    assert waits.left("a", 1.0) > 0
    assert waits.left("a", 3601.0) == 0
    waits.failed("a", 3601.0)
    assert waits.left("a", 3601.0) == 1.0
    for number in range(2 * MOST):
        waits.failed(str(number), 0.0)
    assert len(waits._known) == MOST


def test_the_server_says_how_long_to_wait(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    hub.accounts.guard = Guard(lambda: 7.0)  # hashes take their time
    browser = hub.browser()
    statuses = [hub.log_in(browser, "ann", "wrong").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    refused_even_if_right = hub.log_in(browser, "ann")
    assert refused_even_if_right.status_code == 429
    assert int(refused_even_if_right.headers["retry-after"]) >= 1
    failed = browser.post("/api/v1/login", data={"name": "ann", "password": "x"})
    assert failed.headers["location"].startswith("/login?failed=wait&seconds=1")


@pytest.mark.parametrize("link", ["nonsense", "x" * 200])
def test_guesses_of_links_are_bounded_too(hub: Hub, link: str) -> None:
    browser = hub.browser()
    statuses = {browser.post("/api/v1/login", json={"link": link}).status_code for _ in range(7)}
    assert statuses == {401, 429}


def test_tries_at_the_same_moment_are_all_counted() -> None:
    guard, tries = Guard(Clock()), 4000
    guard._names = Waits(free=10 * tries, longest=1.0)
    guard._addresses = Waits(free=10 * tries, longest=1.0)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: guard.begin("192.0.2.1", "ann"), range(tries)))
    finally:
        sys.setswitchinterval(before)
    assert guard._names._known["ann"][0] == tries
    assert guard._addresses._known["192.0.2.1"][0] == tries


def test_a_name_that_is_none_does_not_keep_anybodys_links_out(hub: Hub) -> None:
    for _ in range(6):
        hub.log_in(hub.browser(), "@link 127.0.0.1", "wrong")
    hub.user("ann")
    link = hub.accounts.make_link("ann", TEST)
    assert hub.browser().post("/api/v1/login", json={"link": link}).status_code == 200


def test_behind_a_proxy_each_browser_has_its_own_address(hub: Hub) -> None:
    hub.user("ann", password=PASSWORD)
    hub.accounts.guard = Guard(Clock())
    for number in range(21):
        browser = hub.browser()
        browser.headers["X-Forwarded-For"] = "198.51.100.1"
        hub.log_in(browser, f"nobody{number}", "wrong")
    browser.headers["X-Forwarded-For"] = "198.51.100.2"
    assert hub.log_in(browser, "ann").status_code == 200
    assert browser.get("/api/v1/sessions").json()["items"][0]["address"] == "198.51.100.2"
    browser.headers["X-Forwarded-For"] = "198.51.100.1"
    assert hub.log_in(browser, "ann").status_code == 429
