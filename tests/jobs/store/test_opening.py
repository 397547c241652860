"""Opening a store: what is in the way is said, and what isn't ours stays as it is."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError

from projects.core.errors import TopgallantError, UsageError
from projects.jobs.model.entities import Token
from projects.jobs.model.states import State
from projects.jobs.store import database, errors, opening
from projects.jobs.store.store import open_store
from projects.jobs.store.tables import metadata
from projects.jobs.store.values import Change, NewJob, NewSubmission

NEW = NewSubmission("ada", [NewJob("true")])
ID = bytes.fromhex("00000000000040008000000000000000")


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/satellite.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return url_of(tmp_path)
    found: str = request.getfixturevalue("postgresql")
    return found.replace("postgresql:", "postgresql+psycopg:")


def test_tables_and_migrations_agree(url: str) -> None:
    open_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_version_is_the_newest_migration() -> None:
    config = Config()
    folder = Path(opening.__file__).with_name("migrations")
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == opening.VERSION


def test_a_database_of_version_1_is_brought_up_to_date(url: str) -> None:
    open_store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:  # as version 1 had it
        connection.execute(text("DROP INDEX submission_below"))
        for column in ("parent", "below", "below_attempt"):
            connection.execute(text(f"ALTER TABLE submission DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        table = metadata.tables["submission"]
        later = ("parallel", "cancelled", "finished", "parent", "below", "below_attempt")
        row = dict.fromkeys([c.name for c in table.c if c.name not in later], 0)
        told = {"number": 1, "shelf": 1, "owner": "ada", "note": "", "id": ID}
        connection.execute(table.insert(), row | told)
        connection.execute(text("INSERT INTO shelf VALUES (1, 1, '', 'ada', 0, 0, 1)"))
    store = open_store(url)
    (old,) = store.submissions().items
    assert (old.owner, old.parent, old.below) == ("ada", None, None)
    store.submit(NEW)
    store.close()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_newer_version_is_refused(url: str) -> None:
    open_store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    with pytest.raises(errors.StoreForeign, match="is of version 0999, this program knows"):
        open_store(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0999"
    engine.dispose()


def test_a_database_of_something_else_is_left_as_it_is(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a INTEGER)"))
    with pytest.raises(errors.StoreForeign, match="tables of something else"):
        open_store(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM theirs")).all() == []
    engine.dispose()


@pytest.mark.parametrize("version", ["0999", "abc"])
def test_not_a_byte_of_a_foreign_file_changes(tmp_path: Path, version: str) -> None:
    open_store(url_of(tmp_path)).close()
    path = tmp_path / "satellite.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()
    before = path.read_bytes()
    with pytest.raises(errors.StoreForeign):
        open_store(url_of(tmp_path))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "satellite.db"
    path.write_bytes(b"these are my notes\n" * 500)
    with pytest.raises(errors.StoreDamaged, match=r"satellite.db: it is no database"):
        open_store(url_of(tmp_path))
    assert path.read_bytes() == b"these are my notes\n" * 500


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path))
    store.submit(NewSubmission("ada", [NewJob("true", {"a": "x" * 1000})] * 500))
    store.close()
    path = tmp_path / "satellite.db"
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with pytest.raises(errors.StoreDamaged, match="damaged"):
        open_store(url_of(tmp_path)).jobs(limit=1000)


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "satellite.db").touch()
    store = open_store(url_of(tmp_path))
    store.submit(NEW)
    store.close()


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreMissing, match=f"{tmp_path}/none is no folder"):
        open_store(url_of(tmp_path / "none"))
    (tmp_path / "satellite.db").mkdir()
    with pytest.raises(errors.StoreDamaged, match="is a folder"):
        open_store(url_of(tmp_path))


def test_a_file_that_another_process_keeps_locked_is_said(tmp_path: Path) -> None:
    store = open_store(url_of(tmp_path), wait=0.05)
    other = sqlite3.connect(tmp_path / "satellite.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(errors.StoreLocked, match="another process keeps it locked"):
        store.submit(NEW)
    assert store.counts().total == 0
    other.execute("COMMIT")
    other.close()
    store.submit(NEW)
    store.close()


def test_a_client_is_told_soon_that_another_process_writes(url: str) -> None:
    """What is written in the background goes on waiting; here that would take ten minutes."""
    store = open_store(url, wait=600)
    assert store._database.call_wait == database.CALL
    store.submit(NEW)
    store.add_token(Token("t", "hash", "ada", "", (), 1))
    store._database.call_wait = 0.05
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    lock = (
        "BEGIN IMMEDIATE" if "sqlite" in url else f"SELECT pg_advisory_lock({database.JOBS_LOCK})"
    )
    with engine.connect() as other:
        other.exec_driver_sql(lock)
        for call in (
            lambda: store.submit(NEW),
            lambda: store.cancel_waiting([1], reason="", at=1),
            lambda: store.retry(1, reason="", at=1),
            lambda: store.revoke_token("t", at=1),
            lambda: store.set_setting("a", 1),
            lambda: store.touch_token("t", at=1),
        ):
            with pytest.raises(errors.StoreLocked, match="another process keeps it locked"):
                call()
        with ThreadPoolExecutor(1) as pool:
            recorded = pool.submit(store.record, [Change(1, 1, 1, State.RUNNING)])
            while not store._database._lock.locked():
                assert not recorded.done()
            with pytest.raises(errors.StoreLocked, match="others write and wait already"):
                store.submit(NEW)
            assert not recorded.done()
            other.invalidate()
            assert recorded.result(60) == []
    assert store.counts().total == 1
    store.close()
    engine.dispose()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users reach; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="topgallant-store-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


# Everything is imported before the user changes: the interpreter may lie where only root reads.
_AS_ANOTHER = """
import os, sys
from projects.jobs.model.states import State
from projects.jobs.store import errors
from projects.jobs.store.store import open_store
store = open_store(f"sqlite:///{sys.argv[2]}/satellite.db"); store.counts(); store.close()
if os.geteuid() == 0:
    os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
