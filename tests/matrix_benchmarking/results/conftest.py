"""Result directories as a test writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projects.matrix_benchmarking.results.parser import SimpleParser
from projects.matrix_benchmarking.results.reading import read_json

METADATA = """\
name: made up
versions:
  topgallant: 0.1.0
  python: 3.11.7
start: '2026-01-02T03:04:05.000001Z'
end: '2026-01-02T03:04:{seconds:02}.500000Z'
"""


class NumbersParser(SimpleParser):
    """Reads numbers.json."""

    important_files: tuple[str, ...] = ("numbers.json",)
    parsed_directories: list[str]

    def __init__(self) -> None:
        self.parsed_directories = []

    def parse_once(self, directory: Path) -> Any:
        self.parsed_directories.append(directory.name)
        return read_json(directory / "numbers.json")


@pytest.fixture
def parser() -> NumbersParser:
    return NumbersParser()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


def write(folder: Path, settings: str = "a: 1", numbers: Any = None, *, seconds: int = 6) -> Path:
    """Make `folder` a result that ended at second `seconds`."""
    (folder / "_meta").mkdir(parents=True)
    (folder / "settings.yaml").write_text(settings)
    (folder / "numbers.json").write_text(json.dumps({"n": 1} if numbers is None else numbers))
    (folder / "_meta" / "metadata.yaml").write_text(METADATA.format(seconds=seconds))
    (folder / "exit_code").write_text("0\n")
    return folder
