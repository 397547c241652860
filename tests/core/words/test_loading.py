"""The code behind a name is imported when asked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import projects
from projects.core.errors import TopgallantError
from projects.core.words import loading
from projects.core.words.catalog import Catalog


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(projects, "__path__", [*projects.__path__, str(tmp_path / "projects")])
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(root: Path, name: str, text: str) -> None:
    path = root / "projects" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_public_functions_of_a_group_are_its_commands(root: Path) -> None:
    write(
        root,
        "loaded_a/toolbox/tools_a.py",
        "from os.path import join\nclass C: pass\ndef b(): pass\ndef a(): pass\ndef _no(): pass\n",
    )
    assert list(loading.commands_of(Catalog(root).group("tools_a"))) == ["b", "a"]


def test_the_entrypoint_class_lists_the_entrypoints(root: Path) -> None:
    write(root, "loaded_b/testing/prepare_here.py", "def prepare_ci(): return 1\n")
    write(
        root,
        "loaded_b/testing/test.py",
        "import prepare_here\ndef other(): pass\n"
        "class Entrypoint:\n"
        "    def __init__(self):\n"
        "        self.prepare_ci = prepare_here.prepare_ci\n"
        "        self.cleanup_cluster_ci = other\n"
        "        self.note = 'text'\n"
        "    def more(self): pass\n",
    )
    before = list(sys.path)
    verbs = loading.entrypoints_of(Catalog(root).project("loaded_b"))
    assert list(verbs) == ["prepare_ci", "cleanup_cluster_ci", "more"]
    assert verbs["prepare_ci"]() == 1
    assert sys.path == before


def test_without_the_class_it_is_the_decorated_functions(root: Path) -> None:
    write(
        root,
        "loaded_c/testing/test.py",
        "def f(): pass\ndef g(): pass\nf.__topgallant_entrypoint__ = True\n",
    )
    assert list(loading.entrypoints_of(Catalog(root).project("loaded_c"))) == ["f"]


def test_two_projects_may_have_siblings_of_the_same_name(root: Path) -> None:
    for name in ("loaded_d", "loaded_e"):
        write(root, f"{name}/testing/same_name.py", f"def go(): return '{name}'\n")
        write(
            root,
            f"{name}/testing/test.py",
            "import same_name\nclass Entrypoint:\n    def __init__(self): self.go = same_name.go\n",
        )
    for name in ("loaded_d", "loaded_e"):
        assert loading.entrypoints_of(Catalog(root).project(name))["go"]() == name


def test_a_syntax_error_says_where(root: Path) -> None:
    write(root, "loaded_f/toolbox/broken_f.py", "x = 1\ndef f(:\n")
    with pytest.raises(TopgallantError) as caught:
        loading.commands_of(Catalog(root).group("broken_f"))
    assert str(caught.value).startswith(f"{root}/projects/loaded_f/toolbox/broken_f.py:2:7: Syntax")


def test_a_failing_import_says_where(root: Path) -> None:
    write(root, "loaded_g/testing/test.py", "\nimport no_such_module_at_all\n")
    with pytest.raises(TopgallantError) as caught:
        loading.entrypoints_of(Catalog(root).project("loaded_g"))
    assert str(caught.value) == (
        f"{root}/projects/loaded_g/testing/test.py:2:1: it cannot be loaded: "
        "ModuleNotFoundError: No module named 'no_such_module_at_all'"
    )
