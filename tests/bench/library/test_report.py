"""The report says what was measured, in three formats."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from projects.bench.library.report import as_json, as_markdown, as_page
from projects.bench.library.result import Result

BARS = {"version": "60 ms", "load": "15 ms"}


@pytest.fixture
def results() -> list[Result]:
    startup = Result(
        "startup",
        {"rounds": 3},
        {
            "python -c pass": [0.02, 0.02, 0.02],
            "run_toolbox.py --version": [0.07, 0.07, 0.07],
            "tmt --version": [1.4, 1.4, 1.4],
        },
        failed={"reframe --version": "broken | <b>by</b> design"},
        versions={"tmt": "1.78.0"},
        machine={"processor": "A <fast> one", "cores": 2, "load": 0.5},
    )
    load = Result("configuration", {"applied": "<60>"}, {"topgallant: load": [0.02, 0.03, 0.04]})
    return [startup, load]


def test_the_table_says_measured_bar_reached_and_ahead(results: list[Result]) -> None:
    text = as_markdown(results, BARS)
    assert (
        "| `--version` over `python -c pass` | 50.0 ms | 50.0 ms … 50.0 ms | ≤ 60.0 ms | yes "
        "| tmt --version | 20.0 x |" in text
    )
    assert "<60> presets applied | 30.0 ms (noisy)" in text
    assert "| ≤ 15.0 ms | no | not measured |" in text


def test_a_ratio_that_was_reached_is_shown_and_one_without_its_rival_is_not_judged(
    results: list[Result],
) -> None:
    text = as_markdown(results, {"version": "2 x tmt, 50 x best, 5 x reframe"})
    assert "| ≥ 2.00 x tmt | yes (20.0 x) |" in text
    assert "| ≥ 50.0 x best | no (20.0 x) |" in text
    assert "| ≥ 5.00 x reframe | not measured |" in text
    assert '<td class="no">no (20.0 x)</td>' in as_page(results, {"version": "50 x best"})


def test_machine_versions_and_failures_are_said(results: list[Result]) -> None:
    text = as_markdown(results, BARS)
    assert "processor: A <fast> one, cores: 2" in text
    assert "tmt: 1.78.0" in text
    assert "load when each began: 0.5  " in text
    assert "Failed: reframe --version: broken" in text


def test_json_holds_every_sample(results: list[Result]) -> None:
    document = json.loads(as_json(results, BARS))
    assert [v["reached"] for v in document["verdicts"]] == [True, False]
    assert document["results"][0]["seconds"]["tmt --version"] == [1.4, 1.4, 1.4]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.sources: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.sources += [v for name, v in attrs if name in ("src", "href")]


def test_the_page_needs_no_network_and_escapes(results: list[Result]) -> None:
    page = as_page(results, BARS)
    links = Links()
    links.feed(page)
    assert links.sources == []
    assert "script" not in links.names
    assert links.names.count("svg") == 2
    assert "A &lt;fast&gt; one" in page
    assert "&lt;60&gt; presets applied</td>" in page
    assert "<td><code>--version</code> over <code>python -c pass</code></td>" in page
    assert '<td class="no">no</td>' in page
