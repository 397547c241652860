"""Names are found by file, whatever is in the files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.core.words.catalog import Catalog, docstring_line, selected_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "projects/disk/testing/test.py": '"""Measure a disk."""\nraise SystemExit(9)\n',
        "projects/disk/toolbox/sqlite.py": '#!/x\n# c\n\n"""\nMeasure SQLite.\n"""\n',
        "projects/net/__init__.py": "'''Measure a network.'''\n",
        "projects/net/testing/test.py": "def broken(:\n",
        "projects/net/toolbox/net.py": "",
        "projects/core/toolbox/config.py": 'r"""Look at it. """',
        "projects/core/toolbox/_private.py": "",
        "projects/core/toolbox/no-module.py": "",
        "projects/only_library/library/x.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_projects_and_groups_are_listed_with_their_summaries(root: Path) -> None:
    catalog = Catalog(root)
    projects = {name: p.summary for name, p in catalog.projects().items()}
    groups = {name: g.summary for name, g in catalog.groups().items()}
    assert projects == {"disk": "Measure a disk.", "net": "Measure a network."}
    assert groups == {"config": "Look at it.", "net": "", "sqlite": "Measure SQLite."}
    assert catalog.names() == ["config", "disk", "net", "sqlite"]


def test_a_name_may_be_both(root: Path) -> None:
    entry = Catalog(root).find("net")
    assert entry.project
    assert entry.group
    assert entry.group.module == "projects.net.toolbox.net"
    assert entry.project.testing_dir == str(root / "projects/net/testing")


def test_an_unknown_name_gets_the_nearest(root: Path) -> None:
    with pytest.raises(UsageError, match=r'"dsik"; did you mean "disk"\? Possible: config, disk'):
        Catalog(root).find("dsik")
    with pytest.raises(UsageError, match='did you mean "sqlite"'):
        Catalog(root).group("sqlit")
    with pytest.raises(UsageError, match='unknown project "sqlite"'):
        Catalog(root).project("sqlite")


def test_a_group_in_two_projects_is_an_error_naming_both(root: Path) -> None:
    (root / "projects/net/toolbox/sqlite.py").write_text("")
    catalog = Catalog(root)
    assert "sqlite" in catalog.groups()  # the overview goes on
    with pytest.raises(UsageError) as caught:
        catalog.find("sqlite")
    assert "projects/disk/toolbox/sqlite.py" in str(caught.value)
    assert "projects/net/toolbox/sqlite.py" in str(caught.value)


def test_a_place_without_projects_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no projects here"):
        Catalog(tmp_path).names()


def test_the_selected_project(root: Path) -> None:
    assert selected_project(root, {}) == "sqlite_bench"
    (root / ".topgallant").mkdir()
    (root / ".topgallant/project").write_text("net\n")
    assert selected_project(root, {}) == "net"
    assert selected_project(root, {"TOPGALLANT_PROJECT": "disk"}) == "disk"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('"""One."""', "One."),
        ("'One.'\n", "One."),
        ('"""\\\nOne.\n"""', "One."),
        ('\ufeff"""One.\n\nTwo."""', "One."),
        ("import os\n", ""),
        ('"""\n\n"""\nx = 1', ""),
        ('"""', ""),
        ("", ""),
    ],
)
def test_docstring_line(source: str, line: str) -> None:
    assert docstring_line(source) == line


@given(st.text())
def test_docstring_line_takes_any_text(source: str) -> None:
    assert "\n" not in docstring_line(source)
