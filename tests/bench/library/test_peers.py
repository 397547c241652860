"""The environment of the peers: installed, or not."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, get_args

import pytest

from projects.bench.library import (
    command_overhead,
    configuration_point,
    configuration_speed,
    environments,
    startup,
)
from projects.bench.library import peers as peers_of
from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_environment_is_installed_when_its_lock_file_is_the_one(tmp_path: Path) -> None:
    lock_file = tmp_path / "requirements.lock"
    lock_file.write_text("tmt==1\n")
    assert not peers_of.is_installed(tmp_path, lock_file)
    peers_of.mark_installed(tmp_path, lock_file)
    assert peers_of.is_installed(tmp_path, lock_file)
    lock_file.write_text("tmt==2\n")
    assert not peers_of.is_installed(tmp_path, lock_file)


def test_missing_peers_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"tmt\. Make it with .* prepare_ci"):
        peers_of.require_installed(["tmt"], tmp_path)
    peers_of.require_installed([], tmp_path)


def test_every_peer_is_in_the_lock_file_with_hashes_and_no_index_address() -> None:
    text = peers_of.LOCK_FILE.read_text()
    assert set(get_args(peers_of.Peer)) == set(peers_of.DISTRIBUTIONS)
    for distribution in peers_of.DISTRIBUTIONS.values():
        assert re.search(rf"^{distribution}==\S+.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert "://" not in text
    assert "index-url" not in text


def test_only_peers_that_were_asked_for_are_measured(tmp_path: Path) -> None:
    assert command_overhead.peer_probes(["tmt", "hydra"], tmp_path, os.environ) == []
    names = [p.name for p in startup.peer_probes(["tmt", "omegaconf"], tmp_path, os.environ)]
    assert names == ["tmt --version", "tmt --help"]


def test_ansible_and_pyinfra_are_given_one_task_and_many(tmp_path: Path) -> None:
    play = command_overhead.write_ansible(tmp_path)
    deploy = command_overhead.write_pyinfra(tmp_path)
    for tasks in (1, command_overhead.MANY):
        role = tmp_path / f"ansible_{tasks}/roles/noop/tasks/main.yml"
        assert role.read_text().count("ansible.builtin.command") == tasks
        assert str(tmp_path / f"ansible_{tasks}/play.yaml") in play(tasks)
        assert f"range({tasks})" in (tmp_path / f"deploy_{tasks}.py").read_text()
        assert str(tmp_path / f"deploy_{tasks}.py") in deploy(tasks)


def test_measured_programs_do_not_see_our_run(tmp_path: Path) -> None:
    seen = {"ARTIFACT_DIR": "/a", "TOPGALLANT_RUN": "/a", "PYTHONPATH": "/x", "PATH": "/bin"}
    ours = environments.our_environment(seen, tmp_path)
    assert ours == {"PATH": "/bin", "NO_COLOR": "1", "ARTIFACT_DIR": str(tmp_path)}
    theirs = environments.peers_environment(seen, tmp_path)
    assert "ARTIFACT_DIR" not in theirs
    assert theirs["HOME"] == str(tmp_path)


def test_each_system_is_a_probe_and_only_peers_may_fail(tmp_path: Path) -> None:
    task = configuration_point.Task("a", 1, "b", 2, [])
    probes = configuration_speed.probes(tmp_path, task, ["hydra", "tmt"], tmp_path, os.environ)
    assert [(p.name, p.may_fail) for p in probes] == [
        ("topgallant", False),
        ("PyYAML and a dict", False),
        ("Hydra", True),
    ]


def test_every_case_is_called_once_more_than_counted() -> None:
    called: list[str] = []
    seconds = command_overhead.seconds_by_case(3, {"a": lambda: called.append("a")})
    assert list(seconds) == ["a"]
    assert len(called) == 4


def test_the_running_interpreter_is_the_one_measured(tmp_path: Path) -> None:
    names = [probe.name for probe in startup.our_probes(tmp_path, os.environ)]
    assert names[0] == "python -c pass"
    assert startup.our_probes(tmp_path, os.environ)[0].measure()["python -c pass"] > 0
    assert sys.executable
