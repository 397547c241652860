from __future__ import annotations

from pathlib import Path

import pytest

from projects.core import errors
from projects.core.commands import session
from projects.core.commands.session import Words
from projects.core.library import config, profiles

WORDS = Words("shop", "test_ci")

OC = """#!/bin/sh
case "$2" in
    infrastructure/cluster) printf %s "$PLATFORM" ;;
    nodes) printf 'node/worker-1\\nnode/lab-7\\n' ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def _oc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "oc"
    program.write_text(OC)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("job", "light"), [("light", True), ("e2e-light", True), ("highlight", False), ("", False)]
)
def test_a_light_job_is_known_by_its_name(job: str, light: bool) -> None:
    assert profiles.is_light({"OPENSHIFT_CI": "true", "JOB_NAME_SAFE": job}, "light") is light
    assert not profiles.is_light({"JOB_NAME_SAFE": job}, "light")


def test_the_preset_of_a_light_job_is_applied(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session.opened(WORDS):
        config.init(shop)
        assert not config.project.detect_apply_light_profile("light")
        assert config.project.get_config("tests.users") == 10
        monkeypatch.setenv("OPENSHIFT_CI", "true")
        monkeypatch.setenv("JOB_NAME_SAFE", "scale-light")
        assert config.project.detect_apply_light_profile("light")
        assert config.project.get_config("tests.users") == 2


@pytest.mark.usefixtures("_oc")
@pytest.mark.parametrize(("platform", "metal"), [("BareMetal", True), ("", True), ("AWS", False)])
def test_the_preset_of_a_metal_cluster_is_applied(
    shop: Path, monkeypatch: pytest.MonkeyPatch, platform: str, metal: bool
) -> None:
    monkeypatch.setenv("PLATFORM", platform)
    with session.opened(WORDS):
        config.init(shop)
        assert config.project.detect_apply_metal_profile("light") is metal
        assert config.project.get_config("tests.users") == (2 if metal else 10)


@pytest.mark.usefixtures("_oc")
def test_the_preset_of_a_known_node_is_applied(shop: Path) -> None:
    with session.opened(WORDS):
        config.init(shop)
        assert not config.project.detect_apply_cluster_profile({"other": "light"})
        assert config.project.detect_apply_cluster_profile({"other": "x", "lab-7": "light"})
        assert config.project.get_config("tests.users") == 2


def test_a_cluster_that_cannot_be_asked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with session.opened(WORDS), pytest.raises(errors.TopgallantError, match="oc"):
        profiles.is_metal()
