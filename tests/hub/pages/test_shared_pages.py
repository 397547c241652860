"""What is shared with a group: its members see all of it, as it happens, and only so long."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from projects.core.errors import TopgallantError
from projects.hub.toolbox import hub as commands
from tests.hub.hub_world import ROOT, TEST, Hub
from tests.jobs.http.puppets import served

AT_ONCE = 0.0


@pytest.fixture
def team(hub: Hub) -> Hub:
    """Ann shares with a team that bob is in, and eve is not."""
    for name in ("ann", "bob", "eve"):
        hub.user(name)
    hub.group("team", ["ann", "bob"])
    return hub


def submitted(hub: Hub, count: int = 2) -> tuple[str, list[str]]:
    """Submit jobs of ann; return the submission's id and theirs."""
    jobs = hub.world.submit(hub.client("ann"), count, groups=["team"])
    found = hub.world.store.job(jobs[0])
    assert found is not None
    return found.submission_id, jobs


def test_members_see_the_jobs_of_a_shared_submission(team: Hub) -> None:
    id_, jobs = submitted(team)
    for job in jobs:
        team.world.ended(job)
    found = team.world.store.submission(id_)
    assert found is not None
    for which in (id_, str(found.number)):
        seen = {}
        for name in ("ann", "bob", "eve"):
            client, query = team.client(name), {"submission": which}
            listed = client.get("/api/v1/jobs", params=query).json()["items"]
            counted = client.get("/api/v1/counts", params=query).json()["total"]
            old = client.get("/satellite/jobs", params=query).json()["data"]["jobs"]
            seen[name] = (len(listed), counted, len(old))
        assert seen == {"ann": (2, 2, 2), "bob": (2, 2, 2), "eve": (0, 0, 0)}
    page = team.browser("bob").get(f"/submissions/{id_}").text
    assert all(f"/jobs/{job}" in page for job in jobs)
    mine = team.client("bob").get("/api/v1/jobs", params={"submission": id_, "owner": "bob"})
    assert mine.json()["items"] == []
    assert team.client("bob").get("/api/v1/jobs").json()["items"] == []


