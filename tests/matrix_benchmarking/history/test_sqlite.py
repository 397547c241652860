"""The history in a folder: kills, many writers, damage, versions, size."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from projects.core.errors import ConfigurationError, InfrastructureError
from projects.matrix_benchmarking.history import sqlite
from projects.matrix_benchmarking.history.sqlite import FILE, SqliteHistory
from tests.conftest import CHECKOUT
from tests.matrix_benchmarking.payloads import LABELS, payload

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.matrix_benchmarking.kpis.payload import Payload

_ENDLESS = """
import sys
from pathlib import Path
from projects.matrix_benchmarking.history.sqlite import SqliteHistory
from tests.matrix_benchmarking.payloads import payload
history = SqliteHistory(Path(sys.argv[1]))
first = int(sys.argv[2])
for number in range(first, first + int(sys.argv[3]), 2):
    history.append([payload(number), payload(number + 1)])
    print(number + 2 - first, flush=True)
"""


def start(folder: Path, first: int, count: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", _ENDLESS, str(folder), str(first), str(count)]
    return subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def speeds(folder: Path) -> tuple[float, ...]:
    history = SqliteHistory(folder)
    try:
        return history.series("speed", LABELS, workload="P.W").values
    finally:
        history.close()


def test_what_was_appended_survives_a_kill(tmp_path: Path) -> None:
    with start(tmp_path, 0, 1_000_000) as writer:
        assert writer.stdout is not None
        for _ in range(10):
            said = writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.readlines()
    known = int((rest[-1:] or [said])[0])
    found = speeds(tmp_path)
    assert found == tuple(float(number) for number in range(len(found)))
    assert len(found) >= known
    assert len(found) % 2 == 0  # all of one append, or nothing


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    writers = [start(tmp_path, 1000 * number, 40) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    assert len(speeds(tmp_path)) == 160


def test_many_threads_count_each_number_once(tmp_path: Path) -> None:
    SqliteHistory(tmp_path).close()

    def count(_: int) -> int:
        history = SqliteHistory(tmp_path)
        try:
            return history.next_build_index("nightly")
        finally:
            history.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(count, range(40))) == list(range(1, 41))


def test_an_append_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def points_of(given: Payload) -> Iterator[object]:
        if given.metadata.run_id == "run-2":
            raise ZeroDivisionError
        return iter(())

    history = SqliteHistory(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite, "points_of", points_of)
        with pytest.raises(ZeroDivisionError):
            history.append([payload(1), payload(2)])
    assert history.append([payload(1)]) == 1
    history.close()


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    history.append([payload(number) for number in range(100)])
    history.close()
    path = tmp_path / FILE
    damaged = b"This is no database. " + path.read_bytes()[21:]
    path.write_bytes(damaged)
    with pytest.raises(InfrastructureError, match=r"not a database.*left as it is: move it away"):
        SqliteHistory(tmp_path)
    assert path.read_bytes() == damaged


def test_a_damaged_page_is_refused(tmp_path: Path) -> None:
    history = SqliteHistory(tmp_path)
    history.append([payload(number) for number in range(100)])
    history.close()
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    history = SqliteHistory(tmp_path)
    with pytest.raises(InfrastructureError, match=r"malformed.*left as it is"):
        history.series("speed", LABELS, workload="P.W")
    history.close()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    SqliteHistory(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigurationError, match=r"newer version of this toolkit .format 99"):
        SqliteHistory(tmp_path)


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 1", "CREATE TABLE cooking (pot)"])
def test_another_s_file_is_refused(tmp_path: Path, statement: str) -> None:
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(ConfigurationError, match=r"no history of KPIs"):
        SqliteHistory(tmp_path)


def test_a_place_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InfrastructureError, match=r"file"):
        SqliteHistory(tmp_path / "file")


def test_a_series_is_found_by_its_index(tmp_path: Path) -> None:
    SqliteHistory(tmp_path).close()
    connection = sqlite3.connect(tmp_path / FILE)
    query = "EXPLAIN QUERY PLAN SELECT value FROM point WHERE series = 1 ORDER BY end_us DESC"
    ((*_, said),) = connection.execute(query).fetchall()
    connection.close()
    assert said == "SEARCH point USING PRIMARY KEY (series=?)"


def test_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    SqliteHistory(tmp_path / "a" / "b").close()
    assert os.listdir(tmp_path / "a" / "b") == [FILE]
