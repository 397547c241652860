"""Logging in and looking: with keys alone, without scripts, on a phone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.in_browser.exported_runs import Run
from tests.end_to_end.in_browser.hub_server import HubServer, new_context


def test_without_a_session_one_is_led_to_the_log_in_and_back(
    hub_server: HubServer, chromium: Browser
) -> None:
    context = chromium.new_context(base_url=hub_server.address)
    page = context.new_page()
    page.goto("/jobs?state=live")
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fjobs%3Fstate%3Dlive"))
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("wrong, wrong, wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    context.close()


def test_everything_is_read_and_submitted_without_scripts(
    hub_server: HubServer, chromium: Browser, session: str
) -> None:
    context = new_context(hub_server, chromium, session, java_script_enabled=False)
    page = context.new_page()
    page.goto("/submit/slow")
    page.locator("#f-steps").fill("1")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    hub_server.ended(page.url.rpartition("/")[2])
    page.reload()
    expect(page.locator("#log")).to_contain_text("step 1")
    page.goto("/jobs")
    page.locator("select[name=tool]").select_option("slow")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".jobs tbody tr").first).to_contain_text("slow")
    context.close()


def test_keys_and_theme(hub_server: HubServer, page: Page) -> None:
    hub_server.ended(hub_server.submit("example"))
    page.goto("/jobs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(".jobs tbody th a").first).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_what_has_the_focus_keeps_it_when_the_list_changes(
    hub_server: HubServer, page: Page
) -> None:
    job = hub_server.submit("example", test="cublas")
    hub_server.ended(job)
    page.goto("/jobs")
    mine = page.locator(f".jobs a[href='/jobs/{job}']")
    mine.focus()
    further = hub_server.submit("failing")
    expect(page.locator(f".jobs tr.failed a[href='/jobs/{further}']")).to_be_visible(timeout=20_000)
    expect(mine).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f".jobs a[href='/jobs/{further}']")).to_be_focused()


def test_from_the_overview_to_the_failed_job_by_keys_alone(
    hub_server: HubServer, page: Page
) -> None:
    page.goto("/")
    job = hub_server.submit("failing")
    assert hub_server.ended(job) == "FAILED"
    failed = page.get_by_role("region", name="Failed lately")
    mine = failed.locator(f"a[href='/jobs/{job}']")
    expect(mine).to_be_visible(timeout=20_000)
    expect(failed).to_contain_text("exit code 3: no space left")
    page.keyboard.press("j")
    expect(mine).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/jobs/{job}"))
    expect(page.locator("#log")).to_contain_text("no space left")


def test_results_are_read_without_scripts(
    hub_server: HubServer, chromium: Browser, session: str, runs: Sequence[Run]
) -> None:
    rows = [{"rate": at} for at in range(40)]
    hub_server.client.post("/api/v1/tables/disk/rate/rows", json=rows).raise_for_status()
    context = new_context(hub_server, chromium, session, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    page.get_by_role("link", name="Artifacts").click()
    page.locator("th a", has_text=runs[0].folder.name).click()
    page.get_by_role("link", name="colours.log").click()
    expect(page.locator(".log .ansi-fg-1")).to_have_text("red and bold")
    page.get_by_role("link", name="Later").click()
    expect(page.locator(".log")).to_contain_text("line 401")
    page.goto(f"/compare?a={runs[0].id}&b={runs[1].id}")
    expect(page.get_by_role("row", name="tests.batch_sizes")).to_contain_text("[1, 200]")
    page.goto("/tables/disk/rate")
    expect(page.locator(".plot img.for-light")).to_be_visible()
    rows_shown = page.get_by_role("region", name="Rows").locator("tbody tr")
    expect(rows_shown).to_have_count(40)
    context.close()


@pytest.mark.parametrize("room", ["/artifacts", "/projects", "/tables"])
def test_on_a_phone_one_sees_where_one_is(page: Page, room: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(room)
    expect(page.locator(".rooms [aria-current]")).to_be_in_viewport(ratio=1)


def test_a_job_is_submitted_and_read_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/")
    page.get_by_role("link", name="Submit", exact=True).click()
    page.get_by_role("link", name=re.compile("^slow")).click()
    page.locator("#f-steps").fill("2")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".head .badge.success")).to_be_visible(timeout=20_000)
    log = page.locator("#log")
    expect(log).to_contain_text("step 2")
    log.scroll_into_view_if_needed()
    expect(log).to_be_in_viewport()
