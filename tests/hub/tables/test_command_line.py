"""`hub tables`: files are sent once, and written whole."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projects.core.errors import UsageError
from projects.hub.tables import command_line, downloads
from projects.hub.toolbox import hub as words
from projects.jobs.library.client import Away, Client, Refused
from tests.hub.hub_world import Hub

PATH = "/api/v1/tables/lab%201/speed"


@pytest.fixture
def client(hub: Hub) -> Client:
    return Client(hub.address, environ={"TOPGALLANT_TOKEN": hub.world.token("ann")})


def test_a_file_is_uploaded_once_unless_again(
    client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.csv"
    file.write_text("ms,mode\n1,wal\n2,delete\n")
    first = command_line.upload(client, PATH, str(file), None, again=False)
    assert (first["rows"], first["added"]) == (2, ["ms", "mode"])
    assert capsys.readouterr().err == ""
    assert command_line.upload(client, PATH, str(file), None, again=False) == first
    said = capsys.readouterr().err
    assert said == f"nothing was added: {file} was uploaded {first['at']}; --again adds it again\n"
    assert command_line.upload(client, PATH, str(file), None, again=True)["first"] == 3
    assert capsys.readouterr().err == ""


def test_a_download_that_breaks_off_leaves_nothing(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[bytes]:
        yield b"half a li"
        raise Away("it went away")

    monkeypatch.setattr(Client, "stream", broken)
    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises(Away):
        command_line.download(client, PATH, str(target), "")
    assert list(tmp_path.glob("out.csv*")) == [target]
    assert target.read_text() == "before"


def test_a_download_is_a_file_or_stdout(
    client: Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "r.json"
    file.write_text('[{"ms": 1}, {"ms": 2}]')
    command_line.upload(client, PATH, str(file), None, again=False)
    target = tmp_path / "out.jsonl"
    done = command_line.download(client, PATH, str(target), "ms > 1")
    assert done == {"file": str(target), "bytes": target.stat().st_size}
    assert [json.loads(line)["row"] for line in target.read_text().splitlines()] == [2]
    assert [path.name for path in tmp_path.glob("*.part")] == []
    assert command_line.download(client, PATH, "", "") is None
    assert capfd.readouterr().out.startswith("ms,@row,@at")


def test_parquet_says_what_it_needs(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as where it isn't installed
    file = tmp_path / "r.json"
    file.write_text('{"ms": 1}')
    command_line.upload(client, PATH, str(file), None, again=False)
    with pytest.raises(Refused, match=r"pip install .* -r requirements-parquet\.lock"):
        command_line.download(client, PATH, str(tmp_path / "out.parquet"), "")
    assert not (tmp_path / "out.parquet").exists()


def test_parquet_is_written_where_it_can_be(client: Client, tmp_path: Path) -> None:
    """`./run_tests` installs pyarrow; where it isn't there, the page must not promise a file."""
    file, target = tmp_path / "r.json", tmp_path / "out.parquet"
    file.write_text('[{"ms": 1.5, "at": "2026-01-02T03:04:05Z"}, {"ms": null, "at": null}]')
    command_line.upload(client, PATH, str(file), None, again=False)
    if downloads.parquet_possible():
        command_line.download(client, PATH, str(target), "")
        parquet: Any = importlib.import_module("pyarrow.parquet")
        table = parquet.read_table(target)
        assert table.column("ms").to_pylist() == [1.5, None]
        assert str(table.schema.field("at").type) == "timestamp[us, tz=UTC]"
        assert table.column("@row").to_pylist() == [1, 2]
    else:
        with pytest.raises(Refused) as refused:
            command_line.download(client, PATH, str(target), "")
        assert downloads.INSTALL in str(refused.value)


@pytest.mark.parametrize(
    ("file", "said"), [("", "which file"), ("r.xlsx", "Possible: .csv, .json"), ("r.jsn", ".json")]
)
def test_a_file_of_another_kind_is_refused(client: Client, file: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        command_line.upload(client, PATH, file, None, again=False)


def test_tables_are_listed_and_shown(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOPGALLANT_TOKEN", hub.world.token("ann"))
    file = tmp_path / "r.json"
    file.write_text('[{"ms": 1}, {"ms": 2}]')
    unwrapped: Any = words.tables
    at = {"server": hub.address}
    unwrapped("upload", "lab 1", "speed", str(file), **at)
    assert [one["rows"] for one in unwrapped("list", **at)] == [2]
    assert unwrapped("show", "lab 1", "speed", **at)["columns"][0]["name"] == "ms"
    rows = unwrapped("rows", "lab 1", "speed", where="ms > 1", **at)
    assert [row["values"] for row in rows["items"]] == [{"ms": 2}]


def test_what_is_said_of_columns_is_changed(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text('[{"ms": 1.5}]')
    command_line.upload(client, PATH, str(file), None, again=False)
    changed = command_line.change(client, PATH, "ms", "lower", "ms", None)
    assert changed["columns"][0] == {"name": "ms", "type": "real", "unit": "ms", "better": "lower"}
    assert command_line.change(client, PATH, "ms", "none", None, [""])["groups"] == []
    assert client.get_json(PATH)["columns"][0] == {**changed["columns"][0], "better": None}
    with pytest.raises(UsageError, match="of which column"):
        command_line.change(client, PATH, "", "lower", None, None)
    with pytest.raises(UsageError, match="what is changed"):
        command_line.change(client, PATH, "ms", "", None, None)
    with pytest.raises(Refused, match='did you mean "ms"'):
        command_line.change(client, PATH, "m", "lower", None, None)
