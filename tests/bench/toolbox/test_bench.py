"""Commands of the group `bench` that can be called by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.bench.library import peers as peers_of
from projects.bench.toolbox import bench

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_removing_the_peers_removes_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / ".venv.peers"
    place.mkdir()
    (place / "pyvenv.cfg").touch()
    monkeypatch.setattr(peers_of, "ENVIRONMENT", place)
    bench.remove_peers()
    assert not place.exists()
    bench.remove_peers()


def test_a_folder_that_is_no_environment_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers_of, "ENVIRONMENT", tmp_path)
    (tmp_path / "precious").touch()
    bench.remove_peers()
    assert (tmp_path / "precious").exists()
