"""What is parsed again, and what is not."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING, Any

import pytest

from projects.matrix_benchmarking.results.cache import CACHE_FILE
from projects.matrix_benchmarking.results.load import load
from tests.matrix_benchmarking.results.conftest import NumbersParser, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def parsed_before(root: Path) -> Path:
    for name in ("one", "two"):
        write(root / name, f"a: {name}", {"n": name})
    load(root, NumbersParser())
    return root


def parsed_again(root: Path, **options: Any) -> list[str]:
    parser = NumbersParser()
    load(root, parser, **options)
    return parser.parsed_directories


def test_nothing_changed(parsed_before: Path) -> None:
    assert parsed_again(parsed_before) == []
    assert parsed_again(parsed_before) == []


def test_an_unchanged_cache_is_not_written_again(parsed_before: Path) -> None:
    old = time.time() - 100
    for path in parsed_before.rglob("*"):
        os.utime(path, (old, old))
    parsed_again(parsed_before)
    inode = (parsed_before / CACHE_FILE).stat().st_ino
    parsed_again(parsed_before)
    assert (parsed_before / CACHE_FILE).stat().st_ino == inode


def test_a_changed_file_of_the_same_size_and_time(parsed_before: Path) -> None:
    path = parsed_before / "one" / "numbers.json"
    before = path.stat()
    path.write_text(path.read_text().replace("one", "eno"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    parser = NumbersParser()
    found = load(parsed_before, parser)
    assert parser.parsed_directories == ["one"]
    assert found.results[0].parsed == {"n": "eno"}


@pytest.mark.parametrize("name", ["numbers.json", "settings.yaml", "exit_code"])
def test_a_file_with_another_content(parsed_before: Path, name: str) -> None:
    path = parsed_before / "two" / name
    path.write_text(path.read_text().rstrip() + " ")
    assert parsed_again(parsed_before) == ["two"]


def test_a_file_that_was_only_touched(parsed_before: Path) -> None:
    os.utime(parsed_before / "two" / "numbers.json", (1, 1))
    assert parsed_again(parsed_before) == []


def test_a_file_more_or_less(parsed_before: Path) -> None:
    (parsed_before / "two" / "settings.more.yaml").write_text("b: 2")
    assert parsed_again(parsed_before) == ["two"]
    (parsed_before / "two" / "settings.more.yaml").unlink()
    assert parsed_again(parsed_before) == ["two"]


def test_a_file_that_a_glob_finds(root: Path) -> None:
    class Globbing(NumbersParser):
        important_files = ("numbers.json", "logs/**/*.log")

    (write(root / "one") / "logs" / "deep").mkdir(parents=True)
    load(root, Globbing())
    (root / "one" / "logs" / "deep" / "new.log").touch()
    parser = Globbing()
    (result,) = load(root, parser).results
    assert parser.parsed_directories == ["one"]
    assert "logs/deep/new.log" in [file.path for file in result.files]


def test_another_version_of_the_parser(parsed_before: Path) -> None:
    parser = NumbersParser()
    parser.version = "2"
    load(parsed_before, parser)
    assert parser.parsed_directories == ["one", "two"]


def test_a_result_more_or_less(parsed_before: Path) -> None:
    write(parsed_before / "three", "a: three")
    shutil.rmtree(parsed_before / "one")
    assert parsed_again(parsed_before) == ["three"]
    assert len((parsed_before / CACHE_FILE).read_bytes().splitlines()) == 3


def test_what_had_a_problem(parsed_before: Path) -> None:
    (parsed_before / "one" / "numbers.json").write_text("{")
    for _ in range(2):
        assert parsed_again(parsed_before) == ["one"]


def test_a_copy_is_not_parsed_again(parsed_before: Path, tmp_path: Path) -> None:
    shutil.copytree(parsed_before, tmp_path / "far" / "away", copy_function=shutil.copy)
    assert parsed_again(tmp_path / "far") == []


def test_ignore_neither_reads_nor_writes(parsed_before: Path) -> None:
    before = (parsed_before / CACHE_FILE).read_bytes()
    assert parsed_again(parsed_before, cache="ignore") == ["one", "two"]
    assert (parsed_before / CACHE_FILE).read_bytes() == before


def test_trust_takes_what_is_not_here(parsed_before: Path) -> None:
    (parsed_before / "one" / "numbers.json").unlink()
    (parsed_before / "two" / "numbers.json").write_text('{"n": "changed"}')
    parser = NumbersParser()
    found = load(parsed_before, parser, cache="trust")
    assert parser.parsed_directories == ["two"]
    assert [result.parsed for result in found.results] == [{"n": "one"}, {"n": "changed"}]
    parser = NumbersParser()
    assert load(parsed_before, parser).results[0].problem is not None


@pytest.mark.parametrize("cut", [0, 1, 9, 30, -1, -2, -40])
def test_a_cache_that_was_cut(parsed_before: Path, cut: int) -> None:
    path = parsed_before / CACHE_FILE
    whole = load(parsed_before, NumbersParser(), cache="ignore")
    path.write_bytes(path.read_bytes()[:cut])
    assert load(parsed_before, NumbersParser()) == whole


def test_a_cache_with_a_changed_byte(parsed_before: Path) -> None:
    path = parsed_before / CACHE_FILE
    path.write_bytes(path.read_bytes().replace(b'{"n":"one"}', b'{"n":"eno"}'))
    found = load(parsed_before, NumbersParser())
    assert found.results[0].parsed == {"n": "one"}


def test_a_directory_that_cannot_be_written_to(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    write(root / "one")
    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    assert load(root, NumbersParser()).results[0].problem is None
    assert not (root / CACHE_FILE).exists()
