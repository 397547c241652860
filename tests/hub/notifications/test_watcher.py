"""What is decided, and what isn't missed when something is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.hub.notifications.outbox import Outbox
from projects.hub.notifications.values import Delivery, Kind
from projects.hub.notifications.watcher import Judged, Sources, Watcher
from projects.hub.store.database import open_hub_store
from projects.jobs.store.errors import StoreLocked


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    database = open_hub_store(f"sqlite:///{tmp_path}/hub.db")
    found = Outbox(database)
    values = {"name": "", "pattern": "*", "shared": False, "active": True, "secret": ""}
    new = {"owner": "ann", "kinds": [Kind.SLOWER], "channel": "webhook", "target": "http://x/"}
    found.add_rule({**values, **new})
    yield found
    database.close()


def told(outbox: Outbox) -> list[Delivery]:
    return outbox.page(None, limit=99)


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
