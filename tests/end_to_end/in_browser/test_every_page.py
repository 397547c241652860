"""Every page: it fits, axe finds nothing serious, it is small, and pictures of it are there.

Pictures go to the folder that TOPGALLANT_SCREENSHOTS names, or to pytest's own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, Page, expect

from projects.hub.pages.routes import router
from tests.end_to_end.in_browser import every_page
from tests.end_to_end.in_browser.exported_runs import Run
from tests.end_to_end.in_browser.hub_server import HubServer, new_context

AXE = Path(__file__).parents[2] / "data" / "axe" / "axe.min.js"
"""Of the npm package axe-core, https://github.com/dequelabs/axe-core; its licence lies beside."""

MOST_BYTES = 100_000
TALLEST = 2500
SHAPES = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]

IS_COMPLETE = """() => document.readyState === 'complete'
&& !document.querySelector('.htmx-request')
&& [...document.images].every(one => one.complete || !one.offsetParent)"""


CLIPPED = """() => [...document.querySelectorAll('main :not(iframe, svg, svg *, option, .unseen)')]
.filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
  && getComputedStyle(one).overflowX === 'visible' && getComputedStyle(one).display !== 'inline')
.map(one => 'spills over: ' + one.outerHTML.slice(0, 120))"""
"""What is written beyond the border of its own box."""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for pictures."""
    named = os.environ.get("TOPGALLANT_SCREENSHOTS", "")
    folder = Path(named) if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def empty_pages_are_fine(
    hub_server: HubServer, chromium: Browser, session: str, pictures: Path
) -> dict[str, list[str]]:
    """Look at the pages that begin empty, before anything happens; return what is wrong."""
    return {
        f"{name} {scheme} {width}": wrong
        for scheme, width in SHAPES
        for name, wrong in _looked_at(
            hub_server, chromium, session, every_page.empty(), pictures, scheme, width
        ).items()
    }


@pytest.fixture(scope="module")
def addresses(
    empty_pages_are_fine: dict[str, list[str]], hub_server: HubServer, runs: Sequence[Run]
) -> dict[str, str]:
    """Return an address of each page, with something on it."""
    del empty_pages_are_fine  # before this
    return every_page.full(hub_server, runs)


def test_pages_that_are_empty_are_fine(empty_pages_are_fine: dict[str, list[str]]) -> None:
    assert empty_pages_are_fine == {}


def test_each_route_of_a_page_is_looked_at(addresses: dict[str, str]) -> None:
    routes: list[Any] = list(iter_route_contexts(router.routes))
    paths = [one.path for one in routes if "GET" in one.methods]
    assert "/jobs/{job}" in paths
    assert every_page.without_an_address(paths, list(addresses.values())) == set()


@pytest.mark.parametrize(("scheme", "width"), SHAPES)
def test_every_page_fits_and_has_nothing_serious_for_axe(  # noqa: PLR0917
    hub_server: HubServer,
    chromium: Browser,
    session: str,
    addresses: dict[str, str],
    pictures: Path,
    scheme: str,
    width: int,
) -> None:
    wrong = _looked_at(hub_server, chromium, session, addresses, pictures, scheme, width)
    assert wrong == {}
    assert (pictures / f"overview-{scheme}-{width}.png").stat().st_size


def test_no_page_breaks_its_own_policy(
    hub_server: HubServer, chromium: Browser, session: str, addresses: dict[str, str]
) -> None:
    context = new_context(hub_server, chromium, session)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
    for address in addresses.values():
        page.goto(address)
        page.wait_for_function(IS_COMPLETE)
    context.close()
    refused = [said for said in complaints if "Content Security Policy" in said]
    assert refused == []


def _looked_at(  # noqa: PLR0917
    server: HubServer,
    browser: Browser,
    session: str,
    addresses: dict[str, str],
    pictures: Path,
    scheme: str,
    width: int,
) -> dict[str, list[str]]:
    """Return what is wrong with each page, and leave a picture of it."""
    context = new_context(server, browser, session, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 850})
    found = {}
    for name, address in addresses.items():
        answer = page.goto(address)
        assert answer is not None
        wrong = _wrong_with(page, width)
        if len(answer.body()) > MOST_BYTES:
            wrong.append(f"{len(answer.body())} bytes")
        _draw(page, pictures / f"{name}-{scheme}-{width}.png")
        if wrong:
            found[name] = wrong
    context.close()
    return found


def _wrong_with(page: Page, width: int) -> list[str]:
    expect(page.locator("h1")).to_have_count(1)
    page.wait_for_function(IS_COMPLETE)
    wrong = []
    if page.evaluate("document.documentElement.scrollWidth") > width:
        wrong.append("wider than the window")
    wrong += page.evaluate(CLIPPED)
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {iframes: false}).then(found => found.violations)")
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    return wrong + [
        f"{one['id']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0]['any'][:1]}"
        for one in serious
    ]


def _draw(page: Page, to: Path) -> None:
    """Draw all of a page, but of a very long one only the beginning."""
    size = page.viewport_size
    assert size is not None
    height = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(height, TALLEST)}
    page.screenshot(path=to, full_page=True, clip=clip)  # type: ignore[arg-type]
