"""Provenance: each value's chain of layers, in force and overridden, in one line each."""

from __future__ import annotations

from typing import Any

import pytest

from projects.core.configuration.document import Document
from projects.core.configuration.provenance import (
    DEFAULT,
    MAX_SETS,
    OVERRIDE,
    PRESET,
    SET,
    Change,
    History,
    Step,
    shown,
)
from projects.core.secrets.secret import Secret

TEXT = "tests:\n  users: 1\n  modes: [a, b]\n"


def history() -> History:
    return History(Document.loads(TEXT, "c.yaml"))


def changed(value: Any, name: str = "a layer") -> Change:
    return Change(value, OVERRIDE, name, document=Document.loads("k: {users: 1}", "o.yaml"))


def lines(found: History, *path: Any) -> list[str]:
    return [str(step) for step in found.steps(path)]


def test_what_nobody_changed_is_from_the_document() -> None:
    assert lines(history(), "tests", "users") == ["tests.users=1 <- c.yaml:2:3"]
    assert lines(history(), "tests", "modes", 1) == ['tests.modes[1]="b" <- c.yaml:3:14']
    assert str(history().mark(("tests", "users"))) == "c.yaml:2:3"
    assert str(history().value_mark(("tests", "users"))) == "c.yaml:2:10"


def test_a_change_above_gives_its_parts_and_hides_what_was_below() -> None:
    found = history()
    found.add(("tests", "users"), Change(2, SET, SET, word="x.py:3"))
    whole = Document.loads("tests:\n\n  users: 3\n", "o.yaml")
    change = Change(whole.values["tests"], OVERRIDE, "file", document=whole, source=("tests",))
    found.add(("tests",), change)
    assert lines(found, "tests", "users") == [
        "tests.users=3 <- file (o.yaml:3:3)",
        "tests.users=2 <- set (x.py:3) [overridden]",
        "tests.users=1 <- c.yaml:2:3 [overridden]",
    ]
    assert lines(found, "tests") == [
        'tests={"users": 3} <- file (o.yaml:1:1)',
        'tests={"users": 1, "modes": ["a", "b"]} <- c.yaml:1:1 [overridden]',
    ]
    assert str(found.value_mark(("tests", "users"))) == "o.yaml:3:10"


def test_a_container_lists_the_changes_below_it_that_are_in_force() -> None:
    found = history()
    found.add(("tests", "users"), Change(2, SET, SET, word="x.py:3"))
    found.add(("tests", "users"), Change(5, SET, SET, word="x.py:4"))
    assert lines(found, "tests") == [
        'tests={"users": 1, "modes": ["a", "b"]} <- c.yaml:1:1',
        "tests.users=5 <- set (x.py:4)",
    ]


def test_a_value_without_a_place_has_no_mark() -> None:
    found = history()
    found.add(("tests", "users"), Change(2, SET, SET, word="x.py:3"))
    assert found.mark(("tests", "users")) is None
    assert found.value_mark(("tests", "users")) is None
    assert found.steps(("tests", "users"))[0].where is None


def test_only_the_last_sets_are_remembered_and_every_layer() -> None:
    found = history()
    path = ("tests", "users")
    found.add(path, changed(7))
    for i in range(3 * MAX_SETS):
        found.add(path, Change(i, SET, SET, word="x.py:3"))
    steps = found.steps(path)
    assert [step.kind for step in steps] == [SET] * MAX_SETS + [OVERRIDE, DEFAULT]
    assert steps[0].value == 3 * MAX_SETS - 1


def test_a_copy_goes_its_own_way() -> None:
    first = history()
    path = ("tests", "users")
    first.add(path, changed(7))
    second = first.copy()
    second.add(path, changed(8))
    first.add(("tests", "modes"), changed(9))
    assert [step.value for step in first.steps(path)] == [7, 1]
    assert [step.value for step in second.steps(path)] == [8, 7, 1]
    assert len(second.steps(("tests", "modes"))) == 1


def test_a_change_can_be_taken_back_as_long_as_it_is_in_force() -> None:
    found = history()
    path = ("tests", "users")
    first, second = changed(7), changed(8)
    found.add(path, first)
    found.add(path, second)
    assert not found.take_back(path, first)
    assert found.take_back(path, second)
    assert found.take_back(path, first)
    assert [step.value for step in found.steps(path)] == [1]
    found.add(path, first)
    found.add(("tests",), second)
    assert not found.take_back(path, first)


def test_source_names_the_document_and_the_path_in_it() -> None:
    found = history()
    document = Document.loads("k: {users: 1}", "o.yaml")
    change = Change({"users": 1}, OVERRIDE, "file", document=document, source=("k",))
    found.add(("tests",), change)
    assert found.source(("tests", "users")) == (change.document, ("k", "users"), "")


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (
            Step("a.b", 4, PRESET, "command line", ("light", "small"), "c.yaml:41:7"),
            "a.b=4 <- preset small (c.yaml:41:7) <- extended by light <- command line",
        ),
        (
            Step("a", "x", OVERRIDE, "command line", (), '"a=x"'),
            'a="x" <- command line ("a=x")',
        ),
        (
            Step("a", None, DEFAULT, DEFAULT, (), "c.yaml:1:1", via="{@a}"),
            'a=null <- reference "{@a}" <- c.yaml:1:1',
        ),
    ],
)
def test_a_step_is_one_line(step: Step, line: str) -> None:
    assert str(step) == line


def test_shown_is_one_short_line_without_secrets() -> None:
    assert shown({1: ["a\nb", True, 1.5]}) == '{"1": ["a\\nb", true, 1.5]}'
    assert shown([Secret("hunter22"), {"a": Secret("hunter22")}]) == '["***", {"a": "***"}]'
    assert len(shown("x" * 1000)) == 200
