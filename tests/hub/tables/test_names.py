"""Every name that an upload takes leads to its table: by the API, the pages and the commands."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.hub.tables.names import address, check_name
from projects.hub.toolbox import hub as commands
from projects.jobs.http import token_files
from projects.jobs.http.refusals import Invalid
from projects.jobs.library.client import address_of
from tests.hub.hub_world import Hub, served_hub

PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
NAMES = st.text(PRINTABLE | st.sampled_from("/%.?#&+;:\\~ "), min_size=1, max_size=60).filter(
    lambda name: name.strip() and name not in (".", "..") and name.isprintable()
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with served_hub(tmp_path_factory.mktemp("names")) as made:
        made.user("ann")
        yield made


@pytest.fixture(scope="module")
def ann(hub: Hub) -> httpx.Client:
    return hub.browser("ann")


@pytest.fixture(scope="module")
def state(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the commands find a token of ann."""
    state = str(tmp_path_factory.mktemp("state"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", state)
        where = address_of(hub.address)
        token = hub.world.token("ann", ["submit"])
        token_files.write(token_files.path_for(where.host, where.port), token)
    return state


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(system=NAMES, name=NAMES)
@example(system="a/b", name="c")
@example(system="a", name="b/c")
@example(system="/", name="//")
@example(system="../..", name="./x")
@example(system="%2F", name="%252f")
@example(system="a?b=c", name="d#e&f")
@example(system=" spaces ", name="größe 大小")
@example(system="rows", name="rows.csv")
@example(system="\\", name="~1")
def test_every_name_that_is_taken_leads_to_its_table(
    hub: Hub, ann: httpx.Client, state: str, system: str, name: str
) -> None:
    path = f"/api/v1/tables/{address(system, name)}"
    assert ann.post(f"{path}/rows", json={"latency": 1.5}).status_code == 201
    names = (system, name)
    found = ann.get(path).json()
    assert (found["test_system"], found["test_name"]) == names
    assert ann.get(f"{path}/rows").json()["items"][0]["values"] == {"latency": 1.5}
    assert ann.get(f"{path}/rows.csv").text.startswith("latency,")
    page = ann.get(f"/tables/{address(*names)}")
    assert f"<h1>{html.escape(system)} / {html.escape(name)}</h1>" in unescaped(page.text)
    assert ann.get(f"/tables/{address(*names)}/verdict?column=latency").status_code == 200
    links = [html.unescape(one) for one in re.findall(r'href="([^"]+)"', ann.get("/tables").text)]
    assert f"/tables/{address(*names)}" in links
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", state)
        shown = commands.tables("show", system, name, server=hub.address)
    assert (shown["test_system"], shown["test_name"]) == names


def unescaped(page: str) -> str:
    """Return a page with quotes as `html.escape` writes them."""
    return page.replace("&#39;", "&#x27;").replace("&#34;", "&quot;")


def test_names_that_differ_in_their_slashes_are_different_tables(ann: httpx.Client) -> None:
    for number, names in enumerate((("x/y", "z"), ("x", "y/z"), ("x", "y%2Fz")), 1):
        ann.post(f"/api/v1/tables/{address(*names)}/rows", json={"n": number}).raise_for_status()
    for number, names in enumerate((("x/y", "z"), ("x", "y/z"), ("x", "y%2Fz")), 1):
        rows = ann.get(f"/api/v1/tables/{address(*names)}/rows").json()["items"]
        assert [row["values"] for row in rows] == [{"n": number}]


@pytest.mark.parametrize("name", [".", "..", "", " ", "a\nb", "a\0b", "\ue02f", "x" * 201])
def test_names_that_lead_nowhere_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_name(name, "test_name")
    assert "test_name" in refused.value.fields


def test_an_upload_to_a_name_that_browsers_take_away_says_so(hub: Hub, ann: httpx.Client) -> None:
    target = b"/api/v1/tables/a/%2e%2e/rows"  # as no client of ours sends it
    url = httpx.URL(hub.address).copy_with(raw_path=target)
    answer = ann.send(ann.build_request("POST", url, json={"n": 1}))
    assert answer.status_code == 422
    assert "choose another" in answer.text
    for names in ((".", "x"), ("x", "..")):
        with pytest.raises(UsageError, match="is no test_"):
            commands.tables("show", *names)


def test_the_log_in_leads_back_to_any_table(hub: Hub) -> None:
    look = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    path = f"/tables/{address('a/b', 'größe')}?column=x"
    away = hub.browser().get(path, headers=look)
    page = hub.browser().get(away.headers["Location"]).text
    assert f'name="next" value="{path}"' in page
