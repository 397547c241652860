"""What people do with a hub, in a real browser."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.hub_server import (
    HubServer,
    Watched,
    chromium,
    hub_server,
    new_context,
    page,
    session,
    watched,
)

__all__ = ["chromium", "hub_server", "page", "session", "watched"]

SHOTS = os.environ.get("TOPGALLANT_SCREENSHOTS", "")
"""Where pictures of every page go, to be looked at."""

AXE = Path(__file__).parent.parent / "data" / "axe" / "axe.min.js"
"""Of the npm package axe-core, https://github.com/dequelabs/axe-core; its licence lies beside."""


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


def test_sat_34_a_form_of_all_nine_types_is_filled_submitted_and_watched(
    hub_server: HubServer, page: Page
) -> None:
    page.goto("/satellites")
    page.get_by_role("link", name="harbour").click()
    page.get_by_role("link", name="Submit here").click()
    page.get_by_role("link", name=re.compile("^all_types")).click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("it is required")).to_be_visible()
    expect(page.locator("#f-title")).to_have_attribute("aria-invalid", "true")
    page.locator("#f-verbose").check()
    page.locator("#f-title").fill("it's a <title>")
    page.locator("#f-notes").fill("two\nlines")
    page.locator("#f-animal").select_option("guinea pig")  # its command gave it
    page.locator("#f-offset").fill("-7")
    page.locator("#f-users").fill("3")
    page.locator("#f-ratio").fill("1.5")
    page.get_by_label("apple").check()
    page.get_by_label("cherry").check()
    page.locator("#f-day").fill("2026-02-28")
    expect(page.locator("#as-command")).to_contain_text("satctl run all_types --verbose=true")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("1.5 is more than 1, the most")).to_be_visible()
    expect(page.locator("#f-title")).to_have_value("it's a <title>")
    page.locator("#f-ratio").fill("0.25")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    expect(page.locator(".head .badge.success")).to_be_visible(timeout=20_000)
    job = page.url.rpartition("/")[2]
    assert hub_server.client.get(f"/api/v1/jobs/{job}").json()["params"] == {
        "verbose": True,
        "title": "it's a <title>",
        "notes": "two\nlines",
        "animal": "guinea pig",
        "offset": -7,
        "users": 3,
        "ratio": 0.25,
        "fruits": ["apple", "cherry"],
        "day": "2026-02-28",
    }
    page.reload()
    expect(page.locator("#log")).to_contain_text("title: it's a <title>")
    with page.expect_download() as download:
        page.get_by_role("link", name="parameters.json").click()
    assert "guinea pig" in Path(download.value.path()).read_text()


def test_several_values_make_a_submission_with_a_table(page: Page) -> None:
    page.goto("/submit/example")
    page.goto("/submit/all_types")
    page.locator("#f-title").fill("many")
    page.locator(".field", has=page.locator("#f-users")).get_by_text("Several values").click()
    page.get_by_label("Several values of users").fill("1\n2\n3")
    page.locator(".field", has=page.locator("#f-ratio")).get_by_text("Several values").click()
    page.get_by_label("Several values of ratio").fill("0.1\n0.2")
    expect(page.get_by_role("heading", name="6 jobs")).to_be_visible()
    page.get_by_role("textbox", name="Note", exact=True).fill("a matrix")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="a matrix")).to_be_visible()
    expect(page.locator(".matrix .dot.success")).to_have_count(6, timeout=30_000)
    expect(page.locator(".head .badge.success")).to_be_visible()


def test_a_draft_is_kept_until_it_is_submitted(page: Page) -> None:
    page.goto("/submit/all_types")
    page.locator("#f-title").fill("half done")
    page.goto("/jobs")
    page.goto("/submit/all_types")
    expect(page.locator("#f-title")).to_have_value("half done")
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("#f-title")).to_have_value("")


def test_a_job_is_watched_live_and_cancelled(hub_server: HubServer, page: Page) -> None:
    job = hub_server.submit("slow", steps=600)
    page.goto(f"/jobs/{job}")
    log = page.locator("#log")
    expect(log).to_contain_text("step 3 of <b>600</b>", timeout=20_000)
    expect(log.locator(".ansi-fg-2").first).to_have_text("step")
    expect(page.locator(".head .badge.running")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".head .badge.cancelled")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.locator("#f-steps")).to_have_value("600")


def test_the_failed_job_is_found_from_the_overview_which_is_live(
    hub_server: HubServer, page: Page
) -> None:
    page.goto("/")
    job = hub_server.submit("failing")
    assert hub_server.ended(job) == "FAILED"
    failed = page.get_by_role("region", name="Failed lately")
    failed.get_by_role("link", name="failing").first.click(timeout=20_000)
    expect(page.locator(".head .badge.failed")).to_be_visible()
    expect(page.locator("#log")).to_contain_text("no space left")


