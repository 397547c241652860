"""The commands `hub artifacts …`, called on a real hub."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from projects.core.destinations.export import export
from projects.core.destinations.hub import Hub
from projects.core.errors import TopgallantError
from projects.hub.toolbox import hub as commands
from tests.components.hub_server import HubServer


def test_a_run_is_listed_shown_fetched_and_removed(artifact_hub: HubServer, tmp_path: Path) -> None:
    source = tmp_path / "run"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "ü #?").write_text("content")
    address = export(source, Hub(f"{artifact_hub.address}/project/run")).address
    server = artifact_hub.url
    (found,) = commands.artifacts("list", project="project", server=server)
    assert address.endswith(found["path"])
    assert commands.artifacts("list", project="other", server=server) == []
    shown = commands.artifacts("show", address, "deep", server=server)
    assert [entry["path"] for entry in shown["entries"]] == ["deep/ü #?"]
    to = tmp_path / "to"
    got = commands.artifacts("get", found["id"], "deep/ü #?", to, server=server)
    assert got == {"file": str(to / "ü #?"), "bytes": 7}
    assert (to / "ü #?").read_text() == "content"
    whole = commands.artifacts("get", found["id"], to=to, server=server)
    with tarfile.open(whole["file"]) as packed:
        assert packed.getnames() == ["run/deep/ü #?"]
    commands.artifacts("rm", found["id"], server=server)
    with pytest.raises(TopgallantError, match="there is no artifact"):
        commands.artifacts("show", found["id"], server=server)
    assert sorted(one.name for one in to.iterdir()) == sorted([f"{found['id']}.tar.gz", "ü #?"])
