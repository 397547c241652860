"""metadata.yaml and restart.sh."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.core.artifacts.metadata import (
    finish_metadata,
    git_commit,
    write_metadata,
    write_restart,
)
from projects.core.secrets import masking
from projects.core.secrets.secret import Secret


def load(directory: Path) -> dict[str, object]:
    told = yaml.safe_load((directory / "_meta/metadata.yaml").read_text())
    assert isinstance(told, dict)
    return told


def test_the_start_is_on_disk_before_the_end(tmp_path: Path) -> None:
    parameters = {"replicas": 3, "path": Path("/x"), "names": ("a", "b")}
    metadata = write_metadata(tmp_path, "cluster scale", parameters, group="cluster", command="s")
    told = load(tmp_path)
    assert told["name"] == "cluster scale"
    assert told["parameters"] == {"replicas": 3, "path": "/x", "names": ["a", "b"]}
    assert told["pid"] == os.getpid()
    assert "outcome" not in told
    finish_metadata(metadata, "failed", exit_status=1, attempts=2)
    told = load(tmp_path)
    assert list(told)[-5:] == ["end", "seconds", "outcome", "exit_status", "attempts"]
    assert told["exit_status"] == 1
    assert isinstance(told["versions"], dict)
    assert {"topgallant", "python"} <= set(told["versions"])
    assert os.listdir(tmp_path / "_meta") == ["metadata.yaml"]


def test_secrets_are_masked(tmp_path: Path) -> None:
    masking.register("hunter22", "password")
    parameters = {"url": "http://me:hunter22@host", "token": Secret("abc", "t")}
    finish_metadata(write_metadata(tmp_path, "x", parameters), "passed")
    assert load(tmp_path)["parameters"] == {"url": "http://me:***@host", "token": "***"}


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists)))
def test_any_parameters_can_be_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, parameters: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("metadata")
    finish_metadata(write_metadata(folder, "x", parameters), "passed")
    assert load(folder)["parameters"] == parameters


def test_a_file_name_that_is_no_text_is_no_problem(tmp_path: Path) -> None:
    write_metadata(tmp_path, "x", {"file": "broken\udc80"})
    assert load(tmp_path)["parameters"] == {"file": "broken\\udc80"}


def test_a_full_disk_is_said_and_the_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "_meta").mkdir()
    (tmp_path / "_meta/metadata.yaml").symlink_to("/dev/full")
    write_metadata(tmp_path, "x", {})
    assert "metadata.yaml: No space left on device" in capsys.readouterr().err


def test_a_missing_directory_is_said_and_the_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    metadata = write_metadata(tmp_path / "file", "x", {})
    finish_metadata(metadata, "passed")
    write_restart(tmp_path / "file", ["true"], {}, "/")
    assert capsys.readouterr().err.count("Not a directory") == 2


def test_restart_does_exactly_this_again(tmp_path: Path) -> None:
    argv = ["printf", "%s|", "it's", "two words", "$HOME", "*", "", "ü"]
    environment = {"TOPGALLANT_PROJECT": "a 'quoted' $name"}
    write_restart(tmp_path, [*argv], environment, tmp_path)
    script = tmp_path / "_meta/restart.sh"
    assert os.access(script, os.X_OK)
    done = subprocess.run([script, "no more"], capture_output=True, text=True, check=True)
    assert done.stdout == "it's|two words|$HOME|*||ü|"
    write_restart(tmp_path, ["sh", "-c", "pwd; echo $TOPGALLANT_PROJECT"], environment, tmp_path)
    done = subprocess.run([script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path}\na 'quoted' $name\n"


def test_restart_passes_on_where_the_secrets_are(tmp_path: Path) -> None:
    def restarted(was: str, **environ: str) -> subprocess.CompletedProcess[str]:
        write_restart(tmp_path, ["sh", "-c", "echo $VAULT"], {}, tmp_path, {"VAULT": was})
        script = [tmp_path / "_meta/restart.sh"]
        environ["PATH"] = os.environ["PATH"]
        return subprocess.run(script, env=environ, capture_output=True, text=True, check=True)

    for was in ("/vault", "/a 'vault' of ${mine}, }"):
        assert restarted(was).stdout == f"{was}\n"
        assert restarted(was, VAULT="/other").stdout == "/other\n"
        assert restarted(was).stderr == ""
    assert "VAULT is not set" in restarted("").stderr
    assert restarted("", VAULT="/other").stderr == ""


def test_restart_with_a_masked_secret_stops_and_says_so(tmp_path: Path) -> None:
    masking.register("hunter22", "password")
    write_restart(tmp_path, ["echo", "--password=hunter22"], {}, tmp_path)
    script = tmp_path / "_meta/restart.sh"
    assert "hunter22" not in script.read_text()
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a secret was masked" in done.stderr


def test_a_secret_that_became_known_later_is_masked_at_the_end(tmp_path: Path) -> None:
    meta = write_metadata(tmp_path, "run", {"password": "hunter22"})
    masking.register("hunter22", "password")
    finish_metadata(meta, "passed")
    written = yaml.safe_load((tmp_path / "_meta/metadata.yaml").read_text())
    assert (written["parameters"], written["outcome"]) == ({"password": "***"}, "passed")


def test_the_commit_is_read_without_starting_git(tmp_path: Path) -> None:
    def git(*words: str, cwd: Path = tmp_path) -> str:
        who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        command = ["git", *who, *words]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout

    assert git_commit(tmp_path) is None
    git("init", "-q")
    assert git_commit(tmp_path) is None
    git("commit", "-q", "--allow-empty", "-m", "first")
    commit = git("rev-parse", "HEAD").strip()
    assert git_commit(tmp_path) == commit
    git("worktree", "add", "-q", "tree")
    assert git_commit(tmp_path / "tree") == commit
    git("pack-refs", "--all")
    assert git_commit(tmp_path) == commit
    assert git_commit(tmp_path / "tree") == commit
    git("checkout", "-q", "--detach")
    assert git_commit(tmp_path) == commit
