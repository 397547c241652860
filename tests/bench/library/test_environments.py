from __future__ import annotations

from pathlib import Path

from projects.bench.library.environments import our_environment, peers_environment

GIVEN = {
    "PATH": "/bin",
    "TOPGALLANT_VENV": "/venv",
    "TOPGALLANT_PROJECT": "other",
    "ARTIFACT_DIR": "/there",
    "PYTHONPATH": "/x",
    "CI": "true",
}


def test_what_is_measured_knows_its_environment_and_no_other_run() -> None:
    assert our_environment(GIVEN, Path("/here")) == {
        "PATH": "/bin",
        "TOPGALLANT_VENV": "/venv",
        "ARTIFACT_DIR": "/here",
        "NO_COLOR": "1",
    }
    assert "TOPGALLANT_VENV" not in our_environment({"PATH": "/bin"}, Path("/here"))


def test_peers_have_a_home_of_their_own_and_nothing_of_ours() -> None:
    assert peers_environment(GIVEN, Path("/home")) == {
        "PATH": "/bin",
        "HOME": "/home",
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
    }
