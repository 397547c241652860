from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from projects.core import errors
from projects.core.library import config

TEST_PY = """
from projects.core.library import config, env
from projects.core.library.entrypoint import entrypoint

@entrypoint()
def prepare_ci():
    return env.ARTIFACT_DIR

@entrypoint(ignore_secret_path=True)
def test_ci(users=None):
    prepare = prepare_ci() if users is None else None
    return config.project.get_config("tests.users"), prepare

@entrypoint()
def failing():
    raise AssertionError("slower than before")
"""


@pytest.fixture
def module(shop: Path) -> ModuleType:
    file = shop / "test.py"
    file.write_text(TEST_PY)
    spec = importlib.util.spec_from_file_location("projects.shop.testing.test", file)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def test_an_entrypoint_called_by_hand_is_a_run_of_its_own(module: ModuleType) -> None:
    users, prepare_dir = module.test_ci()
    assert users == 10
    assert (prepare_dir / "FINISHED").is_file()
    assert "test_ci" in prepare_dir.name
    lines = (prepare_dir / "events.jsonl").read_text().splitlines()
    spans = [json.loads(line) for line in lines]
    names = [(s["kind"], s["name"]) for s in spans if s["type"] == "started"]
    assert names == [
        ("run", "shop test_ci"),
        ("entrypoint", "test_ci"),
        ("entrypoint", "prepare_ci"),
    ]


def test_an_entrypoint_says_how_to_do_it_again(module: ModuleType) -> None:
    path = module.prepare_ci()
    script = (path / "_meta/restart.sh").read_text()
    assert "./run_toolbox.py shop prepare_ci" in script
    assert f"TOPGALLANT_FROM_CONFIG_FILE={path}/_meta/config.yaml" in script


def test_a_failing_entrypoint_leaves_failure_and_metadata(
    module: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match="slower"):
        module.failing()
    (latest,) = (tmp_path / "artifacts").glob("*__failing")
    assert "AssertionError: slower than before" in (latest / "FAILURE").read_text()
    assert "exit_status: 1" in (latest / "_meta/metadata.yaml").read_text()
    assert "slower than before" in (latest / "junit.xml").read_text()


def test_a_missing_secrets_directory_stops_only_who_needs_it(
    module: ModuleType, shop: Path
) -> None:
    text = (shop / "config.yaml").read_text()
    (shop / "config.yaml").write_text(
        text + "secrets:\n  dir: {name: vault, env_key: SHOP_SECRETS}\n"
    )
    assert module.test_ci(users=1)[0] == 10
    config.__dict__.pop("project")
    with pytest.raises(errors.SecretError, match="SHOP_SECRETS"):
        module.prepare_ci()


def test_a_restart_finds_the_same_secrets(
    module: ModuleType, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vault").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRETS", "vault")
    with (shop / "config.yaml").open("a") as file:
        file.write("secrets:\n  dir: {name: vault, env_key: SHOP_SECRETS}\n")
    script = (module.prepare_ci() / "_meta/restart.sh").read_text()
    assert f"export SHOP_SECRETS=${{SHOP_SECRETS:-{tmp_path}/vault}}\n" in script


def test_secrets_are_masked_from_the_first_line_of_an_entrypoint(
    module: ModuleType, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "token").write_text("slower than before")
    monkeypatch.setenv("SHOP_SECRETS", str(vault))
    text = (shop / "config.yaml").read_text()
    (shop / "config.yaml").write_text(
        text + "secrets:\n  dir: {name: vault, env_key: SHOP_SECRETS}\n"
    )
    with pytest.raises(AssertionError):
        module.failing()
    (latest,) = (tmp_path / "artifacts").glob("*__failing")
    assert (latest / "secrets.sha256sum").is_file()
    for path in latest.rglob("*"):
        if path.is_file():
            assert b"slower than before" not in path.read_bytes(), path


def test_a_skipped_entrypoint_says_so_and_why(
    module: ModuleType, shop: Path, tmp_path: Path
) -> None:
    text = (shop / "config.yaml").read_text()
    (shop / "config.yaml").write_text(text.replace("_only_: false", "test_ci: false"))
    assert module.test_ci(users=1) is None
    (latest,) = (tmp_path / "artifacts").glob("*__test_ci")
    events = [json.loads(line) for line in (latest / "events.jsonl").read_text().splitlines()]
    ended = [event for event in events if event["type"] == "ended"]
    assert [event["kind"] for event in ended] == ["entrypoint", "run"]
    assert {event["outcome"] for event in ended} == {"skipped"}
    assert {event["error"] for event in ended} == {"test_ci is skipped: exec_list.test_ci is false"}
