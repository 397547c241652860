from __future__ import annotations

import keyword
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import InfrastructureError, UsageError
from projects.skeleton.library.scaffold import (
    NAME_LENGTH_LIMIT,
    SKELETON,
    create,
    files,
    names_in_use,
    renamed,
    valid_spelling,
)

if TYPE_CHECKING:
    from pathlib import Path

names = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    """A folder of projects in which nothing but a group of another project exists."""
    group = tmp_path / "projects" / "other" / "toolbox" / "cluster.py"
    group.parent.mkdir(parents=True)
    group.touch()
    return tmp_path / "projects"


def content(project: Path) -> dict[str, str]:
    return {
        path.relative_to(project).as_posix(): path.read_text()
        for path in project.rglob("*")
        if path.is_file()
    }


def test_a_copy_is_complete(projects: Path) -> None:
    made = create("my_db", projects)
    assert made == projects / "my_db"
    assert set(content(made)) == {
        "__init__.py",
        "testing/__init__.py",
        "testing/clusters.sh",
        "testing/command_args.yaml.j2",
        "testing/config.yaml",
        "testing/configure.sh",
        "testing/test.py",
        "toolbox/__init__.py",
        "toolbox/my_db_target.py",
    }


def test_nothing_is_called_skeleton_any_more(projects: Path) -> None:
    copy = content(create("my_db", projects))
    assert not [path for path, text in copy.items() if "skeleton" in (path + text).lower()]


def test_every_spelling_is_replaced_by_its_own(projects: Path) -> None:
    copy = content(create("my_db", projects))
    assert 'run_toolbox_from_config("my_db_target", "measure")' in copy["testing/test.py"]
    assert "env_key: MY_DB_SECRET_PATH" in copy["testing/config.yaml"]
    assert "name_prefix: my-db-ci" in copy["testing/config.yaml"]
    assert "my_db_target measure:" in copy["testing/command_args.yaml.j2"]


def test_the_python_files_of_a_copy_compile(projects: Path) -> None:
    for path, text in content(create("my_db", projects)).items():
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_the_scripts_of_a_copy_can_be_run_and_nothing_else(projects: Path) -> None:
    made = create("my_db", projects)
    runnable = {
        path.name for path in made.rglob("*") if path.is_file() and os.access(path, os.X_OK)
    }
    assert runnable == {"clusters.sh"}


def test_a_copy_is_readable_as_the_umask_says(projects: Path) -> None:
    made = create("my_db", projects)
    expected = projects / "like_this"
    expected.mkdir()
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(expected.stat().st_mode)


def test_a_copy_of_a_copy_is_what_a_copy_would_have_been(projects: Path) -> None:
    first = create("my_db", projects)
    assert {renamed(path, "x"): renamed(text, "x") for path, text in content(first).items()} == (
        content(first)
    )


@given(names)
def test_a_name_is_put_in_the_place_of_every_spelling(name: str) -> None:
    text = renamed("skeleton_target skeleton-ci SKELETON_PATH Skeleton.", name)
    kebab = name.replace("_", "-")
    assert text == f"{name}_target {kebab}-ci {name.upper()}_PATH {name.capitalize()}."


def test_a_name_that_contains_the_word_is_not_replaced_again() -> None:
    assert renamed("skeleton_target", "skeleton2_skeleton") == "skeleton2_skeleton_target"


@given(st.text(max_size=80))
def test_every_text_has_a_valid_spelling(text: str) -> None:
    spelled = valid_spelling(text)
    assert spelled.isidentifier()
    assert re.fullmatch(r"[a-z][a-z0-9_]*", spelled)
    assert not keyword.iskeyword(spelled)
    assert len(spelled) <= NAME_LENGTH_LIMIT
    assert valid_spelling(spelled) == spelled


@pytest.mark.parametrize(
    ("given_name", "suggested"),
    [
        ("my-test", "my_test"),
        ("My Test", "my_test"),
        ("2fast", "test_2fast"),
        ("class", "class_test"),
        ("../evil", "evil"),
        ("a/b", "a_b"),
        ("", "test"),
        ("_hidden", "hidden"),
        ("d\N{LATIN SMALL LETTER E WITH ACUTE}j\N{LATIN SMALL LETTER A WITH GRAVE}", "d_j"),
        ("x" * 51, "x" * 50),
        ("name\n", "name"),
    ],
)
def test_a_bad_name_is_refused_with_the_valid_spelling(
    projects: Path, given_name: str, suggested: str
) -> None:
    with pytest.raises(UsageError, match=f'Try "{suggested}"'):
        create(given_name, projects)
    assert [path.name for path in projects.iterdir()] == ["other"]


@pytest.mark.parametrize("name", ["project", "core"])
def test_a_name_with_a_meaning_is_refused(projects: Path, name: str) -> None:
    with pytest.raises(UsageError, match="has a meaning on the command line"):
        create(name, projects)


def test_the_name_of_a_group_is_taken(projects: Path) -> None:
    with pytest.raises(UsageError, match=r'"cluster" is taken by projects/other/toolbox/cluster'):
        create("cluster", projects)


def test_the_name_of_the_copy_s_group_may_be_taken_too(projects: Path) -> None:
    (projects / "other" / "toolbox" / "my_db_target.py").touch()
    with pytest.raises(UsageError, match='"my_db_target" is taken by projects/other'):
        create("my_db", projects)


def test_an_existing_project_is_never_touched(projects: Path) -> None:
    create("my_db", projects)
    (projects / "my_db" / "testing" / "test.py").write_text("mine")
    with pytest.raises(UsageError, match='"my_db" is taken by projects/my_db'):
        create("my_db", projects)
    assert (projects / "my_db" / "testing" / "test.py").read_text() == "mine"


def test_a_copy_that_fails_leaves_nothing(projects: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path, name: str) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("half of it")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("projects.skeleton.library.scaffold._copy", fail)
    with pytest.raises(InfrastructureError, match="No space left on device"):
        create("my_db", projects)
    assert [path.name for path in projects.iterdir()] == ["other"]


def test_of_many_at_once_one_wins_and_its_project_is_whole(projects: Path) -> None:
    def attempt(_: int) -> bool:
        try:
            create("my_db", projects)
        except (UsageError, InfrastructureError):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(content(projects / "my_db")) == len(list(files(SKELETON)))
    assert sorted(path.name for path in projects.iterdir()) == ["my_db", "other"]


def test_names_in_use_are_projects_and_groups(projects: Path) -> None:
    assert set(names_in_use(projects)) == {"other", "cluster"}
