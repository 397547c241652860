"""Words become what the annotation says, and back."""

import datetime as dt
import enum
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.core.words import parameters
from projects.core.words.core_yaml import MOST_LEVELS
from projects.core.words.parameters import UNTYPED, Unresolved


class Colour(enum.Enum):
    RED = "red"
    DARK_BLUE = 2


Name = NewType("Name", str)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("01", str, "01"),
        ("", str, ""),
        ("null", str, "null"),
        ("[a]", str, "[a]"),
        ("7", int, 7),
        ("-7", int, -7),
        ("1e3", float, 1000.0),
        (".inf", float, float("inf")),
        ("Yes", bool, True),
        ("off", bool, False),
        ("a/b", Path, Path("a/b")),
        ("wal", Literal["wal", "delete"], "wal"),
        ("2", Literal[1, 2], 2),
        ("RED", Colour, Colour.RED),
        ("red", Colour, Colour.RED),
        ("2", Colour, Colour.DARK_BLUE),
        ("a,b , c", list[str], ["a", "b", "c"]),
        ("", list[str], []),
        ("01", list[str], ["01"]),
        ("[01, 1.10, yes]", list[str], ["01", "1.10", "yes"]),
        ("1,2", list[int], [1, 2]),
        ("1,2", tuple[int, ...], (1, 2)),
        ("1,01", tuple[int, str], (1, "01")),
        ("a,a", set[str], {"a"}),
        ("{a: 1}", dict[str, int], {"a": 1}),
        ("{1: [a, b]}", dict[int, list[str]], {1: ["a", "b"]}),
        ("null", int | None, None),
        ("5", int | str, 5),
        ("01", int | str, "01"),
        ('"5"', int | str, "5"),
        ("null", str | None, None),
        ('"null"', str | None, "null"),
        ("2026-01-31", dt.date, dt.date(2026, 1, 31)),
        ("2026-01-31T10:00:00", dt.datetime, dt.datetime(2026, 1, 31, 10)),  # noqa: DTZ001
        ("1.10", Decimal, Decimal("1.10")),
        ("01", Annotated[str, "a note"], "01"),
        ("01", Name, "01"),
    ],
)
def test_a_word_has_the_annotated_type(text: str, annotation: Any, value: Any) -> None:
    found = parameters.parse(text, annotation, "--x")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("01", "01"),
        ("007.5", "007.5"),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("yes", "yes"),
        ("null", None),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"),
        ("[1, 01, '1', yes]", [1, "01", "1", "yes"]),
        ("{a: {b: null}}", {"a": {"b": None}}),
        ("'1'", "1"),
        ("a: b", "a: b"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_an_untyped_word_is_read_as_yaml_core(text: str, value: Any) -> None:
    found = parameters.parse(text, UNTYPED, "--x")
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "annotation", "message"),
    [
        ("two", int, '--x: "two" is not an int'),
        ("two", int | None, '--x: "two" is not an int'),
        ("1.5", int, '--x: "1.5" is not an int'),
        ("maybe", bool, "Possible: true, yes, on, 1, false, no, off, 0"),
        ("quik", Literal["quick", "full"], 'did you mean "quick"'),
        ("GREEN", Colour, "Possible: RED, DARK_BLUE"),
        ("1,2,3", tuple[int, str], "3 given for tuple[int, str], which has 2"),
        ("a", dict[str, int], "write it as {key: value}"),
        ("{a: 1, a: 2}", dict[str, int], 'the key "a" is given twice'),
        ("[1", list[int], "is not YAML"),
        ("[[1]]", list[int], "a list or mapping is not an int"),
        ("31.1.2026", dt.date, "is not a date"),
        ("x", Unresolved("Configuration"), 'annotated "Configuration"'),
        ("x", int | float, '"x" is not an int or a float'),
        ("[" * 100_000, UNTYPED, f"nested deeper than {MOST_LEVELS}"),
        ("[&a [x], *a]", UNTYPED, "has an alias"),
        ("[!!python/name:os.system x]", UNTYPED, "has the tag"),
        ("{[1]: 2}", UNTYPED, "cannot be a key"),
    ],
)
def test_a_word_that_does_not_fit_says_why(text: str, annotation: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parameters.parse(text, annotation, "--x")
    assert message in str(caught.value)
    assert str(caught.value).startswith("--x: ")


@pytest.mark.parametrize(
    ("value", "annotation", "converted"),
    [
        (4, str, "4"),
        ("5", int, 5),
        (5, float, 5.0),
        ("yes", bool, True),
        (1, bool, True),
        ("a", Path, Path("a")),
        (["1", 2], list[int], [1, 2]),
        ("a,b", list[str], ["a", "b"]),
        ({"1": "2"}, dict[int, int], {1: 2}),
        (None, int | None, None),
        ("x", int | str, "x"),
        ([1], UNTYPED, [1]),
        ([1], Any, [1]),
        (2, Colour, Colour.DARK_BLUE),
    ],
)
def test_a_value_of_yaml_is_converted(value: Any, annotation: Any, converted: Any) -> None:
    found = parameters.convert(value, annotation, "x")
    assert (found, type(found)) == (converted, type(converted))


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        (4.1, str, "x: 4.1 is a float, not text; quote it"),
        (True, str, "x: True is a bool, not text; quote it"),
        (1.5, int, "x: 1.5 is not an int"),
        (True, int, "x: True is not an int"),
        (None, int, "x: None is not an int"),
        ({"a": 1}, list[str], "is not a list"),
    ],
)
def test_a_value_is_not_bent(value: Any, annotation: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parameters.convert(value, annotation, "x")
    assert message in str(caught.value)


def test_a_subclass_of_text_is_kept() -> None:
    class Token(str):
        __slots__ = ()

    assert type(parameters.convert(Token("a"), str, "x")) is Token
    assert type(parameters.parse("a", Token, "--x")) is Token


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
finite = st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | st.integers() | finite | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(scalars, inner, max_size=4),
    max_leaves=12,
)
typed = st.one_of(
    st.tuples(st.just(str), texts),
    st.tuples(st.just(int), st.integers()),
    st.tuples(st.just(float), finite),
    st.tuples(st.just(bool), st.booleans()),
    st.tuples(st.just(Path), texts.map(Path)),
    st.tuples(st.just(Literal["a", "b c", 3] | None), st.sampled_from(["a", "b c", 3, None])),
    st.tuples(st.just(Colour), st.sampled_from(Colour)),
    st.tuples(st.just(list[str]), st.lists(texts)),
    st.tuples(st.just(list[int]), st.lists(st.integers())),
    st.tuples(st.just(list[bool]), st.lists(st.booleans())),
    st.tuples(st.just(list[list[str]]), st.lists(st.lists(texts))),
    st.tuples(st.just(tuple[int, str]), st.tuples(st.integers(), texts)),
    st.tuples(st.just(tuple[str, ...]), st.lists(texts).map(tuple)),
    st.tuples(st.just(set[str]), st.sets(texts)),
    st.tuples(st.just(frozenset[int]), st.frozensets(st.integers())),
    st.tuples(st.just(dict[str, str]), st.dictionaries(texts, texts)),
    st.tuples(st.just(dict[int, list[str]]), st.dictionaries(st.integers(), st.lists(texts))),
    st.tuples(st.just(dict[str, Any]), st.dictionaries(texts, values)),
    st.tuples(st.just(str | None), st.none() | texts),
    st.tuples(st.just(int | None), st.none() | st.integers()),
    st.tuples(st.just(int | str), st.integers() | texts),
    st.tuples(st.just(bool | int | float | str | None), scalars),
    st.tuples(st.just(list[int | str | None]), st.lists(st.integers() | texts | st.none())),
    st.tuples(st.just(list[str] | None), st.lists(texts) | st.none()),
    st.tuples(st.just(dict[str, int | str]), st.dictionaries(texts, st.integers() | texts)),
    st.tuples(st.just(dt.date), st.dates()),
    st.tuples(st.just(dt.datetime), st.datetimes()),
    st.tuples(st.just(Decimal), st.decimals(allow_nan=False)),
    st.tuples(st.just(UNTYPED), values),
)