def test_a_long_log_goes_on_while_one_scrolls(hub_server: HubServer, page: Page) -> None:
    job = hub_server.submit("example")
    hub_server.ended(job)
    lines = "".join(f"line {at} {'x' * 50}\n" for at in range(10_000))
    (hub_server.data / "job_logs" / job / "stdout.log").write_text(lines)
    page.goto(f"/jobs/{job}/log/stdout")
    log = page.locator("#log")
    expect(log).to_contain_text("line 9999 ")
    page.get_by_role("link", name="Beginning").click()
    expect(log).to_contain_text("line 0 ")
    for _ in range(3):
        before = log.locator(".chunk").count()
        log.evaluate("log => { log.scrollTop = log.scrollHeight }")
        expect(log.locator(".chunk")).not_to_have_count(before)
    text = log.text_content() or ""
    numbers = [int(found) for found in re.findall(r"line (\d+) x", text)]
    assert numbers == list(range(len(numbers)))  # none twice, none left out
    assert len(numbers) > 1500


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


def test_keys_and_theme(page: Page) -> None:
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


def test_a_log_is_text_whatever_is_in_it(hub_server: HubServer, watched: Watched) -> None:
    job = hub_server.submit("example")
    hub_server.ended(job)
    script, image = "<script>document.title='gone'</script>", "<img src=x onerror=alert(1)>"
    evil = f"{script}\x1b[31m{image}\x1b]8;;javascript:1\x07\n"
    (hub_server.data / "job_logs" / job / "stdout.log").write_text(evil)
    watched.page.goto(f"/jobs/{job}/log/stdout")
    expect(watched.page.locator("#log")).to_contain_text(script)
    assert watched.page.title() != "gone"
    assert watched.page.locator("#log img, #log script, #log a").count() == 0


@pytest.fixture
def addresses(hub_server: HubServer) -> dict[str, str]:
    """Return an address of each page, with something on it."""
    failed = hub_server.submit("failing", note="to be looked at")
    hub_server.ended(failed)
    running = hub_server.submit("slow", steps=500)
    rows = [
        {"latency": 10 + (at * 7 % 5) / 10 + 3 * (at > 30), "machine": f"lab-{at % 3}"}
        for at in range(40)
    ]
    path = "/api/v1/tables/storage/latency"
    hub_server.client.post(f"{path}/rows", json=[*rows, {"latency": "fast"}]).raise_for_status()
    hub_server.client.patch(path, json={"columns": {"latency": {"better": "lower", "unit": "ms"}}})
    submission = hub_server.client.get(f"/api/v1/jobs/{failed}").json()["submission_id"]
    return {
        "overview": "/",
        "jobs": "/jobs",
        "job-failed": f"/jobs/{failed}",
        "job-running": f"/jobs/{running}",
        "log": f"/jobs/{running}/log/stdout",
        "submissions": "/submissions",
        "submission": f"/submissions/{submission}",
        "satellites": "/satellites",
        "satellite": "/satellites/harbour",
        "submit": "/submit",
        "form": "/submit/all_types",
        "tables": "/tables",
        "table": "/tables/storage/latency",
        "artifacts": "/artifacts",
        "compare": "/compare",
        "projects": "/projects",
        "account": "/account",
        "admin": "/admin",
        "login": "/login",
        "absent": "/jobs/AAAAAAAAAAAAAAAAAAAAAA",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_has_nothing_serious_for_axe(  # noqa: PLR0917
    hub_server: HubServer,
    chromium: Browser,
    session: str,
    addresses: dict[str, str],
    scheme: str,
    width: int,
) -> None:
    context = new_context(hub_server, chromium, session, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 850})
    wrong = {}
    for name, address in addresses.items():
        answer = page.goto(address)
        assert answer is not None
        assert len(answer.body()) <= 100_000, name
        page.wait_for_function("document.readyState === 'complete'")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wrong[name] = ["wider than the window"]
        if SHOTS:
            page.wait_for_timeout(700)  # for what comes by itself
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{SHOTS}/{name}-{scheme}-{width}.png")
        page.add_script_tag(path=AXE)
        found = page.evaluate("axe.run().then(found => found.violations)")
        serious = [
            f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['any'][:1]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        if serious:
            wrong[name] = wrong.get(name, []) + serious
    context.close()
    for job in hub_server.client.get("/api/v1/jobs?state=live&tool=slow").json()["items"]:
        hub_server.client.post(f"/api/v1/jobs/{job['id']}/cancel")
    assert wrong == {}
