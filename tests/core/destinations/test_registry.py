"""An address opens a destination, or says what is possible."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projects.core.destinations.folder import Folder
from projects.core.destinations.registry import open_destination
from projects.core.destinations.s3 import S3
from projects.core.errors import UsageError


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/exports/a b", "/exports/a b"),
        ("relative/x", f"{Path.cwd()}/relative/x"),
        ("~/exports", f"{Path.home()}/exports"),
        ("file:///exports/a%20b%FF", os.fsdecode(b"/exports/a b\xff")),
        ("FILE://localhost/exports", "/exports"),
        ("/odd/s3://name", "/odd/s3:/name"),
    ],
)
def test_paths_and_file_addresses_are_folders(address: str, path: str) -> None:
    destination = open_destination(address)
    assert isinstance(destination, Folder)
    assert destination.address == path


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "is empty; give a path"),
        ("s3://My_Bucket/prefix", "is no name of a bucket"),
        ("ftp://server/x", 'unknown destination "ftp". Possible: /path, file, hub'),
        ("fil:///x", 'unknown destination "fil"; did you mean "file"'),
        ("file://server/x", "names the host server"),
        ("file:///a?b", "no absolute path"),
    ],
)
def test_other_addresses_are_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_destination(address)


def test_s3_addresses_are_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    destination = open_destination("s3://bucket/some/prefix")
    assert isinstance(destination, S3)
    assert destination.address == "https://bucket.s3.amazonaws.com/index.html#some/prefix/"


def test_nothing_is_made_before_the_export(tmp_path: Path) -> None:
    open_destination(str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
