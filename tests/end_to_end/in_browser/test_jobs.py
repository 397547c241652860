"""What people do with jobs: watch them, cancel them, wait for them, read what they printed."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.end_to_end.in_browser.hub_server import HubServer, Watched


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


def test_the_title_of_a_tab_says_how_the_job_ended(hub_server: HubServer, page: Page) -> None:
    job = hub_server.submit("chatty", steps=12_008)
    page.goto(f"/jobs/{job}")
    expect(page).to_have_title(re.compile("waiting|running"))
    expect(page).to_have_title(re.compile(r"^chatty #\d+: success · Topgallant$"), timeout=30_000)


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


def test_a_log_of_many_lines_opens_at_its_end_and_follows(
    hub_server: HubServer, page: Page
) -> None:
    job = hub_server.submit("chatty", steps=13_000)
    page.goto(f"/jobs/{job}/log/stdout")
    log = page.locator("#log")
    expect(log).to_contain_text("line 12005 of very many", timeout=20_000)
    answer = page.reload()
    assert answer is not None
    assert len(answer.body()) <= 100_000  # of the 800 kB that there are
    expect(log).to_contain_text("line 12005 of very many")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight < 40")
    text = log.text_content() or ""
    last = int(re.findall(r"line (\d+) of", text)[-1])
    expect(log).to_contain_text(f"line {last + 3} of very many", timeout=20_000)
    log.get_by_role("link", name="Earlier lines").click()
    expect(log.locator(".chunk").nth(1)).to_be_attached()
    hub_server.cancel(job)
    expect(log).to_have_class(re.compile(r"\bover\b"), timeout=20_000)


def test_what_waits_says_at_which_place_and_for_what(hub_server: HubServer, page: Page) -> None:
    hub_server.ended(hub_server.submit("slow", steps=1))
    first = hub_server.submit("slow", steps=600)
    second = hub_server.submit("slow", note="the second", steps=1)
    third = hub_server.submit("slow", note="the third", steps=1)
    page.goto(f"/jobs/{third}")
    queue = page.get_by_role("status")
    expect(queue).to_contain_text("2nd in the queue. It waits for the jobs")
    expect(queue).to_contain_text("Jobs of slow usually take 0.")
    page.goto("/submissions")
    waits = page.get_by_role("row", name=re.compile("the third"))
    expect(waits).to_contain_text("2nd in the queue")
    expect(page.get_by_role("row", name=re.compile("the second"))).to_contain_text(
        "1st in the queue At most 1 submission runs at once"
    )
    hub_server.cancel(second)
    expect(waits).to_contain_text("1st in the queue", timeout=20_000)
    hub_server.cancel(first)
    expect(waits).to_contain_text("1 succeeded", timeout=20_000)


def test_what_a_submission_still_takes_is_told_from_history(
    hub_server: HubServer, page: Page
) -> None:
    hub_server.ended(hub_server.submit("slow", steps=5))
    specs = [{"name": "slow", "params": {"steps": 600}} for _ in range(3)]
    answer = hub_server.client.post("/api/v1/submissions", json={"job_specs": specs})
    submission = answer.raise_for_status().json()
    page.goto(f"/submissions/{submission['id']}")
    expect(page.locator(".progress")).to_contain_text(re.compile(r"0 of 3 ended, about .* left"))
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator(".head .badge.cancelled")).to_be_visible(timeout=20_000)


def test_a_button_keeps_the_focus_while_the_page_around_it_is_drawn_anew(
    hub_server: HubServer, page: Page
) -> None:
    job = hub_server.submit("slow", steps=1000)
    page.goto(f"/jobs/{job}")
    cancel = page.get_by_role("button", name="Cancel")
    expect(page.locator(".progress")).to_be_visible(timeout=20_000)
    cancel.focus()
    page.evaluate("document.getElementById('live').dataset.old = '1'")
    expect(page.locator("#live[data-old]")).to_have_count(0, timeout=20_000)
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".head .badge.cancelled")).to_be_visible(timeout=20_000)


def test_a_form_is_kept_for_who_fills_it_in_until_its_jobs_are_there(
    hub_server: HubServer, page: Page
) -> None:
    page.goto("/submit/slow")
    page.locator("#f-steps").fill("2")
    name = page.locator(".top .who span").inner_text()
    kept = f"topgallant.draft.{name} slow"
    assert page.evaluate("key => localStorage.getItem(key)", kept)
    page.reload()
    expect(page.locator("#f-steps")).to_have_value("2")
    page.get_by_role("button", name="Submit").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    assert page.evaluate("key => localStorage.getItem(key)", kept) is None
