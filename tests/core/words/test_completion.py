"""What may follow the words so far."""

from pathlib import Path
from typing import Literal

import pytest

from projects.core.errors import UsageError
from projects.core.words import completion
from projects.core.words.catalog import Catalog
from projects.core.words.signature import Signature


def measure(size: int, mode: Literal["wal", "delete"] = "wal", *, loud: bool = False) -> None:
    pass


def ask(root: Path, *words: str) -> list[str]:
    signature = Signature.of(measure)
    source = completion.Source(
        lambda name: {"test_ci": signature} if name == "disk" else {},
        lambda name: {"measure": signature} if name == "sqlite" else {},
        lambda _name: ["quick", "full"],
        lambda name: ["tests", "tests.rows", f"tests.{name}"],
    )
    return completion.candidates(Catalog(root), words, source)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in ("projects/disk/testing/test.py", "projects/disk/toolbox/sqlite.py"):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([""], ["project", "disk", "sqlite", "completion"]),
        (["s"], ["sqlite"]),
        (["--v"], ["--version"]),
        (["completion", "z"], ["zsh"]),
        (["disk", ""], ["test_ci"]),
        (["sqlite", "m"], ["measure"]),
        (["disk", "test_ci", ""], ["quick", "full"]),
        (["disk", "test_ci", "quick", ""], ["full"]),
        (["sqlite", "measure", ""], ["--size=", "--mode=", "--loud", "--help"]),
        (["sqlite", "measure", "--size=3", "--"], ["--mode=", "--loud", "--help"]),
        (["sqlite", "measure", "--mode="], ["--mode=wal", "--mode=delete"]),
        (["sqlite", "measure", "--mode=w"], ["--mode=wal"]),
        (["sqlite", "measure", "--mode", ""], ["wal", "delete"]),
        (["sqlite", "measure", "--mode", "w"], ["wal"]),
        (["sqlite", "measure", "--size", ""], []),
        (["sqlite", "measure", "3", ""], ["wal", "delete"]),
        (["sqlite", "measure", "3", "d"], ["delete"]),
        (["sqlite", "measure", "--size", "3", "--"], ["--mode=", "--loud", "--help"]),
        (["sqlite", "nothing", ""], []),
        (["disk", "test_ci", "t"], ["tests.rows=", "tests.disk="]),
        (["disk", "test_ci", "tests.r"], ["tests.rows="]),
        (["configure", "enter", ""], ["disk"]),
        (["configure", "enter", "disk", "--preset=q"], ["--preset=quick"]),
        (["configure", "apply", "quick", ""], ["full"]),
        (["config", "show", ""], ["tests", "tests.rows", "tests.project"]),
        (["config", "explain", "--project=disk", "tests.d"], ["tests.disk"]),
        (["config", "show", "tests.rows", "f"], ["full"]),
        (["config", "show", "--project=d"], ["--project=disk"]),
        (["from_config", ""], ["sqlite"]),
        (["from_config", "sqlite", ""], ["measure"]),
    ],
)
def test_candidates(root: Path, words: list[str], found: list[str]) -> None:
    assert ask(root, *words) == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("./run_toolbox.py ", [""]),
        ("./run_toolbox.py sq", ["sq"]),
        ("./run_toolbox.py sqlite  measure ", ["sqlite", "measure", ""]),
        ("./run_toolbox.py sqlite --a='b c", ["sqlite", "--a=b c"]),
    ],
)
def test_a_line_is_split_as_far_as_the_cursor(line: str, words: list[str]) -> None:
    assert completion.words_of_line(line) == words


def test_an_unknown_shell_is_an_error() -> None:
    with pytest.raises(UsageError, match='did you mean "bash"'):
        completion.script("bahs")