@pytest.mark.parametrize("which", ["job", "submission"])
def test_members_are_told_when_something_changes(
    team: Hub, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    monkeypatch.setattr("projects.hub.pages.live.SOON", AT_ONCE)
    monkeypatch.setattr("projects.hub.pages.live.OFTEN", AT_ONCE)
    monkeypatch.setattr("projects.hub.pages.live.PULSE", 3600.0)  # ticks tell nothing here
    team.world.puppets.hold = True
    id_, (job,) = submitted(team, 1)
    team.world.until(lambda: team.world.puppets.orders)
    running = team.world.store.job(job)
    assert running is not None
    address = f"/live?{which}={job if which == 'job' else id_}"
    assert team.browser("eve").get(address).status_code == httpx.codes.NOT_FOUND
    with team.browser("bob").stream("GET", address) as answer:
        heard = (line for line in answer.iter_lines() if line == "event: change")
        next(heard)  # the one at the beginning
        team.world.until(lambda: "ann" in team.world.services.feed._tails)  # it listens
        team.world.puppets.finish(running.number)
        assert next(heard) == "event: change"


def leave(hub: Hub) -> None:
    hub.directory.remove_member(ROOT, "team", "bob", TEST)


def remove_group(hub: Hub) -> None:
    hub.directory.remove_group("team", TEST)


@pytest.mark.parametrize("ends", [leave, remove_group])
@pytest.mark.parametrize(
    "address",
    ["/api/v1/jobs/{}/logs/stdout?follow=true", "/jobs/{}/log/stdout/follow", "/live?job={}"],
)
def test_who_is_in_the_group_no_more_follows_nothing_more(
    team: Hub, monkeypatch: pytest.MonkeyPatch, ends: Callable[[Hub], None], address: str
) -> None:
    monkeypatch.setattr("projects.jobs.http.streams.LOOKS", AT_ONCE)
    monkeypatch.setattr("projects.hub.pages.live.PULSE", 0.1)
    team.world.puppets.hold = True
    _, (job,) = submitted(team, 1)
    team.world.until(lambda: team.world.puppets.orders)
    with team.browser("bob").stream("GET", address.format(job)) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        ends(team)
        for _ in pieces:
            pass  # it comes to an end: the job doesn't


def test_who_is_no_admin_more_hears_nothing_more_of_others(
    team: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.jobs.http.streams.LOOKS", AT_ONCE)
    team.user("boss", admin=True)
    team.user("chief", admin=True)
    with team.client("chief", "admin").stream("GET", "/api/v1/events") as answer:
        pieces = answer.iter_raw()
        next(pieces)
        team.directory.change("chief", {"admin": False}, TEST)
        for piece in pieces:
            assert b"job_id" not in piece
            submitted(team)


@dataclass
class Sent:
    """A submission of ann that she shares with nobody yet, and where its pages begin."""

    id: str
    job: str
    base: str
    nickname: str

    @property
    def page(self) -> str:
        return f"{self.base}/jobs/{self.job}"


@pytest.fixture(params=["here", "satellite"])
def sent(team: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sent]:
    """What satctl sent to the hub's machine, or to a satellite without the hub."""
    with contextlib.ExitStack() as stack:
        world, base = team.world, ""
        if request.param == "satellite":
            world = stack.enter_context(served(tmp_path / "far", ["satellite"]))
            said = {"nickname": "far", "url": world.address, "version": "1", "tools": ["example"]}
            wanted = {**said, "token": world.token("hub", ["admin"])}
            satellite = team.client("sat", "satellite")
            satellite.post("/api/v1/satellites", json=wanted).raise_for_status()
            base = "/satellites/far"
        (job,) = world.submit(world.client("ann"))
        found = world.ended(job)
        yield Sent(found.submission_id, job, base, "far" if base else "")


def saved(browser: httpx.Client, where: str, **fields: str | list[str]) -> httpx.Response:
    return browser.post(where, data={**fields, "csrf_token": browser.headers["X-CSRF-Token"]})


def test_an_owner_shares_what_is_there_from_the_page_of_its_job(team: Hub, sent: Sent) -> None:
    ann, bob, eve = (team.browser(name) for name in ("ann", "bob", "eve"))
    submission = f"{sent.base}/submissions/{sent.id}"
    pages = [
        sent.page,
        submission,
        f"{sent.page}/log/stdout",
        f"{sent.page}/log/stdout/plain",
        f"{sent.page}/log/stdout/follow",
        f"{sent.page}/files/stdout.log",
    ]
    assert [bob.get(page).status_code for page in pages] == [404] * len(pages)
    assert f'action="{submission}/share"' in ann.get(sent.page).text
    answer = saved(ann, f"{submission}/share", groups=["team"], job=sent.job)
    assert (answer.status_code, answer.headers["Location"]) == (303, sent.page)
    assert "Seen by team" in ann.get(sent.page).text
    assert [bob.get(page).status_code for page in pages] == [200] * len(pages)
    assert f"{sent.page}" in bob.get(submission).text, "its jobs are listed"
    assert "/share" not in bob.get(sent.page).text
    assert [eve.get(page).status_code for page in pages] == [404] * len(pages)
    for verb in ("cancel", "retry"):
        assert saved(bob, f"{sent.page}/{verb}").status_code in (403, 404)
    assert saved(bob, f"{submission}/share").status_code == 403
    assert saved(eve, f"{submission}/share").status_code == 404
    leave(team)
    assert bob.get(sent.page).status_code == 404
    assert saved(ann, f"{submission}/share").headers["Location"] == submission
    assert "seen by" not in ann.get(submission).text
    assert "its owner alone" in ann.get(sent.page).text


def test_an_owner_shares_by_command(team: Hub, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPGALLANT_HUB", team.address)
    monkeypatch.setenv("TOPGALLANT_TOKEN", team.world.token("ann"))
    assert commands.share(sent.id, satellite=sent.nickname) == []
    assert commands.share(sent.id, ["team"], satellite=sent.nickname) == ["team"]
    assert team.browser("bob").get(sent.page).status_code == 200
    with pytest.raises(TopgallantError, match="not in the group others"):
        commands.share(sent.id, ["others"], satellite=sent.nickname)
    leave(team)
    team.directory.remove_member(ROOT, "team", "ann", TEST)
    assert commands.share(sent.id, ["team"], satellite=sent.nickname) == ["team"], "as it was"
    assert commands.share(sent.id, [], satellite=sent.nickname) == []
    noted = [what for _, action, what in team.audited() if action == "submission.share"]
    assert noted == ["/".join(filter(None, (sent.nickname, sent.id)))] * 3
