"""The page: escaped, self-contained, readable without JavaScript."""

from __future__ import annotations

from html.parser import HTMLParser

from projects.core.artifacts.timeline import timeline
from tests.core.artifacts.recorded import Recording, failing_run

VOID = {"meta", "br", "input"}


class Page(HTMLParser):
    """Collects links, ids and texts, and insists that every element is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.spans: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag not in VOID:
            self.stack.append(tag)
        if tag == "a":
            self.links.append(told["href"] or "")
        if "id" in told:
            self.ids.append(told["id"] or "")
        if "data-kind" in told:
            self.spans.append(told)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] not in ("script", "style"):
            self.text += data


def test_the_page_is_well_formed_and_tells_the_run() -> None:
    page = Page(timeline(failing_run().run()))
    for told in ("demo test_ci", "lab-1", "quick", "0.1.0", "25 s", "replicas: 3", "2 of 3 nodes"):
        assert told in page.text
    assert len(page.spans) == 8
    assert page.spans[2]["data-at"] == "2.000000"
    assert page.spans[2]["data-for"] == "10.000000"
    assert len(set(page.ids)) == len(page.ids)


def test_what_went_wrong_comes_first_where_it_went_wrong() -> None:
    page = Page(timeline(failing_run().run()))
    assert page.links[0] == "#ss"
    assert page.links[1] == "000__test_ci/001__p/FAILURE"
    assert [s["id"] for s in page.spans if "data-origin" in s] == ["ss"]


def test_every_link_stays_within_the_run_and_is_quoted() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo", dir=".")
    told.started(0, "a", "command", "x", parent="r", dir='000__a b#c?"d<e>')
    page = Page(timeline(told.run()))
    assert "000__a%20b%23c%3F%22d%3Ce%3E/" in page.links
    assert all(not link.startswith(("http", "/", "javascript:")) for link in page.links)


def test_foreign_text_is_escaped_everywhere() -> None:
    evil = "</script><img src=x onerror=alert(1)>'\"&\x00"
    told = Recording()
    facts = dict.fromkeys(("project", "verb", "host", "version", "command_line"), evil)
    told.started(0, "r", evil, evil, dir=evil, parameters={evil: evil}, presets=[evil], **facts)
    told.add(1, "progress", "r", done=1, total=2, unit=evil)
    told.add(1, "note", "r", level=evil, message=evil, data={})
    told.ended(2, "r", 2, outcome=evil, error=evil)
    told.started(2, '"><b>', "step", evil)
    told.ended(3, '"><b>', 1, outcome="failed", error=evil)
    text = timeline(told.run())
    assert "<img" not in text
    assert "\x00" not in text
    assert text.count("</script>") == 1
    Page(text)


def test_the_command_line_can_be_copied_into_a_shell() -> None:
    told = Recording()
    told.started(0, "r", "run", "demo", command_line=["./run_toolbox.py", "demo", "a=[1, 2]"])
    assert "./run_toolbox.py demo &#x27;a=[1, 2]&#x27;" in timeline(told.run())


def test_the_page_loads_nothing_and_allows_only_its_own_script() -> None:
    text = timeline(failing_run().run())
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text
    assert "http://" not in text
    assert "https://" not in text
    assert "src=" not in text.replace("-src", "")


def test_an_empty_run_and_one_of_10000_spans_have_a_page() -> None:
    Page(timeline(Recording().run()))
    told = Recording()
    told.started(0, "r", "run", "many")
    for i in range(10_000):
        told.started(i, f"c{i}", "command", f"command {i}", parent="r", dir=f"{i:03d}__c")
        told.ended(i + 1, f"c{i}", 1)
    text = timeline(told.run())
    assert text.count("<li ") == 10_001
    assert len(text) < 4_000_000


def test_a_deep_tree_has_a_page() -> None:
    told = Recording()
    for i in range(2000):
        told.started(i, f"c{i}", "step", f"step {i}", parent=f"c{i - 1}")
    Page(timeline(told.run()))
