"""Filter, group and sort."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.matrix_benchmarking.results.matrix import Matrix, parse_filter
from projects.matrix_benchmarking.results.result import Result

if TYPE_CHECKING:
    from projects.matrix_benchmarking.results.result import Scalar


def matrix(*settings: dict[str, Scalar]) -> Matrix:
    return Matrix.of(Result(Path(str(n)), each, 0) for n, each in enumerate(settings))


def names(found: Matrix) -> list[int]:
    return [int(result.directory.name) for result in found]


MODES = matrix(
    {"mode": "wal", "batch": 100, "safe": True},
    {"mode": "delete", "batch": 9, "safe": False},
    {"mode": "wal", "batch": 9, "safe": True},
    {"mode": "a:b,c=d\\e", "batch": 1.5, "safe": None},
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", [0, 1, 2, 3]),
        ("mode=wal", [0, 2]),
        ("mode=wal:delete,batch=9", [1, 2]),
        ("batch=9.0", [1, 2]),
        ("batch=009", [1, 2]),
        ("batch=1.5:100", [0, 3]),
        ("batch=nine", []),
        ("safe=true", [0, 2]),
        ("safe=False", [1]),
        ("safe=1", []),
        ("safe=", [3]),
        ("safe=null:false", [1, 3]),
        (r"mode=a\:b\,c\=d\\e", [3]),
        (" mode = wal , batch = 100 ", [0]),
    ],
)
def test_a_filter_lets_through(text: str, kept: list[int]) -> None:
    assert names(MODES.filter(text)) == kept


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mod=wal", 'unknown setting "mod"; did you mean "mode"'),
        ("mode", '"mode" is no key=value'),
        ("=wal", "is no key=value"),
        ("mode=a=b", "is no key=value"),
        ("mode=wal,", '"" is no key=value'),
        ("mode=wal,mode=delete", "mode is there twice; write mode=a:b"),
    ],
)
def test_a_filter_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        MODES.filter(text)


def escaped(text: str) -> str:
    for character in "\\,:=":
        text = text.replace(character, f"\\{character}")
    return text


@given(st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1), min_size=1))
def test_any_text_can_be_asked_for(wanted: dict[str, list[str]]) -> None:
    stripped = {key.strip(): [value.strip() for value in values] for key, values in wanted.items()}
    if "" in stripped or len(stripped) < len(wanted):
        return
    text = ",".join(
        f"{escaped(key)}={':'.join(map(escaped, values))}" for key, values in stripped.items()
    )
    assert parse_filter(text) == stripped


@given(st.text())
def test_any_filter_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_filter(text), dict)


def test_numbers_are_sorted_by_value_and_texts_by_letter() -> None:
    assert names(MODES.sort(["batch", "mode"])) == [3, 1, 2, 0]
    assert names(MODES.sort(["safe"])) == [3, 1, 2, 0]
    mixed = matrix(*({"x": x} for x in ("10", 10, None, True, 9.5, "9", False)))
    assert names(mixed.sort()) == [2, 6, 3, 4, 1, 0, 5]


def test_axes_vary_and_constants_do_not() -> None:
    found = MODES.filter("mode=wal")
    assert found.axes == {"batch": [9, 100]}
    assert found.constants == {"mode": "wal", "safe": True}
    assert matrix({"a": 1}, {"b": 1}).axes == {"a": [None, 1], "b": [None, 1]}


def test_groups_have_the_values_of_their_keys() -> None:
    groups = MODES.group_by(["batch"])
    assert {key: names(group) for key, group in groups.items()} == {
        (1.5,): [3],
        (9,): [1, 2],
        (100,): [0],
    }
    assert list(groups) == [(1.5,), (9,), (100,)]
    assert list(MODES.group_by([])) == [()]
    with pytest.raises(UsageError, match="unknown setting"):
        MODES.group_by(["nothing"])


def test_results_with_a_problem_are_no_points() -> None:
    broken = Result(Path("x"), {"a": 1}, None, problem="broken")
    assert len(Matrix.of([broken])) == 0
    assert matrix().filter("a=1").keys == []
