"""What people do to submit, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.end_to_end.in_browser.hub_server import HubServer


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


def test_groups_are_chosen_in_the_form_and_named_on_the_page(page: Page) -> None:
    page.goto("/submit/example")
    page.get_by_role("group", name="Share with").get_by_label("team").check()
    page.get_by_text("JSON", exact=True).click()
    expect(page.locator("#as-json")).to_contain_text('"team"')
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    page.get_by_role("navigation", name="Where this is").get_by_role("link").nth(1).click()
    expect(page.get_by_text("seen by team")).to_be_visible()
    page.locator(".jobs tbody th a").first.click()
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.get_by_role("group", name="Share with").get_by_label("team")).to_be_checked()


def test_values_limits_and_all_are_there_again_to_be_changed(
    hub_server: HubServer, page: Page
) -> None:
    specs = [{"name": "all_types", "params": {"title": "<a> & b", "users": 3}, "timeout": 17}]
    answer = hub_server.client.post("/api/v1/submissions", json={"job_specs": specs})
    (job,) = answer.raise_for_status().json()["job_ids"]
    hub_server.ended(job)
    page.goto(f"/jobs/{job}")
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.locator("#f-title")).to_have_value("<a> & b")
    expect(page.get_by_label("Time limit")).to_have_value("17")
    page.locator("#f-users").fill("4")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    again = hub_server.client.get(f"/api/v1/jobs/{page.url.rpartition('/')[2]}").json()
    assert (again["params"]["users"], again["timeout"]) == (4, 17)


def test_options_that_come_late_leave_what_was_chosen(hub_server: HubServer, page: Page) -> None:
    page.goto("/submit/late")
    expect(page.get_by_text("More options are being looked for")).to_be_visible()
    animal = page.locator("#f-animal")
    animal.select_option("dog")
    (hub_server.scripts / "late" / "gate").touch()
    expect(animal.locator("option", has_text="otter")).to_have_count(1, timeout=20_000)
    expect(animal).to_have_value("dog")
    expect(page.get_by_text("More options are being looked for")).to_be_hidden()


def test_options_whose_command_fails_are_those_that_are_written_and_say_so(page: Page) -> None:
    page.goto("/submit/warned")
    expect(page.locator(".warning")).to_contain_text("the list is away")
    expect(page.locator("#f-animal option")).to_have_text(["cat", "dog"])


def test_how_long_it_usually_takes_is_said_before_it_is_submitted(
    hub_server: HubServer, page: Page
) -> None:
    hub_server.ended(hub_server.submit("slow", steps=1))
    page.goto("/submit/slow")
    expect(page.get_by_text("It usually takes 0.")).to_be_visible()
    page.locator(".field", has=page.locator("#f-steps")).get_by_text("Several values").click()
    page.get_by_label("Several values of steps").fill("1\n2")
    expect(page.get_by_text("Each usually takes 0.")).to_be_visible()
