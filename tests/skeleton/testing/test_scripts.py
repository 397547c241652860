from __future__ import annotations

import os
import subprocess
from pathlib import Path

TESTING = Path(__file__).resolve().parents[3] / "projects" / "skeleton" / "testing"


def bash(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_sourcing_configure_points_the_commands_at_this_project() -> None:
    done = bash(
        f"cd / && source {TESTING}/configure.sh && env | grep ^TOPSAIL_ | sort; "
        "echo ${_testing_dir-gone}"
    )
    assert done.stdout.splitlines() == [
        f"TOPSAIL_FROM_COMMAND_ARGS_FILE={TESTING}/command_args.yaml.j2",
        f"TOPSAIL_FROM_CONFIG_FILE={TESTING}/config.yaml",
        "gone",
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_running_configure_says_that_it_must_be_sourced() -> None:
    done = bash(f"bash {TESTING}/configure.sh")
    assert done.returncode == 2
    assert "source this file" in done.stderr


def test_clusters_says_what_it_needs() -> None:
    done = bash(f"{TESTING}/clusters.sh create")
    assert done.returncode == 2
    assert "cluster creation sub-project" in done.stderr
    assert "KUBECONFIG" in done.stderr


def test_clusters_hands_over_to_the_cluster_creation_sub_project(tmp_path: Path) -> None:
    testing = tmp_path / "skeleton" / "testing"
    creation = tmp_path / "cluster" / "testing" / "clusters.sh"
    for directory in (testing, creation.parent):
        directory.mkdir(parents=True)
    for name in ("clusters.sh", "configure.sh"):
        (testing / name).write_bytes((TESTING / name).read_bytes())
    creation.write_text('#! /bin/bash\necho "$1 $TOPSAIL_FROM_CONFIG_FILE"\n')
    creation.chmod(0o755)
    done = bash(f"bash {testing}/clusters.sh create")
    assert done.stdout == f"create {testing}/config.yaml\n"
