"""A file lists sources with their settings; what is wrong in it is said with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects.core.errors import ConfigurationError, InfrastructureError
from projects.matrix_benchmarking.replot.source import parse_source
from projects.matrix_benchmarking.replot.url_file import Entry, read_url_file


def written(path: Path, text: str, name: str = "plots.yaml") -> Path:
    (path / name).write_text(text)
    return path / name


def test_entries_and_those_of_other_files(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    written(tmp_path, "- {url: s3://bucket/c, dest_dir: expe/v3}\n", "more/other.yaml")
    path = written(
        tmp_path,
        """visualize: [{id: a, generate: [b]}]
download:
- url: s3://bucket/a
  dest_dir: expe/v1
  settings: {version: 1, name: x}
- files: [more/other.yaml]
- url: /runs/b
  dest_dir: expe/v2/
""",
    )
    assert read_url_file(path) == [
        Entry(parse_source("s3://bucket/a"), "expe/v1", {"version": 1, "name": "x"}),
        Entry(parse_source("s3://bucket/c"), "expe/v3"),
        Entry(parse_source("/runs/b"), "expe/v2"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "no key download"),
        ("download: {}", "download is a list"),
        ("- x", "entry 1: a mapping with url"),
        ("- {url: /a, dest: x}", 'entry 1: unknown key "dest"; did you mean "dest_dir"'),
        ("- {dest_dir: x}", "entry 1: url is missing"),
        ("- {url: /a}", "dest_dir is a directory of its own"),
        ("- {url: /a, dest_dir: ../x}", "dest_dir is a directory of its own"),
        ("- {url: /a, dest_dir: /}", "dest_dir is a directory of its own"),
        ("- {url: /a, dest_dir: x, settings: {a: [1]}}", "settings is a mapping of names to plain"),
        ("- {url: /a, dest_dir: x}\n- {url: /b, dest_dir: x}", '"x" is the dest_dir of /a and of'),
        ("- files: other.yaml", "files is a list of names"),
        ("- {files: [a.yaml], url: /b}", "files stands alone"),
        ("- files: [../../etc/passwd]", "leads out of"),
        ("- files: [plots.yaml]", "include each other, or too deep: plots.yaml → plots.yaml"),
        ("- {url: [", "plots.yaml"),
        ("- !!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_url_file(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"gone\.yaml: No such file"):
        read_url_file(tmp_path / "gone.yaml")
