"""The tables of the hub: migrations and metadata agree, also in a shared database."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, select, text

from projects.hub.store import every_table
from projects.hub.store.database import HUB, open_hub_store
from projects.hub.store.tables_accounts import setting
from projects.jobs.store import errors
from projects.jobs.store.opening import HUB_VERSION_TABLE
from projects.jobs.store.store import open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    found: str = request.getfixturevalue("postgresql")
    return found.replace("postgresql:", "postgresql+psycopg:")


def test_tables_and_migrations_agree(url: str) -> None:
    open_hub_store(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        options = {"compare_type": True, "version_table": HUB_VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, every_table.metadata) == []
    engine.dispose()


def test_the_version_is_the_newest_migration_and_the_chain_has_no_branches() -> None:
    config = Config()
    config.set_main_option("script_location", str(HUB.migrations))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HUB.version]


def test_all_names_begin_with_hub() -> None:
    assert [name for name in every_table.metadata.tables if not name.startswith("hub_")] == []


@pytest.mark.parametrize("first", ["jobs", "hub"])
def test_jobs_and_hub_may_share_a_database(url: str, first: str) -> None:
    for _ in range(2):
        if first == "jobs":
            open_store(url).close()
        open_hub_store(url).close()
        open_store(url).close()
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    assert {"job", "hub_user", "alembic_version", HUB_VERSION_TABLE} <= names


def test_what_is_written_is_there_again(url: str) -> None:
    store = open_hub_store(url)
    with store.write(durable=True) as connection:
        connection.execute(insert(setting), {"key": "a", "value": "1"})
    store.close()
    store = open_hub_store(url)
    with store.read() as connection:
        assert connection.execute(select(setting.c.value)).scalars().all() == ["1"]
    store.close()


def test_a_newer_version_and_tables_of_something_else_are_refused(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (a INTEGER)"))
    with pytest.raises(errors.StoreForeign, match="tables of something else"):
        open_hub_store(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE theirs"))
    open_hub_store(url).close()
    with engine.begin() as connection:
        connection.execute(text("UPDATE hub_alembic_version SET version_num = '0999'"))
    with pytest.raises(errors.StoreForeign, match="is of version 0999"):
        open_hub_store(url)
    engine.dispose()
