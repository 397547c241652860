"""What every destination of an export does, whatever is behind it."""

from __future__ import annotations

import dataclasses
import os
import threading
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from projects.core.destinations import manifest as manifests
from projects.core.destinations.export import export
from projects.core.destinations.folder import Folder
from projects.core.destinations.hub import Hub
from projects.core.destinations.manifest import File
from projects.core.destinations.s3 import S3
from projects.core.errors import ExportRefused, InfrastructureError
from tests.components.hub_server import HubServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.core.destinations.destination import Destination

    Open = Callable[[], Destination]

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
DESTINATIONS: dict[str, tuple[str, Callable[[str], Destination]]] = {
    "folder": ("tmp_path", lambda place: Folder(Path(place, "exports", "run"))),
    "hub": ("hub_address", lambda address: Hub(f"{address}/exports/run")),
    "s3": ("bucket", lambda bucket: S3(f"s3://{bucket}/exports/run")),
}
"""One line per kind: the fixture of an empty place, and how to open the same destination in it."""

KINDS = [pytest.param(kind, marks=pytest.mark.xdist_group(kind)) for kind in DESTINATIONS]


@pytest.fixture
def hub_address(artifact_hub: HubServer) -> str:
    return artifact_hub.address


@pytest.fixture(params=KINDS)
def open_it(request: pytest.FixtureRequest) -> Open:
    fixture, opened = DESTINATIONS[request.param]
    place = str(request.getfixturevalue(fixture))
    return lambda: opened(place)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    root.mkdir()
    return root


def write(source: Path, path: str, content: bytes) -> File:
    (source / path).parent.mkdir(parents=True, exist_ok=True)
    (source / path).write_bytes(content)
    return File(path, len(content), sha256(content).hexdigest(), manifests.utc(MOMENT))


def read(destination: Destination, path: str) -> bytes:
    with destination.open_file(path) as content:
        return content.read()


