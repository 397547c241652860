"""What is decided, and what isn't missed when something is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projects.hub.notifications.outbox import Outbox
from projects.hub.notifications.values import Delivery, Kind
from projects.hub.notifications.watcher import Judged, Sources, Watcher
from projects.hub.store.database import open_hub_store
from projects.jobs.model.entities import Event, Job
from projects.jobs.model.states import Outcome, State
from projects.jobs.store.errors import StoreLocked
from projects.jobs.store.values import Events


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    database = open_hub_store(f"sqlite:///{tmp_path}/hub.db")
    found = Outbox(database)
    values = {"name": "", "pattern": "*", "shared": False, "active": True, "secret": ""}
    new = {
        "owner": "ann",
        "kinds": [Kind.FAILED, Kind.SLOWER],
        "channel": "webhook",
        "target": "http://x/",
    }
    found.add_rule({**values, **new})
    yield found
    database.close()


def told(outbox: Outbox) -> list[Delivery]:
    return outbox.page(None, limit=99)


class Jobs:
    """A store with events up to a number, all of them ends of one job."""

    def __init__(self, last: int) -> None:
        self.last = last

    def last_event(self) -> int:
        return self.last

    def events(self, after: int, limit: int) -> Events:
        numbers = range(after + 1, min(self.last, after + limit) + 1)
        return Events([Event(n, 1, n, 1, "state", after=State.DONE) for n in numbers], self.last)

    def job(self, number: int) -> Job:
        new = Job(number, f"job-{number}", 1, "s", 0, "ann", "disk", {}, State.DONE, None, 1, 1, 0)
        return replace(new, outcome=Outcome.FAILED, finished=1)


def test_events_that_get_their_numbers_again_are_told(outbox: Outbox) -> None:
    jobs = Jobs(10)
    sources = Sources(jobs, lambda _: (), lambda _: (), lambda _: None, lambda: ())
    Watcher(outbox, sources).begin()
    jobs.last = 4  # a backup was put back
    watcher = Watcher(outbox, sources)
    watcher.begin()
    jobs.last = 6
    assert watcher.look_at_jobs()
    assert [one.message["data"]["job"] for one in told(outbox)] == ["job-6", "job-5"]


def test_a_table_is_judged_again_when_that_failed(outbox: Outbox) -> None:
    asked: list[tuple[str, str]] = []

    def judge(names: tuple[str, str]) -> Judged:
        asked.append(names)
        if names == ("a", "a") and asked.count(names) == 1:
            raise StoreLocked("away")
        worse = [("latency", "It is slower.")]
        return Judged(ord(names[0]), 1, "/".join(names), "/tables", "ann", (), worse)

    sources = Sources(None, lambda _: (), lambda _: (), judge, lambda: ())
    watcher = Watcher(outbox, sources)
    watcher.changed(("a", "a"))
    watcher.changed(("b", "b"))
    with pytest.raises(StoreLocked):
        watcher.look_at_tables()
    watcher.look_at_tables()
    assert asked == [("a", "a"), ("b", "b"), ("a", "a")]
    assert sorted(one.message["title"] for one in told(outbox)) == [
        "a/a: latency got worse",
        "b/b: latency got worse",
    ]
    watcher.look_at_tables()
    assert len(asked) == 3
