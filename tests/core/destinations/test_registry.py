"""An address opens a destination, or says what is possible."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projects.core.destinations.folder import Folder
from projects.core.destinations.registry import open_destination
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
        ("s3://bucket/prefix", 'unknown destination "s3". Possible: /path, file'),
        ("fil:///x", 'unknown destination "fil"; did you mean "file"'),
        ("file://server/x", "names the host server"),
        ("file:///a?b", "no absolute path"),
    ],
)
def test_other_addresses_are_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        open_destination(address)


def test_nothing_is_made_before_the_export(tmp_path: Path) -> None:
    open_destination(str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
