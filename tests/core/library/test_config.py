from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from projects.core import errors
from projects.core.commands import entrypoint, session
from projects.core.commands.session import Words
from projects.core.library import config, run
from projects.core.secrets.secret import Secret


def words(*presets: str, **overrides: object) -> Words:
    typed = [(k.replace("__", "."), v, f"{k}={v}") for k, v in overrides.items()]
    return Words("shop", "test_ci", presets=presets, overrides=tuple(typed))


def test_nothing_is_loaded_before_init() -> None:
    assert not hasattr(config, "project")


def test_layers_go_from_the_file_to_the_command_line(shop: Path) -> None:
    checkout = shop.parents[2]
    (checkout / "variable_overrides.yaml").write_text("tests.users: 3\ntests.name: repository\n")
    with session.opened(words("lighter", tests__users=7)) as opened:
        (opened.place.path / "variable_overrides.yaml").write_text("tests.sizes: [5]\n")
        config.init(shop)
        assert config.project.get_config("tests.users") == 7
        assert config.project.get_config("tests.name") == "lighter"
        assert config.project.get_config("tests.sizes") == [5]


def test_words_of_the_directive_are_presets_if_the_entrypoint_wants_them(shop: Path) -> None:
    with session.opened(words()) as opened:
        overrides = opened.place.path / "variable_overrides.yaml"
        overrides.write_text("PR_POSITIONAL_ARG_0: shop\nPR_POSITIONAL_ARG_1: lighter\n")
        config.init(shop, apply_preset_from_pr_args=True)
        assert config.project.get_config("tests.name") == "lighter"


