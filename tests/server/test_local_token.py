from __future__ import annotations

import stat
from pathlib import Path

import pytest

from projects.core.errors import InfrastructureError
from projects.jobs.engine.settings import Settings
from projects.jobs.http import token_files, tokens
from projects.jobs.model import moment
from projects.jobs.store.store import open_store
from projects.server.app import local_token
from projects.server.app.options import Options


def test_clients_look_where_the_server_writes() -> None:
    environ = {"XDG_STATE_HOME": "/state", "HOME": "/home/ann"}
    assert str(token_files.path_for("Localhost", 8001, environ)) == (
        "/state/topgallant/tokens/localhost_8001"
    )
    assert str(token_files.path_for("[::1]", 1, {"HOME": "/home/ann"})) == (
        "/home/ann/.local/state/topgallant/tokens/::1_1"
    )


def test_a_token_file_is_complete_private_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "token"
    token_files.write(path, "one")
    path.chmod(0o644)
    token_files.write(path, "two")
    assert token_files.read(path) == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["token"]
    token_files.remove(path, "one")
    assert path.exists(), "it is another server's by now"
    token_files.remove(path, "two")
    assert token_files.read(path) is None


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="file"):
        token_files.write(tmp_path / "file" / "token", "x")


def test_the_local_token_is_kept_until_it_opens_nothing(tmp_path: Path) -> None:
    options = Options(engine=Settings(data_directory=tmp_path))
    store = open_store(options.database_url)
    first = local_token.keep_local_token(store, options)
    assert local_token.keep_local_token(store, options) == first
    known = store.token(tokens.digest(first))
    assert known is not None
    assert known.owner == local_token.user_name()
    store.revoke_token(known.id, at=moment.now())
    second = local_token.keep_local_token(store, options)
    assert second != first
    assert token_files.read(options.token_file) == second
    store.close()


def test_the_names_under_which_a_server_is_looked_for(tmp_path: Path) -> None:
    def names(host: str) -> list[str]:
        options = Options(engine=Settings(data_directory=tmp_path), host=host)
        return [path.name for path in local_token.files_for(options, 1)]

    assert names("127.0.0.1") == ["127.0.0.1_1", "::1_1", "localhost_1"]
    assert names("0.0.0.0") == ["127.0.0.1_1", "::1_1", "localhost_1"]  # noqa: S104
    assert names("10.1.2.3") == ["10.1.2.3_1"]
