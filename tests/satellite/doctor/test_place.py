"""What is said of directories and of what is in them."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path

from projects.satellite.doctor import place
from projects.satellite.doctor.findings import Verdict


def test_missing_and_wrong_test_scripts_are_told_with_what_to_do(tmp_path: Path) -> None:
    (found,) = place.test_scripts([tmp_path / "nowhere"])
    assert found.verdict is Verdict.PROBLEM
    assert "mkdir" in found.advice
    (found,) = place.test_scripts([tmp_path])
    assert found.verdict is Verdict.WARNING
    (tmp_path / "broken").mkdir()
    (found,) = place.test_scripts([tmp_path])
    assert found.check == "test script broken"


def test_a_data_directory_is_there_or_can_be_made(tmp_path: Path) -> None:
    assert place.data_directory(tmp_path / "a/b")[0].said.endswith("made at the first start")
    assert not (tmp_path / "a").exists()
    file = tmp_path / "file"
    file.touch()
    assert place.data_directory(file)[0].verdict is Verdict.PROBLEM
    tmp_path.chmod(0o755)
    assert "chmod 700" in place.data_directory(tmp_path)[-1].advice


def test_the_server_of_a_directory_is_who_holds_its_lock(tmp_path: Path) -> None:
    lock = tmp_path / "server.lock"
    assert place.server_pid(tmp_path) is None
    lock.write_text(f"{os.getpid()}\n")
    assert place.server_pid(tmp_path) is None
    with open(lock, encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert place.server_pid(tmp_path) == os.getpid()


def test_runners_without_a_server_are_told(tmp_path: Path) -> None:
    assert place.leftovers(tmp_path, None).said == "nothing is left over"
    runners = tmp_path / "run/runners"
    runners.mkdir(parents=True)
    (runners / "a.journal").write_text("{}\n")
    with open(runners / "b.journal", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert place.leftovers(tmp_path, None).said == (
            "1 go on without a server, 1 have ended since"
        )
        assert place.leftovers(tmp_path, 1).said == "1 work for the server"


def test_a_token_that_others_may_read_is_a_problem(tmp_path: Path) -> None:
    assert place.token(tmp_path) == []
    (tmp_path / "token").touch(0o600)
    assert place.token(tmp_path)[0].verdict is Verdict.OK
    (tmp_path / "token").chmod(0o640)
    assert place.token(tmp_path)[0].verdict is Verdict.PROBLEM


def test_a_database_is_read_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    assert place.database(tmp_path, "x.db").verdict is Verdict.OK
    assert not file.exists()
    file.write_text("this is no database, and long enough to be seen as none " * 20)
    assert "file is not a database" in place.database(tmp_path, "x.db").said
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    before = file.read_bytes()
    found = place.database(tmp_path, f"sqlite:///{file}")
    assert "of version 9999, this program knows up to" in found.said
    assert file.read_bytes() == before


def test_a_database_server_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    found = place.database(tmp_path, "postgresql+psycopg://me:hidden@127.0.0.1:9/none")
    assert found.verdict is Verdict.PROBLEM
    assert "refused" in found.said
    assert "hidden" not in found.said