def test_a_default_is_used_and_said_only_when_the_key_is_missing(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with session.opened(words()):
        config.init(shop)
        assert config.project.get_config("tests.none", None, warn=False) is None
        assert not caplog.records
        assert config.project.get_config("tests.none", 3) == 3
        assert "tests.none" in caplog.text
        with pytest.raises(KeyError, match=r"tests\.users"):
            config.project.get_config("tests.userz")


def test_what_is_set_is_read_written_and_told_to_the_journal(shop: Path) -> None:
    with session.opened(words()) as opened:
        config.init(shop)
        config.project.set_config("tests.name", "new")
        assert config.project.get_config("tests.label") == "new"
        run.run("true")
        written = yaml.safe_load((opened.place.path / "config.yaml").read_text())
    assert written["tests"]["label"] == "new"
    lines = (opened.place.path / "events.jsonl").read_text().splitlines()
    notes = [event for event in map(json.loads, lines) if event["type"] == "note"]
    assert {"key": "tests.name", "value": "new"} in [note["data"] for note in notes]


def test_a_child_process_loads_exactly_this_configuration(shop: Path) -> None:
    with session.opened(words("light")):
        config.init(shop)
        config.project.set_config("tests.users", 99)
        config.flush()
        loaded = config.load(shop, {**os.environ, **config.child_variables()})
    assert loaded.get("tests.users") == 99


def test_the_written_configuration_of_another_project_is_not_ours(
    shop: Path, tmp_path: Path
) -> None:
    other = tmp_path / "config.yaml"
    other.write_text(f"{config.RESOLVED}bakery\ntests: {{users: 1}}\n")
    environ = {
        "TOPGALLANT_FROM_CONFIG_FILE": str(other),
        "TOPSAIL_FROM_CONFIG_FILE": str(other),
    }
    assert config.find_source(shop, environ) == shop / "config.yaml"


def test_a_file_that_the_user_names_and_the_shared_directory_come_before_ours(
    shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("a: 1\n")
    shared = {"SHARED_DIR": str(tmp_path)}
    assert config.find_source(shop, shared) == tmp_path / "config.yaml"
    named = {**shared, "TOPSAIL_FROM_CONFIG_FILE": "/some/config.yaml"}
    assert config.find_source(shop, named) == Path("/some/config.yaml")


def test_setting_inside_parallel_is_an_error(shop: Path) -> None:
    with session.opened(words()):
        config.init(shop)
        with (
            pytest.raises(errors.UsageError, match=r"run\.Parallel"),
            run.Parallel("tasks", exit_on_exception=False) as parallel,
        ):
            parallel.delayed(config.project.set_config, "tests.users", 1)


def test_a_temporary_value_is_put_back_also_after_an_exception(shop: Path) -> None:
    with session.opened(words()):
        config.init(shop)
        with (
            pytest.raises(RuntimeError),
            config.TempValue(config.project, "tests.label", "x"),
        ):
            assert config.project.get_config("tests.label") == "x"
            raise RuntimeError
        assert config.project.get_config("tests.label") == "default"
        config.project.set_config("tests.name", "still a reference")
        assert config.project.get_config("tests.label") == "still a reference"


def test_secrets_are_read_secretly_and_written_as_references(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "token.txt").write_text("s3cr3t-value\n")
    monkeypatch.setenv("SHOP_SECRETS", str(vault))
    text = (shop / "config.yaml").read_text()
    text += (
        "secrets:\n  dir: {name: shop, env_key: SHOP_SECRETS}\n  token_file: token.txt\n"
        'token: "*$@secrets.token_file"\n'
    )
    (shop / "config.yaml").write_text(text)
    with session.opened(words()) as opened:
        config.init(shop)
        with pytest.raises(errors.SecretError):
            config.project.get_config("token")
        token = config.project.get_config("token", handled_secretly=True)
        assert isinstance(token, Secret)
        assert str.__str__(token) == "s3cr3t-value"
        print("the token is", token)
        assert "s3cr3t" not in (opened.place.path / "config.yaml").read_text()
    for path in opened.place.path.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes(), path


def test_a_missing_secrets_directory_is_one_message(shop: Path) -> None:
    text = (shop / "config.yaml").read_text()
    (shop / "config.yaml").write_text(
        text + "secrets:\n  dir: {name: shop-vault, env_key: SHOP_SECRETS}\n"
    )
    with session.opened(words()):
        config.init(shop)
        with pytest.raises(errors.SecretError, match="SHOP_SECRETS"):
            _ = config.project.secrets


def test_exec_list_skips_what_it_leaves_out(shop: Path) -> None:
    with session.opened(words(exec_list={"_only_": True, "test_ci": False})) as opened:
        with pytest.raises(entrypoint.Skip):
            config.init(shop)
        assert "exec_list.test_ci is false" in (opened.place.path / "SKIPPED").read_text()


def test_overrides_are_only_stored_when_they_are_not_to_be_applied(shop: Path) -> None:
    with session.opened(words()) as opened:
        (opened.place.path / "variable_overrides.yaml").write_text("of.another.project: 1\n")
        config.init(shop, apply_config_overrides=False)
        assert config.project.get_config("overrides") == {"of.another.project": 1}


def test_one_argument_of_a_command_is_read_without_a_process(shop: Path) -> None:
    with session.opened(words("lighter")):
        config.init(shop)
        assert config.project.get_command_arg("greeter", "greet", "times") == 2
        assert config.project.get_command_arg("greeter", "greet", "_note", suffix="loud")


def test_presets_that_were_applied_are_listed(shop: Path) -> None:
    with session.opened(words("lighter")) as opened:
        config.init(shop)
        applied = (opened.place.path / "presets_applied").read_text().splitlines()
    assert applied == [
        "preset[light] tests.users --> 2",
        "preset[lighter] tests.name --> lighter",
    ]


def test_a_secret_that_was_typed_on_the_command_line_is_in_no_file(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "token.txt").write_text("s3cr3t-value\n")
    monkeypatch.setenv("SHOP_SECRETS", str(vault))
    text = (shop / "config.yaml").read_text()
    (shop / "config.yaml").write_text(
        text + "secrets:\n  dir: {name: shop, env_key: SHOP_SECRETS}\n"
    )
    line = ("shop", "test_ci", "tests.name=s3cr3t-value")
    overrides = (("tests.name", "s3cr3t-value", "tests.name=s3cr3t-value"),)
    entrypoint.call_entrypoint(
        lambda: config.init(shop), "shop", "test_ci", overrides=overrides, command_line=line
    )
    files = [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        assert b"s3cr3t" not in path.read_bytes(), path
