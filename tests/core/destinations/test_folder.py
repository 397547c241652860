"""A folder keeps permissions and times, cleans up, and says what the system refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projects.core.destinations import manifest as manifests
from projects.core.destinations.folder import PARTIAL, Folder
from projects.core.destinations.manifest import File
from projects.core.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"content")
    return path


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Run as somebody whom permissions bind, also where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(user)


def as_file(path: str, content: bytes = b"content") -> File:
    return File(path, len(content), sha256(content).hexdigest(), "")


def test_permissions_and_modification_time_are_kept(tmp_path: Path, source: Path) -> None:
    source.chmod(0o750)
    os.utime(source, ns=(1, 1_700_000_000_123_456_789))
    folder = Folder(tmp_path / "to")
    with folder.reserve():
        folder.put(as_file("restart.sh"), source)
    status = (tmp_path / "to" / "restart.sh").stat()
    assert status.st_mode & 0o777 == 0o750
    assert status.st_mtime_ns == 1_700_000_000_123_456_789


@pytest.mark.parametrize(("root", "to"), [("a", "a"), ("a", "a/b"), ("a/b", "a"), ("link", "a/b")])
def test_source_and_folder_may_not_be_inside_each_other(tmp_path: Path, root: str, to: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UsageError, match="one is inside the other"):
        Folder(tmp_path / to).refuse_source(tmp_path / root)
    Folder(tmp_path / "ab").refuse_source(tmp_path / "a")


def test_what_a_killed_export_left_half_is_removed(tmp_path: Path) -> None:
    (tmp_path / "to" / PARTIAL).mkdir(parents=True)
    (tmp_path / "to" / PARTIAL / "0").write_bytes(b"half")
    folder = Folder(tmp_path / "to")
    with folder.reserve():
        assert folder.sizes() == {}
        folder.finish(manifests.build("run", datetime.now(UTC), []))
    assert sorted(os.listdir(tmp_path / "to")) == ["manifest.json"]


def test_a_link_in_the_place_of_a_file_is_not_taken_for_it(tmp_path: Path, source: Path) -> None:
    folder = Folder(tmp_path / "to")
    with folder.reserve():
        (tmp_path / "to" / "file").symlink_to(source)
        assert not folder.holds(as_file("file"))
        assert folder.sizes() == {}
        folder.put(as_file("file"), source)
        assert not (tmp_path / "to" / "file").is_symlink()


def test_a_directory_in_the_place_of_a_file_is_named(tmp_path: Path, source: Path) -> None:
    folder = Folder(tmp_path / "to")
    with folder.reserve():
        (tmp_path / "to" / "file" / "x").mkdir(parents=True)
        with pytest.raises(InfrastructureError, match="to/file: Is a directory"):
            folder.put(as_file("file"), source)
        (tmp_path / "to" / "flat").touch()
        with pytest.raises(InfrastructureError, match="to/flat: "):
            folder.put(as_file("flat/file"), source)


def test_a_folder_that_may_not_be_written_is_named(ordinary_user: None) -> None:
    with (
        pytest.raises(InfrastructureError, match="/usr/topgallant: Permission denied"),
        Folder(Path("/usr/topgallant")).reserve(),
    ):
        pass


LIMITED = """
import resource, sys
from pathlib import Path
from projects.core.destinations.export import export
from projects.core.destinations.folder import Folder

resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    export(Path(sys.argv[1]), Folder(Path(sys.argv[2])))
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_a_disk_that_takes_no_more_is_told_with_the_file(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "big").write_bytes(b"x" * 6000)
    said = subprocess.run(
        [sys.executable, "-c", LIMITED, str(root), str(tmp_path / "to")],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    ).stdout
    assert f"InfrastructureError: {tmp_path}/to/big: File too large; 0 of 1 files are in" in said
    assert os.listdir(tmp_path / "to") == []
