from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from projects.jobs.tools.entrypoints import Entrypoints
from projects.jobs.tools.tool import InvalidTool, Tool
from projects.jobs.tools.values import InvalidParameters
from tests.conftest import CHECKOUT

TEST = '''
"""A project."""
from projects.core.library.entrypoint import entrypoint
raise RuntimeError("nobody may import this")

@entrypoint(ignore_secret_path=True)
def test_ci(count: int, fast: bool = False, *, where: str = "here") -> None:
    """Run it.

    Args:
      count: how many
    """

@entrypoint
async def prepare_ci() -> None:
    pass

def no_entrypoint() -> None:
    pass
'''
CONFIG = """
ci_presets:
  name: null
  quick: {tests.users: 1}
  "with,comma": {}
  -x: {}
secrets:
  dir: {name: x, env_key: MINE_SECRET_PATH}
tests:
  users: 3
  hosts: [a, b]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    there = tmp_path / "projects" / "mine" / "testing"
    there.mkdir(parents=True)
    (there / "test.py").write_text(TEST)
    (there / "config.yaml").write_text(CONFIG)
    return there


@pytest.fixture
def tool(project: Path, tmp_path: Path) -> Tool:
    found = Entrypoints(tmp_path).look("mine.test_ci")
    assert isinstance(found, Tool)
    return found


def test_entrypoints_are_found_without_importing_them(project: Path, tmp_path: Path) -> None:
    found = Entrypoints(tmp_path).all()
    assert [tool.name for tool in found] == ["mine.test_ci", "mine.prepare_ci"]
    assert "projects.mine.testing.test" not in sys.modules


def test_parameters_are_presets_overrides_and_its_own(tool: Tool) -> None:
    described = {each["name"]: each for each in tool.describe()["parameters"]}
    assert {name: each["type"] for name, each in described.items()} == {
        "presets": "some",
        "overrides": "text",
        "count": "integer",
        "fast": "boolean",
        "where": "string",
    }
    assert described["presets"]["options"] == ["quick"]
    assert described["count"] | {} == {
        "name": "count", "type": "integer", "doc": "how many", "required": True
    }  # fmt: skip
    assert tool.description == "Run it."
    assert tool.env_allow == ("MINE_SECRET_PATH",)
    assert tool.on_restart == "fail"


def test_the_words_of_the_run(tool: Tool, tmp_path: Path) -> None:
    given = {
        "count": 2,
        "presets": ["quick"],
        "overrides": "tests.users=5\n\n# why\n  tests.hosts=[c, d e]  ",
    }
    values = tool.validate(given)
    assert tool.command(values) == [
        sys.executable,
        str(tmp_path / "run_toolbox.py"),
        "mine",
        "test_ci",
        "quick",
        "tests.users=5",
        "tests.hosts=[c, d e]",
        "--count=2",
    ]
    assert tool.environment(values, "/job")["ARTIFACT_DIR"] == "/job"


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ("tests.usrs=1", 'unknown key "tests.usrs"; did you mean "tests.users"'),
        ("ok", '"ok" is not key=value'),
        ("=1", "neither a preset nor key=value"),
        ("--debug", "is not key=value"),
        ("--debug=1", "is not key=value"),
        ("tests.users=[1", "not YAML"),
    ],
)
def test_overrides_that_are_none_are_refused(tool: Tool, overrides: str, said: str) -> None:
    with pytest.raises(InvalidParameters) as caught:
        tool.validate({"count": 1, "overrides": overrides})
    assert said in caught.value.fields["overrides"]


def test_changes_are_seen(project: Path, tmp_path: Path) -> None:
    entrypoints = Entrypoints(tmp_path)
    entrypoints.all()
    (project / "config.yaml").write_text(CONFIG.replace("quick", "quack"))
    found = entrypoints.look("mine.test_ci")
    assert isinstance(found, Tool)
    assert found.parameters[0].describe()["options"] == ["quack"]


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config.yaml", "a: [", "config.yaml:2:1:"),
        ("config.yaml", "[]", "has to be a mapping"),
        ("test.py", "def (", "invalid syntax"),
    ],
)
def test_a_project_that_cannot_be_read_says_why(
    project: Path, tmp_path: Path, file: str, text: str, said: str
) -> None:
    (project / file).write_text(text)
    (found,) = Entrypoints(tmp_path).all()
    assert isinstance(found, InvalidTool)
    assert said in found.reason
    assert Entrypoints(tmp_path).look("mine.test_ci") == found


def test_a_project_without_a_configuration_has_neither_presets_nor_overrides(
    project: Path, tmp_path: Path
) -> None:
    (project / "config.yaml").unlink()
    found = Entrypoints(tmp_path).look("mine.prepare_ci")
    assert isinstance(found, Tool)
    assert found.parameters == ()


def listed_by_the_command_line() -> dict[str, Any]:
    code = (
        "import json; from projects.core.words.catalog import Catalog;"
        "from projects.core.words.loading import entrypoints_of as of;"
        "print(json.dumps({n: list(of(p)) for n, p in Catalog('.').projects().items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, check=True
    )
    listed: dict[str, Any] = json.loads(done.stdout)
    return listed


def test_they_are_those_that_the_command_line_finds_by_importing() -> None:
    found = [tool.name for tool in Entrypoints(CHECKOUT).all()]
    listed = listed_by_the_command_line()
    assert found == [f"{project}.{verb}" for project, verbs in listed.items() for verb in verbs]


def test_an_entrypoint_runs_with_the_directory_of_its_job(tmp_path: Path) -> None:
    tool = Entrypoints(CHECKOUT).look("skeleton.prepare_ci")
    assert isinstance(tool, Tool)
    job = tmp_path / "job"
    job.mkdir()
    (job / "stdout.log").touch()
    values = tool.validate({"presets": [], "overrides": ""})
    subprocess.run(
        tool.command(values),
        cwd=tool.place(str(job)),
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **tool.environment(values, str(job))},
        check=True,
        capture_output=True,
    )
    assert (job / "FINISHED").exists()
    assert (job / "stdout.log").exists()
