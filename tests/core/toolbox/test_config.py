"""`config show|explain|diff|check`: what they print."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.core.commands import session
from projects.core.errors import ConfigurationError, UsageError, exit_status_of
from projects.core.toolbox import config, configure

pytestmark = pytest.mark.usefixtures("small_checkout")


def test_show_prints_one_value_resolved_with_presets_in_their_order() -> None:
    assert config.show("tests.name", project="demo") == "test-10"
    assert config.show("tests.name", "many", project="demo") == "test-200"
    assert config.show("tests.users", "many", "few", project="demo") == 2


def test_show_without_a_key_prints_everything() -> None:
    shown = config.show(project="demo")
    assert shown["tests"]["name"] == "test-10"
    assert shown["tests"]["sizes"] == [1, 100]


def test_show_of_several_matches_prints_them_all() -> None:
    assert config.show("tests.sizes[*]", project="demo") == [1, 100]


def test_show_names_the_file_of_a_secret_and_never_reads_it() -> None:
    assert config.show("tests.token", project="demo") == "*** (file token_file)"
    assert config.show(project="demo")["tests"]["token"] == "*$@secrets.token"


def test_show_of_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r'did you mean "tests\.users"'):
        config.show("tests.user", project="demo")


def test_the_project_is_the_selected_one_unless_it_is_said(small_checkout: Path) -> None:
    assert config.show("tests.users") == 7
    configure.enter("demo", preset="few")
    assert config.show("tests.users") == 2
    assert config.show("tests.users", project="sqlite_bench") == 7
    with pytest.raises(UsageError, match='did you mean "demo"'):
        config.show("tests.users", project="demmo")


def test_a_child_of_a_run_looks_at_the_configuration_of_that_run(
    small_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure.enter("sqlite_bench", preset="few")
    file = small_checkout / "resolved.yaml"
    file.write_text("# Resolved configuration of project demo\ntests: {users: 77}\n")
    monkeypatch.setenv("TOPGALLANT_FROM_CONFIG_FILE", str(file))
    assert config.show("tests.users") == 77


def test_a_preset_that_configure_keeps_is_explained_by_it() -> None:
    configure.enter("demo", preset="few")
    kept, *_ = config.explain("tests.users").splitlines()
    assert kept.endswith(" <- configure")
    typed, *_ = config.explain("tests.users", "many").splitlines()
    assert typed.endswith(" <- command line")


def test_explain_prints_the_chain_with_places() -> None:
    first, second, *_ = config.explain("tests.users", "many", project="demo").splitlines()
    assert first.startswith("tests.users=200 <- preset many (projects/demo/testing/config.yaml:4:")
    assert "projects/demo/testing/config.yaml:3:" in second
    assert second.endswith("[overridden]")


def test_diff_prints_old_new_and_place_of_what_changes_references_included() -> None:
    changes = config.diff("many", project="demo")
    assert list(changes) == ["tests.users", "tests.sizes", "tests.name"]
    assert changes["tests.sizes"] == {
        "old": [1, 100],
        "new": [1],
        "at": "projects/demo/testing/config.yaml:3:25",
    }
    assert changes["tests.name"]["new"] == "test-200"
    assert config.diff("few", project="sqlite_bench").keys() == changes.keys()


def test_diff_needs_presets() -> None:
    with pytest.raises(UsageError, match="needs presets"):
        config.diff(project="demo")


def test_check_says_what_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_judge", lambda *_: ())
    said = config.check("demo")
    assert said == "demo: nothing found in 2 presets, 2 references and 1 command"


def test_check_reports_all_findings_at_once_with_exit_status_2(small_checkout: Path) -> None:
    folder = small_checkout / "projects" / "demo" / "testing"
    (folder / "config.yaml").write_text("a: '@b'\nc: '@d'\n")
    (folder / "command_args.yaml.j2").write_text("x y:\n  z: {{ e }}\n")
    with pytest.raises(ConfigurationError) as caught:
        config.check("demo")
    first, *lines = str(caught.value).splitlines()
    assert first == "4 findings in the project demo:"
    assert [line.split(": ")[0] for line in lines] == [
        "projects/demo/testing/command_args.yaml.j2:1:1",
        "projects/demo/testing/command_args.yaml.j2:2:9",
        "projects/demo/testing/config.yaml:1:4",
        "projects/demo/testing/config.yaml:2:4",
    ]
    assert 'unknown toolbox group "x"' in lines[0]
    assert exit_status_of(caught.value) == 2


def test_a_missing_key_is_one_finding_not_a_null_of_the_wrong_type_as_well(
    small_checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_checkout / "projects" / "demo" / "testing"
    (folder / "command_args.yaml.j2").write_text(
        "x y:\n  number: {{ tests.user }}\n  words: [{{ tests.sizs }}, 2]\n"
    )
    seen: dict[str, Any] = {}
    monkeypatch.setattr(config, "_judge", lambda _group, _command, given: seen.update(given) or ())
    with pytest.raises(ConfigurationError) as caught:
        config.check("demo")
    _, *lines = str(caught.value).splitlines()
    assert [line.partition("unknown key ")[2].split(";")[0] for line in lines] == [
        '"tests.user"',
        '"tests.sizs"',
    ]
    assert seen == {"number": "SET_AT_RUNTIME", "words": "SET_AT_RUNTIME"}


def test_an_entrypoint_that_exec_list_misspells_is_found(small_checkout: Path) -> None:
    file = small_checkout / "projects" / "demo" / "testing" / "config.yaml"
    listed = "exec_list:\n  _only_: false\n  test_cy: true\n  prepare_ci: null\n  other: null\n"
    file.write_text(listed)
    (file.parent / "command_args.yaml.j2").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        config.check("demo")
    (_, found) = str(caught.value).splitlines()
    assert found.startswith("projects/demo/testing/config.yaml:3:3: unknown entrypoint ")
    assert 'did you mean "test_ci"?' in found


@pytest.mark.parametrize(
    ("file", "code", "said"),
    [
        ("testing/test.py", "def test_ci(:\n", "testing/test.py:1:13: SyntaxError"),
        (
            "testing/test.py",
            "\nfrom projects.core import nothing_such\n",
            "testing/test.py:2:1: it cannot",
        ),
        ("toolbox/loaded.py", "def go((:\n", "toolbox/loaded.py:1:8: SyntaxError"),
    ],
)
def test_code_that_cannot_be_loaded_is_found_with_its_place(
    tmp_path: Path, file: str, code: str, said: str
) -> None:
    project = tmp_path / "projects" / "loaded"
    for name in ("testing/test.py", "testing/config.yaml", "toolbox/loaded.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
    (project / "testing/command_args.yaml.j2").write_text("loaded go:\n  a: 1\n")
    (project / "toolbox/loaded.py").write_text("def go(a: int) -> None:\n    pass\n")
    (project / file).write_text(code)
    (tmp_path / "run.py").write_text(
        "import sys, projects\n"
        f"projects.__path__.append({str(tmp_path / 'projects')!r})\n"
        "from pathlib import Path\n"
        "from projects.core.commands import session\n"
        f"session.CHECKOUT = Path({str(tmp_path)!r})\n"
        "from projects.core.toolbox import config\n"
        "print(config.check('loaded'))\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py")],
        env={"PYTHONPATH": str(Path(config.__file__).parents[3]), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 finding in the project loaded" in done.stderr, done.stderr
    assert said in done.stderr


@pytest.fixture
def real_judge(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(session, "CHECKOUT", checkout)
    return lambda *words: list(config._judge(*words))


def test_arguments_are_compared_with_the_signature_of_the_command(real_judge: Any) -> None:
    assert real_judge("config", "show", {"key": "a", "project": "SET_AT_RUNTIME"}) == []
    assert real_judge("configure", "enter", {"shell": "SET_AT_RUNTIME"}) == []
    ((argument, message),) = real_judge("config", "show", {"projekt": "a"})
    assert argument == "projekt"
    assert 'did you mean "project"?' in message
    ((argument, message),) = real_judge("configure", "enter", {"shell": "perhaps"})
    assert (argument, "perhaps" in message) == ("shell", True)


def test_an_unknown_command_is_said_with_the_nearest(real_judge: Any) -> None:
    ((argument, message),) = real_judge("config", "shw", {})
    assert argument is None
    assert 'did you mean "show"?' in message
    ((argument, message),) = real_judge("konfig", "show", {})
    assert 'did you mean "config"?' in message
