"""Artifacts in an empty database, and what tests do with them."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from projects.hub.artifacts.artifacts import Artifacts
from projects.hub.artifacts.values import File, Run, Wanted
from projects.hub.store.database import open_hub_store


class Desk:
    """Artifacts, a clock that is set by hand, and an export in one call."""

    def __init__(self, artifacts: Artifacts) -> None:
        self.artifacts = artifacts
        self.now = 1_800_000_000_000_000
        artifacts.clock = lambda: self.now

    def announce(self, owner: str, place: str, files: dict[str, bytes]) -> Run:
        return self.artifacts.begin(owner, Wanted(place), [file(*one) for one in files.items()])

    def export(self, owner: str, place: str, files: dict[str, bytes]) -> Run:
        run = self.announce(owner, place, files)
        contents = {digest(one): one for one in files.values()}
        for missing in self.artifacts.missing(run):
            self.send(run, contents[missing.sha256])
        return self.artifacts.finish(run, place, self.now)

    def send(self, run: Run, content: bytes) -> None:
        upload = self.artifacts.receive(run, digest(content), 0)
        try:
            upload.write(content)
            self.artifacts.received(run, upload, digest(content))
        finally:
            upload.close()


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


def file(path: str, content: bytes) -> File:
    return File(path.encode("utf-8", "surrogateescape"), len(content), digest(content), 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    url: str = request.getfixturevalue("postgresql")
    return url


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    database = open_hub_store(database_url)
    yield Desk(Artifacts(database, tmp_path / "blobs"))
    database.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Desk]:
    database = open_hub_store(f"sqlite:///{tmp_path}/embedded.db")
    yield Desk(Artifacts(database, tmp_path / "blobs"))
    database.close()
