"""An export is complete, verified and resumable, or refused with the places."""

from __future__ import annotations

import base64
import errno
import gzip
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projects.core.destinations import folder as folders
from projects.core.destinations import manifest as manifests
from projects.core.destinations.export import SHOWN, export
from projects.core.destinations.folder import Folder
from projects.core.destinations.source import SMALL
from projects.core.errors import ExportRefused, InfrastructureError, UsageError
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projects.core.destinations.manifest import File

VALUE = "s3cr3t-value"


@pytest.fixture(autouse=True)
def one_secret() -> Iterator[None]:
    masking.forget_all()
    masking.register(VALUE, "token")
    yield
    masking.forget_all()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root"
    (path / "000__cluster__deploy" / "_meta").mkdir(parents=True)
    (path / "000__cluster__deploy" / "_meta" / "restart.sh").write_text("#!/bin/bash\n")
    (path / "000__cluster__deploy" / "_run.log").write_text("done\n" * 1000)
    (path / "config.yaml").write_text("a: 1\n")
    return path


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "to"


def tree(path: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and file.name != manifests.NAME
    }


def test_everything_is_there_and_listed(root: Path, to: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    result = export(root, Folder(to), run_id="local/a/b", progress=lambda *said: seen.append(said))
    assert tree(to) == tree(root)
    assert (result.copied, result.skipped, result.bytes) == (3, 0, 5017)
    assert result.address == str(to)
    assert result.notes == ()
    assert seen == [(i, 3, "files") for i in range(4)]
    assert manifests.loads((to / "manifest.json").read_bytes(), "x") == result.manifest
    assert not (to / folders.PARTIAL).exists()


def test_an_empty_directory_is_exported(tmp_path: Path, to: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert export(tmp_path / "empty", Folder(to)).manifest.files == ()
    assert (to / "manifest.json").exists()


def test_what_is_there_is_not_copied_again(root: Path, to: Path) -> None:
    export(root, Folder(to))
    before = {path: path.stat().st_ino for path in to.rglob("*.yaml")}
    result = export(root, Folder(to))
    assert (result.copied, result.skipped, result.bytes) == (0, 3, 0)
    assert {path: path.stat().st_ino for path in to.rglob("*.yaml")} == before


def test_a_listed_file_that_was_lost_or_cut_is_copied_again(root: Path, to: Path) -> None:
    export(root, Folder(to))
    (to / "config.yaml").unlink()
    (to / "000__cluster__deploy" / "_run.log").write_text("cut")
    assert export(root, Folder(to)).copied == 2
    assert tree(to) == tree(root)


def test_the_manifest_is_away_while_a_listed_file_is_replaced(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(root, Folder(to))
    (root / "config.yaml").write_text("b: 2\n")
    put = Folder.put

    def looking(self: Folder, file: File, source: Path) -> bool:
        assert self.read_manifest() is None
        return put(self, file, source)

    monkeypatch.setattr(Folder, "put", looking)
    assert export(root, Folder(to)).copied == 1


def test_files_of_an_earlier_export_are_left_and_noted(root: Path, to: Path) -> None:
    export(root, Folder(to))
    (root / "config.yaml").unlink()
    result = export(root, Folder(to))
    assert result.notes == ("1 other files were there before and are left",)
    assert [file.path for file in result.manifest.files] == [
        "000__cluster__deploy/_meta/restart.sh",
        "000__cluster__deploy/_run.log",
    ]


def test_secrets_are_refused_with_all_places_and_nothing_is_copied(root: Path, to: Path) -> None:
    (root / "one.log").write_text(f"a\n{VALUE}\n")
    (root / f"two-{VALUE}").touch()
    with pytest.raises(ExportRefused) as caught:
        export(root, Folder(to))
    said = str(caught.value)
    head, *others = said.splitlines()
    assert head == (
        f"not exported: one.log:2: the secret token (plain), and {len(others)} more (in {root})"
    )
    assert "two-***: the secret token (name)" in said
    assert VALUE not in said
    assert not to.exists()


def test_a_secret_in_one_of_many_small_files_is_found_in_that_one(tmp_path: Path, to: Path) -> None:
    root = tmp_path / "many"
    root.mkdir()
    encoded = base64.encodebytes(b"x" * 40 + VALUE.encode() + b"x" * 40)
    for number in range(300):
        (root / f"{number}.log").write_bytes(b"A" * 76 + b"\n" + b"line\n" * 10)
    (root / "7.log").write_bytes(b"one\n" + encoded)
    (root / "8.log").write_bytes(VALUE[: len(VALUE) // 2].encode())
    (root / "9.log").write_bytes(VALUE[len(VALUE) // 2 :].encode())
    (root / "99.gz").write_bytes(gzip.compress(f"one\ntwo\n{VALUE}".encode()))
    (root / "large").write_bytes(b"\n" * (SMALL + 1) + VALUE.encode())
    (root / f"{VALUE}.log").touch()
    with pytest.raises(ExportRefused) as refused:
        export(root, Folder(to))
    text = str(refused.value)
    for place in ("7.log:2", "99.gz:3", f"large:{SMALL + 2}", "***.log"):
        assert f"{place}: the secret token" in text
    assert "8.log" not in text
    assert "and 3 more" in text


def test_a_long_list_of_places_is_cut(root: Path, to: Path) -> None:
    (root / "log").write_text(f"{VALUE}\n" * (SHOWN + 7))
    with pytest.raises(ExportRefused, match="… and 7 more"):
        export(root, Folder(to))


def test_without_the_scan_secrets_go_but_links_outside_do_not(root: Path, to: Path) -> None:
    (root / "one.log").write_text(VALUE)
    assert export(root, Folder(to), scan=False).copied == 4
    (root / "link").symlink_to("/etc/passwd")
    with pytest.raises(ExportRefused, match="link: links to /etc/passwd, outside"):
        export(root, Folder(to), scan=False)


def test_a_link_inside_is_what_it_points_to(root: Path, to: Path) -> None:
    (root / "settings.yaml").symlink_to("config.yaml")
    (root / "latest").symlink_to("000__cluster__deploy")
    (root / "000__cluster__deploy" / "loop").symlink_to("..")
    (root / "nothing").symlink_to("gone")
    result = export(root, Folder(to))
    assert not (to / "settings.yaml").is_symlink()
    assert (to / "settings.yaml").read_text() == "a: 1\n"
    again = "it links to a directory, which is exported under its own name"
    assert sorted(result.notes) == [
        f"'000__cluster__deploy/loop' is left out: {again}",
        f"'latest' is left out: {again}",
        "'nothing' is left out: it links to nothing",
    ]


def test_what_counts_directories_is_no_result(root: Path, to: Path) -> None:
    (root / ".next").write_text("00000000000000000002")
    (root / "deep").mkdir(exist_ok=True)
    (root / "deep" / ".next").touch()
    (root / "deep" / "next").touch()
    result = export(root, Folder(to))
    assert "deep/next" in {file.path for file in result.manifest.files}
    assert not list(to.rglob(".next"))
    assert result.notes == ()


def test_special_files_are_left_out_with_a_note(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("sock")
        (root / "null").symlink_to("null2")
        result = export(root, Folder(to))
    assert "'pipe' is left out: it is a pipe" in result.notes
    assert "'sock' is left out: it is a socket" in result.notes
    assert not (to / "pipe").exists()


def test_an_export_can_be_exported_but_a_foreign_manifest_is_refused(
    root: Path, to: Path, tmp_path: Path
) -> None:
    export(root, Folder(to))
    result = export(to, Folder(tmp_path / "further"))
    assert tree(tmp_path / "further") == tree(root)
    assert result.notes == ("'manifest.json' is left out: it is the manifest of another export",)
    (to / "manifest.json").write_text("{}")
    with pytest.raises(ExportRefused, match="give it another name"):
        export(to, Folder(tmp_path / "further"))


def test_what_is_no_directory_is_refused(root: Path, to: Path) -> None:
    with pytest.raises(UsageError, match="is no directory"):
        export(root / "config.yaml", Folder(to))
    with pytest.raises(UsageError, match="is no directory"):
        export(root / "nowhere", Folder(to))


def before_each_put(monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]) -> None:
    put = Folder.put

    def changing(self: Folder, file: File, source: Path) -> bool:
        change(source)
        return put(self, file, source)

    monkeypatch.setattr(Folder, "put", changing)


def test_a_file_that_changes_once_is_copied_as_it_is_then(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_put(monkeypatch, lambda source: source.write_text("changed"))
    result = export(root, Folder(to))
    assert set(tree(to).values()) == {b"changed"}
    assert {file.size for file in result.manifest.files} == {7}


def test_a_file_that_keeps_changing_is_named_and_no_manifest_is_written(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_put(monkeypatch, lambda source: source.write_bytes(os.urandom(20)))
    with pytest.raises(InfrastructureError, match=r"changes while it is exported; \d of 3 files"):
        export(root, Folder(to))
    assert not (to / "manifest.json").exists()


def test_a_secret_that_comes_after_the_scan_does_not_leave(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_put(monkeypatch, lambda source: source.write_text(VALUE))
    with pytest.raises(ExportRefused, match="the secret token"):
        export(root, Folder(to))
    assert VALUE.encode() not in b"".join(tree(to).values())


def test_a_log_that_grows_is_exported_as_it_was(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(source: Path) -> None:
        with source.open("a") as log:
            log.write(VALUE)

    before = tree(root)
    before_each_put(monkeypatch, grow)
    assert export(root, Folder(to)).copied == 3
    assert tree(to) == before


def test_a_full_disk_is_told_and_the_next_export_goes_on(
    root: Path, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        if path.name == "config.yaml":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    copied = folders._copied
    names: list[str] = []

    def copy(original: object, path: Path, size: int) -> str:
        names.append(path.name)
        if len(names) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return copied(original, path, size)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "workers", 1)
        patch.setattr(folders, "_copied", copy)
        with pytest.raises(InfrastructureError, match="No space left on device; 2 of 3 files are"):
            export(root, Folder(to))
    assert not (to / "manifest.json").exists()
    assert len(tree(to)) == 2
    result = export(root, Folder(to))
    assert (result.copied, result.skipped) == (1, 2)
    assert tree(to) == tree(root)


KILLED = """
import os, signal, sys
from pathlib import Path
from projects.core.destinations import folder
from projects.core.destinations.export import export

place, flush, put = sys.argv[3], folder._flush, folder.Folder.put
count = 0

def die_at(number):
    global count
    count += 1
    if count == number:
        os.kill(os.getpid(), signal.SIGKILL)

def dying_put(self, file, source):
    die_at(int(place.removeprefix("put"))) if place.startswith("put") else None
    return put(self, file, source)

def dying_flush(path):
    die_at(int(place.removeprefix("flush"))) if place.startswith("flush") else None
    flush(path)

copied = folder._copied
def dying_copy(original, path, size):
    if place.startswith("half"):
        path.write_bytes(b"half")
        die_at(int(place.removeprefix("half")))
        path.unlink()
    return copied(original, path, size)

folder.Folder.put, folder._flush, folder._copied = dying_put, dying_flush, dying_copy
folder.Folder.workers = 2
export(Path(sys.argv[1]), folder.Folder(Path(sys.argv[2])), run_id="run")
"""


@pytest.mark.parametrize("place", ["put1", "half1", "put20", "half33", "flush1", "flush42"])
@pytest.mark.parametrize("again", [False, True])
def test_killed_anywhere_the_next_export_makes_it_whole(
    root: Path, to: Path, place: str, again: bool
) -> None:
    if again:
        export(root, Folder(to), run_id="run")
    for number in range(40):
        (root / f"{number}.bin").write_bytes(os.urandom(number * 100))
    if again:
        (root / "config.yaml").write_text("b: 2\n")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(root), str(to), place],
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert killed.returncode == -signal.SIGKILL
    assert not (to / "manifest.json").exists() or again
    if (to / "manifest.json").exists():
        left = Folder(to).read_manifest()
        assert left is not None
        assert all(Folder(to).holds(file) for file in left.files)
    result = export(root, Folder(to), run_id="run")
    assert tree(to) == tree(root)
    assert [file.path for file in result.manifest.files] == sorted(tree(root))
    assert not (to / folders.PARTIAL).exists()


def test_the_manifest_names_the_run_and_the_moment(root: Path, to: Path) -> None:
    before = manifests.utc(datetime.now(UTC))
    manifest = export(root, Folder(to), run_id="local/a/b").manifest
    assert manifest.run_id == "local/a/b"
    assert before <= manifest.created <= manifests.utc(datetime.now(UTC))
