"""What is synced when, and how the -wal file is kept small."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projects.jobs.model.states import State
from projects.jobs.store import database, errors
from projects.jobs.store.store import open_store
from projects.jobs.store.values import Change, NewJob, NewSubmission
from tests.jobs.store.recount import assert_counts_are_true

NEW = NewSubmission("ada", [NewJob("true", {"text": "x" * 2000})] * 20)


def test_commits_wait_for_the_disk_only_when_they_are_durable(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/satellite.db")
    seen = []
    for durable in (False, True, True, False):
        with store._database.write(durable=durable) as connection:
            seen.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
    assert seen == [1, 2, 2, 1]
    store.close()


def test_a_sync_is_one_of_the_wal_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def note(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    store = open_store(f"sqlite:///{tmp_path}/satellite.db")
    store.submit(NEW)
    store.record([Change(1, 1, 1, State.RUNNING)])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", note)
        store.sync()
    assert synced == [f"{tmp_path}/satellite.db-wal"]
    store.close()


def test_a_wal_file_that_has_grown_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(database, "_RESTART_BYTES", 200_000)
    store = open_store(f"sqlite:///{tmp_path}/satellite.db")
    sizes = []
    for _ in range(20):
        store.submit(NEW)
        store.sync()
        sizes.append((tmp_path / "satellite.db-wal").stat().st_size)
    assert max(sizes) < 500_000
    assert_counts_are_true(store)
    store.close()
    assert not (tmp_path / "satellite.db-wal").exists()


def test_who_waits_for_other_writers_waits_no_longer_than_for_a_lock(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/satellite.db", wait=0.05)
    with (
        store._database.write(durable=False),
        ThreadPoolExecutor() as others,
        pytest.raises(errors.StoreLocked, match="others write and wait already"),
    ):
        others.submit(store.submit, NEW).result()
    store.submit(NEW)
    store.close()