try:
    open_store(f"sqlite:///{sys.argv[1]}/satellite.db")
except errors.StoreReadOnly as error:
    print(error)
"""


@pytest.mark.parametrize("made", [True, False])
def test_what_cannot_be_written_to_is_said(
    open_folder: Path, tmp_path: Path, checkout: Path, made: bool
) -> None:
    if made:
        open_store(url_of(open_folder)).close()
        (open_folder / "satellite.db").chmod(0o444)
    open_folder.chmod(0o555)
    ended = subprocess.run(
        [sys.executable, "-c", _AS_ANOTHER, str(open_folder), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    assert f"{open_folder} can't be written to by this user" in ended.stdout


def test_only_its_owner_reads_the_file_whatever_the_umask_and_the_folder(
    open_folder: Path,
) -> None:
    before = os.umask(0)
    try:
        store = open_store(url_of(open_folder))
        store.submit(NEW)
        modes = {file.name: file.stat().st_mode & 0o777 for file in open_folder.iterdir()}
    finally:
        os.umask(before)
    store.close()
    assert modes == dict.fromkeys(("satellite.db", "satellite.db-shm", "satellite.db-wal"), 0o600)


@pytest.mark.parametrize("replaced", [True, False])
def test_nothing_is_acknowledged_into_a_file_that_was_removed(
    tmp_path: Path, replaced: bool
) -> None:
    store = open_store(url_of(tmp_path))
    store.submit(NEW)
    aside = tmp_path / "aside.db"
    (tmp_path / "satellite.db").rename(aside)
    if replaced:
        shutil.copy(aside, tmp_path / "satellite.db")
    for call in (lambda: store.submit(NEW), store.ping):
        with pytest.raises(errors.StoreMissing, match="removed or replaced while this program"):
            call()
    aside.rename(tmp_path / "satellite.db")
    store.submit(NEW)
    store.ping()
    assert store.counts().total == 2
    store.close()


@pytest.mark.parametrize(
    "wrong", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:swordfish@h/d"]
)
def test_a_url_of_something_else_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="is no store") as caught:
        open_store(wrong)
    assert "swordfish" not in str(caught.value)


def test_a_server_that_is_away_is_said_without_the_password() -> None:
    with pytest.raises(errors.StoreAway, match="doesn't answer") as caught:
        open_store("postgresql://ada:swordfish@127.0.0.1:1/jobs", wait=2)
    assert "swordfish" not in str(caught.value)


def test_one_server_at_a_time_runs_the_jobs_of_a_store(url: str) -> None:
    first, second = open_store(url, wait=0.2), open_store(url, wait=0.2)
    first.claim()
    for _ in range(2):
        with pytest.raises(errors.StoreLocked, match="another server works with the jobs in"):
            second.claim()
    second.submit(NEW)
    first.release()
    second.claim()
    second.close()
    first.claim()
    first.close()


def lose_connections(url: str) -> None:
    """End what the stores of this process are connected by, as a restart of the server does."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'topgallant' AND datname = current_database()"
        )


def test_a_connection_that_was_lost_is_made_again(postgresql: str) -> None:
    store = open_store(postgresql, wait=5)
    store.submit(NEW)
    store.counts()
    lose_connections(postgresql)
    store.submit(NEW)
    assert store.counts().total == 2
    store.close()


def test_what_was_recorded_outlives_a_crash_of_the_server(postgresql: str) -> None:
    store = open_store(postgresql, wait=5)
    number = store.submit(NEW).first
    seen = []
    database = store._database

    @event.listens_for(database._writer, "commit")
    def _committing(connection: Any) -> None:
        seen.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar())

    store.record([Change(number, 1, 1, State.RUNNING)])
    store.touch_token("nobody", at=1)
    assert seen == ["on", "off"]
    store.close()


@pytest.mark.parametrize("state", ["IoError", "QueryCanceled", "SystemError", "AdminShutdown"])
def test_what_is_wrong_with_a_server_is_never_taken_for_a_mistake_of_ours(
    postgresql: str, state: str
) -> None:
    import psycopg.errors

    store = open_store(postgresql, wait=5)
    with pytest.raises(errors.StoreError), store._database.read() as connection:
        broken: Any = getattr(psycopg.errors, state)("it fails")

        @event.listens_for(connection, "before_cursor_execute")
        def _fail(*_: Any) -> None:
            raise OperationalError("SELECT 1", {}, broken)

        connection.exec_driver_sql("SELECT 1")
    store.close()


def test_errors_are_of_our_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert all(issubclass(kind, TopgallantError) for kind in kinds)
