"""Data looks the same whatever it is made of."""

import enum
import json
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from projects.core.command_line.printing import render


class Mode(enum.Enum):
    WAL = 1


@dataclass
class Point:
    mode: Mode
    path: Path


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - what libraries return


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("01", "01\n"),
        ("two\nlines\n", "two\nlines\n"),
        (3, "3\n"),
        (True, "True\n"),
        (Path("a/b"), "a/b\n"),
        ([], "[]\n"),
        ({"ä": ["01", 1, None]}, "ä:\n- '01'\n- 1\n- null\n"),
        (Point(Mode.WAL, Path("x")), "mode: WAL\npath: x\n"),
        (Pair(1, (2, 3)), "a: 1\nb:\n- 2\n- 3\n"),
    ],
)
def test_text(value: Any, text: str) -> None:
    assert render(value, "text") == text


def test_json_and_yaml() -> None:
    value = {Path("k"): {2, 1}, 3: Point(Mode.WAL, Path("x"))}
    assert json.loads(render(value, "json")) == {"k": [1, 2], "3": {"mode": "WAL", "path": "x"}}
    assert render("01", "yaml") == "'01'\n"
    assert render("01", "json") == '"01"\n'