def shape(value: Any) -> Any:
    """The value with its types, so that 1, 1.0 and True differ."""
    if isinstance(value, dict):
        return [(shape(k), shape(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [shape(v) for v in value]
    if isinstance(value, set | frozenset):
        return type(value), {(type(v), v) for v in value}
    return type(value), value


@given(typed)
def test_what_is_formatted_is_parsed_back(pair: tuple[Any, Any]) -> None:
    annotation, value = pair
    word = parameters.format(value, annotation)
    assert shape(parameters.parse(word, annotation, "--x")) == shape(value)


@given(texts)
def test_text_is_never_retyped(text: str) -> None:
    assert parameters.parse(text, str, "--x") == text


@given(texts, st.sampled_from([int, float, bool, list[int], dict[str, int], UNTYPED, int | None]))
def test_any_word_is_a_value_or_a_usage_error(text: str, annotation: Any) -> None:
    try:
        parameters.parse(text, annotation, "--x")
    except UsageError as error:
        assert str(error).startswith("--x: ")  # noqa: PT017 - most words raise nothing


def test_types_are_described_as_one_writes_them() -> None:
    described = {
        str: "str",
        int: "int",
        Path: "path",
        list[str]: "list[str]",
        dict[str, Any]: "dict[str, any]",
        int | None: "int | null",
        Literal["wal", "delete"]: "wal|delete",
        UNTYPED: "",
    }
    for annotation, text in described.items():
        assert parameters.describe(annotation) == text


def test_one_is_not_true_in_a_literal() -> None:
    assert parameters.parse("1", Literal[1], "--x") == 1
    assert parameters.parse("true", Literal[True], "--x") is True
