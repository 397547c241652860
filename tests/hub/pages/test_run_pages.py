"""Pages of exported runs."""

from __future__ import annotations

import re

import httpx
import pytest

from projects.hub.artifacts import records
from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.pages import run_routes
from projects.jobs.model import identity, moment
from tests.hub.hub_world import Hub


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    hub.user("ann")
    return hub.browser("ann")


def exported(hub: Hub, *projects: str) -> None:
    """Put empty runs into the database, the oldest first."""
    kept: Artifacts = hub.world.app.state.artifacts
    now = moment.now()
    with kept.database.write(durable=False) as connection:
        for number, project in enumerate(projects):
            id_ = identity.new()
            records.add_run(connection, id_, "ann", f"runs/{number}", now)
            run = records.run_of(connection, id_)
            assert run is not None
            records.change_run(connection, run.number, project=project, published=now)


def listed(text: str) -> list[str]:
    return re.findall(r'<th scope="row">(?:<[^>]*>)*([^<]*)', text)


def test_a_project_is_listed_however_many_runs_others_have_had_since(
    hub: Hub, ann: httpx.Client
) -> None:
    exported(hub, "seldom", *["often"] * 1000)
    page = ann.get("/projects").text
    assert listed(page) == ["often", "seldom"]
    assert page.count('class="dot') == 12 + 1


def test_projects_are_gone_through_page_by_page(
    hub: Hub, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_routes, "MOST_PROJECTS", 2)
    exported(hub, "", "a & b", "c", "d")
    path: str | None = "/projects"
    seen = []
    while path:
        page = ann.get(path).text
        seen.append(listed(page))
        more = re.search(r'href="(/projects[?]after=[^"]*)"', page)
        path = more and more[1].replace("&amp;", "&")
    assert seen == [["without a project", "a &amp; b"], ["c", "d"]]
