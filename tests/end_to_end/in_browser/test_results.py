"""What people do with results: runs that were exported, their files, comparisons, tables."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, Request, expect

from tests.end_to_end.in_browser.exported_runs import Run
from tests.end_to_end.in_browser.hub_server import HubServer, new_context


def test_a_run_is_browsed_from_the_list_to_a_file_and_back(runs: Sequence[Run], page: Page) -> None:
    run = runs[0]
    page.goto("/artifacts")
    page.locator("th a", has_text=run.folder.name).click()
    expect(page.locator(".head .badge.success")).to_have_text("passed")
    (measured,) = run.folder.glob("001__*")
    page.get_by_role("link", name=f"{measured.name}/").click()
    page.get_by_role("link", name="_meta/").click()
    page.get_by_role("link", name="restart.sh").click()
    expect(page.locator(".log")).to_contain_text("#!/")
    crumbs = page.get_by_role("navigation", name="Where this is")
    expect(crumbs).to_contain_text("_meta")
    crumbs.get_by_role("link", name=measured.name).click()
    page.get_by_role("link", name="results.json").click()
    expect(page.locator(".log")).to_contain_text("{")
    crumbs.get_by_role("link", name=run.folder.name).click()
    expect(page.get_by_role("link", name="events.jsonl")).to_be_visible()


def test_colours_of_a_log_are_shown_and_its_lines_gone_through(
    runs: Sequence[Run], page: Page
) -> None:
    page.goto(f"{runs[0].address}/colours.log")
    log = page.locator(".log")
    red = log.locator(".ansi-fg-1.ansi-bold")
    expect(red).to_have_text("red and bold")
    expect(red).to_have_css("font-weight", "700")
    expect(log).to_contain_text("<b>not bold</b>")
    expect(log.locator("b")).to_have_count(0)
    page.get_by_role("link", name="Later").click()
    expect(log).to_contain_text("line 401\n")
    page.get_by_role("link", name="End").click()
    expect(log).to_contain_text("line 1000")
    page.get_by_role("link", name="Beginning").click()
    expect(red).to_be_visible()


def test_an_image_and_a_plot_are_shown_in_place(runs: Sequence[Run], page: Page) -> None:
    page.goto(f"{runs[0].address}/pixel.png")
    image = page.get_by_role("img", name="pixel.png")
    expect(image).to_have_js_property("naturalWidth", 1)
    (plots,) = runs[0].folder.glob("*__plots")
    page.goto(f"{runs[0].address}/{plots.name}/report_00_throughput.html")
    frame = page.frame_locator("iframe")
    expect(page.locator("iframe")).to_have_attribute("sandbox", "allow-scripts")
    expect(frame.locator("svg, .plotly").first).to_be_visible(timeout=20_000)


def test_links_of_a_page_in_a_frame_lead_on_beside_it(runs: Sequence[Run], page: Page) -> None:
    page.goto(runs[0].address)
    page.get_by_role("link", name="Reports", exact=True).click()
    links = page.get_by_role("navigation", name="Links of this page")
    links.get_by_role("link", name="Latency", exact=True).click()
    expect(page.get_by_role("heading", name="report_01_latency.html")).to_be_visible()
    links.get_by_role("link", name="PNG").first.click()
    expect(page.locator("img.shown")).to_be_visible()


def test_the_timeline_is_drawn_from_the_events_of_the_run(runs: Sequence[Run], page: Page) -> None:
    page.goto(runs[0].address)
    page.get_by_text("Timeline", exact=True).click()
    frame = page.frame_locator("iframe[title='Timeline of the run']")
    expect(frame.get_by_text("sqlite measure").first).to_be_visible()


@pytest.mark.parametrize("file", ["evil.html", "evil.svg"])
@pytest.mark.parametrize("is_framed", [True, False], ids=["in its page", "opened by its address"])
def test_scripts_in_files_reach_nothing_of_the_hub(  # noqa: PLR0917
    hub_server: HubServer,
    chromium: Browser,
    session: str,
    runs: Sequence[Run],
    file: str,
    is_framed: bool,
) -> None:
    context = new_context(hub_server, chromium, session)
    page = context.new_page()
    probes: list[Request] = []
    page.on("request", lambda asked: probes.append(asked) if "probe=" in asked.url else None)
    if is_framed:
        page.goto(f"{runs[0].address}/{file}")
        title = page.title()
        frame: Frame = page.frames[-1]
    else:
        page.goto(f"/api/v1/artifacts/{runs[0].id}/files/{file}?inline=true")
        title, frame = page.title(), page.main_frame
    if is_framed and file.endswith(".svg"):  # an image: nothing of it runs
        expect(page.locator("img.shown")).to_have_js_property("complete", True)
        assert probes == []
    else:
        said = frame.locator("#said")
        expect(said).to_contain_text("fetch")
        told = json.loads(said.text_content() or "")
        refused = {name: told.pop(name) for name in ("cookie", "storage")}
        assert refused == {"cookie": "SecurityError", "storage": "SecurityError"}
        assert told.pop("fetch") == "TypeError"
        assert told.pop("parent", "SecurityError") == "SecurityError"
        assert told == {"window": "none"}
        assert all("cookie" not in asked.all_headers() for asked in probes)
    assert page.title() == title
    assert len(context.pages) == 1
    page.goto("/account")  # it has logged nobody out
    expect(page.get_by_role("heading", name="Browsers")).to_be_visible()
    context.close()


def test_a_run_is_downloaded_as_an_archive(runs: Sequence[Run], page: Page) -> None:
    page.goto(runs[0].address)
    with page.expect_download() as download:
        page.get_by_role("link", name="Archive").click()
    with tarfile.open(download.value.path()) as archive:
        names = {Path(name).name for name in archive.getnames()}
    assert {"events.jsonl", "evil.html", "FINISHED", "restart.sh"} <= names


def test_two_runs_are_compared(runs: Sequence[Run], page: Page) -> None:
    page.goto("/artifacts")
    page.get_by_role("radio", name=f"{runs[0].folder.name} as A").check()
    page.get_by_role("radio", name=f"{runs[1].folder.name} as B").check()
    page.get_by_role("button", name="Compare A and B").click()
    kpis = page.get_by_role("region", name="KPIs")
    expect(kpis.get_by_role("row")).not_to_have_count(1)
    changed = page.get_by_role("row", name="tests.batch_sizes")
    expect(changed).to_contain_text("[1, 100]")
    expect(changed).to_contain_text("[1, 200]")
    page.get_by_role("link", name="Swap").click()
    expect(page.get_by_role("row", name="tests.batch_sizes").locator("td").first).to_have_text(
        "[1, 200]"
    )


def test_a_table_is_plotted_judged_and_filtered(hub_server: HubServer, page: Page) -> None:
    rows = [{"rate": 10 + at % 3 / 10 + 4 * (at > 30), "machine": "lab"} for at in range(40)]
    path = "/api/v1/tables/network/rate"
    hub_server.client.post(f"{path}/rows", json=rows).raise_for_status()
    columns = {"rate": {"better": "lower", "unit": "ms"}}
    hub_server.client.patch(path, json={"columns": columns}).raise_for_status()
    page.goto("/tables")
    page.get_by_role("link", name="network / rate").click()
    plot = page.locator(".plot img.for-light")
    expect(plot).to_be_visible()
    expect(plot).to_have_js_property("naturalWidth", 960)
    expect(page.get_by_text("rate rose by")).to_be_visible()
    # The sentence below the picture is cut off: 380 of its 410 lines are seen, in its full width.
    expect(plot).to_have_js_property("naturalHeight", 410)
    ratio = plot.evaluate("img => img.width / img.height")
    assert ratio == pytest.approx(960 / 380, rel=0.01)
    page.get_by_label("Filter").fill("rate > 12")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("9 fit")).to_be_visible()
    page.get_by_label("Filter").fill("speed > 12")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("alert")).to_contain_text("speed")