NAMES = [
    "plain",
    "deep/er/file.txt",
    "white space/tab\tnew\nline",
    "quotes'\"`$&;|<>",
    "percent%20 plus+ hash# question?",
    "ünïcödé/日本語/🎉",
    "decomposed/e\u0301",
    os.fsdecode(b"invalid-\xff-utf8"),
    "-rf",
    ".hidden/.file",
    "n" * 255,
    "deep/manifest.json",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_survives(open_it: Open, source: Path, name: str) -> None:
    file = write(source, name, b"content")
    destination = open_it()
    with destination.reserve():
        assert destination.put(file, source / name)
        destination.finish(manifests.build("run", MOMENT, [file]))
    again = open_it()
    assert read(again, name) == b"content"
    assert again.sizes() == {name: 7}
    assert again.holds(file)
    assert again.read_manifest() == manifests.build("run", MOMENT, [file])


@pytest.mark.parametrize("content", [b"", b"\0" * 10, b"x" * (1024 * 1024), os.urandom(3_000_001)])
def test_any_content_survives(open_it: Open, source: Path, content: bytes) -> None:
    file = write(source, "file", content)
    destination = open_it()
    with destination.reserve():
        assert destination.put(file, source / "file")
        assert read(destination, "file") == content


def test_nothing_is_there_at_first(open_it: Open) -> None:
    destination = open_it()
    with destination.reserve():
        assert destination.read_manifest() is None
        assert destination.sizes() == {}
        assert not destination.holds(File("a/b", 0, "0" * 64, ""))


def test_content_that_is_not_what_was_said_is_not_stored(open_it: Open, source: Path) -> None:
    file = write(source, "file", b"before")
    destination = open_it()
    with destination.reserve():
        (source / "file").write_bytes(b"after!")
        assert not destination.put(file, source / "file")
        (source / "file").write_bytes(b"bef")
        assert not destination.put(file, source / "file")
        assert destination.sizes() == {}


def test_a_refused_content_leaves_what_was_there(open_it: Open, source: Path) -> None:
    file = write(source, "file", b"before")
    destination = open_it()
    with destination.reserve():
        assert destination.put(file, source / "file")
        assert not destination.put(dataclasses.replace(file, sha256="0" * 64), source / "file")
        assert read(destination, "file") == b"before"


def test_what_is_appended_meanwhile_is_not_stored(open_it: Open, source: Path) -> None:
    file = write(source, "log", b"one line\n")
    with (source / "log").open("ab") as log:
        log.write(b"another")
    destination = open_it()
    with destination.reserve():
        assert destination.put(file, source / "log")
        assert read(destination, "log") == b"one line\n"


def test_holds_looks_at_the_content(open_it: Open, source: Path) -> None:
    file = write(source, "file", b"before")
    destination = open_it()
    with destination.reserve():
        destination.put(file, source / "file")
        assert destination.holds(file)
        assert not destination.holds(write(source, "file", b"after!"))
        assert not destination.holds(write(source, "file", b"longer than that"))


def test_a_file_is_replaced(open_it: Open, source: Path) -> None:
    destination = open_it()
    with destination.reserve():
        for content in (b"one", b"two and more"):
            assert destination.put(write(source, "file", content), source / "file")
            assert read(destination, "file") == content


def test_a_withdrawn_manifest_is_gone(open_it: Open) -> None:
    destination = open_it()
    with destination.reserve():
        destination.withdraw_manifest()
        destination.finish(manifests.build("run", MOMENT, []))
        assert open_it().read_manifest() is not None
        destination.withdraw_manifest()
        assert open_it().read_manifest() is None


def test_two_exports_to_one_place_exclude_each_other(open_it: Open) -> None:
    with (
        open_it().reserve(),
        pytest.raises(InfrastructureError, match="another export"),
        open_it().reserve(),
    ):
        pass
    with open_it().reserve():
        pass


def test_many_threads_may_put_at_once(open_it: Open, source: Path) -> None:
    files = [write(source, f"{i % 7}/{i}", os.urandom(i)) for i in range(200)]
    destination = open_it()
    stored: list[bool] = []
    with destination.reserve():
        threads = [
            threading.Thread(
                target=lambda part: stored.extend(
                    destination.put(f, source / f.path) for f in part
                ),
                args=(files[i::8],),
            )
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stored == [True] * 200
    assert destination.sizes() == {file.path: file.size for file in files}


def test_the_address_is_the_same_every_time(open_it: Open) -> None:
    assert open_it().address == open_it().address != ""


def test_a_missing_source_is_named(open_it: Open, source: Path) -> None:
    destination = open_it()
    with destination.reserve(), pytest.raises(InfrastructureError, match="gone: No such file"):
        destination.put(File("gone", 1, "0" * 64, ""), source / "gone")


def test_a_foreign_manifest_is_refused(open_it: Open, source: Path) -> None:
    destination = open_it()
    with destination.reserve():
        destination.put(write(source, "manifest.json", b"{}"), source / "manifest.json")
        with pytest.raises(ExportRefused, match="no manifest of an export"):
            destination.read_manifest()


def test_an_export_is_complete_and_the_next_one_copies_what_changed(
    open_it: Open, source: Path
) -> None:
    for name in NAMES:
        write(source, name, name.encode("utf-8", "surrogateescape"))
    first = export(source, open_it(), run_id="run")
    assert (first.copied, first.skipped) == (len(NAMES), 0)
    assert open_it().read_manifest() == first.manifest
    assert manifests.verify(first.manifest, open_it().sizes()) == []

    write(source, "plain", b"changed")
    write(source, "new", b"new")
    second = export(source, open_it(), run_id="run")
    assert (second.copied, second.skipped, second.bytes) == (2, len(NAMES) - 1, 10)
    assert read(open_it(), "plain") == b"changed"
    assert second.address == first.address
    for file in second.manifest.files:
        assert open_it().holds(file)
