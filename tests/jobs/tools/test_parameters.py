from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.jobs.tools.parameters import (
    LARGEST,
    TYPES,
    Boolean,
    Choice,
    Date,
    Integer,
    Nat,
    Parameter,
    Real,
    Some,
    String,
    Text,
    any_option,
    from_description,
)
from projects.jobs.tools.texts import MAX_VALUE_BYTES, Invalid

ALL = [
    Boolean(name="b"),
    String(name="s", doc="text"),
    Text(name="t", optional=True),
    Choice(name="c", options=("x", "y"), default="y"),
    Integer(name="i", min=-3, max=7),
    Nat(name="n"),
    Real(name="r", min=0.5),
    Some(name="m", options=("a", "b"), no_duplicates=True),
    Date(name="d"),
]


def refused(parameter: Parameter, value: Any, match: str) -> None:
    with pytest.raises(Invalid, match=match):
        parameter.check(value)


def test_there_are_the_nine_types() -> None:
    named = ["boolean", "string", "text", "choice", "integer", "nat", "real", "some", "date"]
    assert list(TYPES) == named
    assert [each.type for each in ALL] == named


@pytest.mark.parametrize(
    ("given", "text"), [(True, "True"), (False, "False"), ("True", "True"), ("false", "False")]
)
def test_sat_05_booleans_reach_the_script_as_true_or_false(given: Any, text: str) -> None:
    assert Boolean(name="x").check(given) == text


@pytest.mark.parametrize("given", [1, 0, "yes", "", [], "1", 1.0])
def test_sat_05_nothing_else_is_a_boolean(given: Any) -> None:
    refused(Boolean(name="x"), given, "neither true nor false")


@pytest.mark.parametrize("kind", [String, Text])
@pytest.mark.parametrize(
    "text", ["", " two  spaces ", "'\"`", "a\nb\r\n\tc", "$(rm) ${x} *", "ä 😀"]
)
def test_sat_06_any_text_stays_as_it_is(kind: type[Parameter], text: str) -> None:
    assert kind(name="x").check(text) == text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a\0b", "NUL"),
        ("\ud800", "surrogate"),
        ("x" * (MAX_VALUE_BYTES + 1), "65,537 bytes; the most is 65,536"),
        ("ä" * (MAX_VALUE_BYTES // 2 + 1), "65,538 bytes"),
        ([], "a list of 0 is not a text"),
        (True, "true is not a text"),
        (10**40, "more than 30 digits"),
        (math.nan, "not a number that can be passed on"),
    ],
)
def test_sat_06_what_no_script_can_get_is_refused(given: Any, said: str) -> None:
    refused(String(name="x"), given, said)


@pytest.mark.parametrize(("given", "text"), [(1, "1"), (2.5, "2.5"), (3.0, "3"), (-0.1, "-0.1")])
def test_a_number_given_for_a_text_is_its_text(given: Any, text: str) -> None:
    assert String(name="x").check(given) == text


def test_sat_07_a_choice_is_one_of_the_options() -> None:
    animals = Choice(name="x", options=("cat", "dog", "12"))
    assert animals.check("dog") == "dog"
    assert animals.check(12) == "12"
    refused(animals, "dogg", 'unknown option "dogg"; did you mean "dog"')
    refused(animals, ["cat"], "a list of 1 is not a text")


def test_sat_07_the_command_is_asked_only_for_what_is_not_static() -> None:
    asked = []

    def more() -> list[str]:
        asked.append(1)
        return ["bird"]

    animals = Choice(name="x", options=("cat",), shell="ls")  # noqa: S604
    assert animals.check("cat", more) == "cat"
    assert not asked
    assert animals.check("bird", more) == "bird"
    with pytest.raises(Invalid, match=r'unknown option "fish".*Possible: bird, cat'):
        animals.check("fish", more)
    refused(animals, "bird", "unknown option")  # without an answer only the static ones count


@pytest.mark.parametrize(
    ("given", "text"),
    [(3, "3"), ("3", "3"), ("-03", "-3"), ("+7", "7"), (2.0, "2"), (LARGEST, "9007199254740992")],
)
def test_sat_08_integers(given: Any, text: str) -> None:
    assert Integer(name="x").check(given) == text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (1.5, "not an integer"),
        ("x", '"x" is not an integer'),
        ("", "not an integer"),
        (" 3", "not an integer"),
        ("٣", "not an integer"),
        (True, "not an integer"),
        (LARGEST + 1, "beyond"),
        (-LARGEST - 1, "beyond"),
        ("9" * 5000, "beyond"),
        (1e300, "beyond"),
        (math.inf, "not an integer"),
        ([1], "not an integer"),
    ],
)
def test_sat_08_no_other_is_an_integer(given: Any, said: str) -> None:
    refused(Integer(name="x"), given, said)


def test_sat_08_bounds_are_included() -> None:
    bounded = Integer(name="x", min=-10, max=10)
    assert [bounded.check(n) for n in (-10, 10)] == ["-10", "10"]
    refused(bounded, -11, "-11 is less than -10, the least")
    refused(bounded, 11, "11 is more than 10, the most")


def test_sat_09_nat_is_not_negative() -> None:
    assert Nat(name="x").check("0") == "0"
    refused(Nat(name="x"), -1, "less than 0")
    refused(Nat(name="x"), LARGEST + 1, "more than 2")
    refused(Nat(name="x"), 0.5, "not an integer")


@pytest.mark.parametrize(
    ("given", "text"),
    [(0.1, "0.1"), (3, "3"), ("1e-3", "0.001"), (".5", "0.5"), (1e22, "1e+22"), ("-2.", "-2")],
)
def test_sat_10_reals(given: Any, text: str) -> None:
    assert Real(name="x").check(given) == text


@pytest.mark.parametrize(
    "given", [math.nan, math.inf, -math.inf, "nan", "inf", "1e999", 10**400, "0x1", "1_0", True, ""]
)
def test_sat_10_neither_nan_nor_infinite_nor_anything_else(given: Any) -> None:
    refused(Real(name="x"), given, "is not a")


def test_sat_10_bounds_are_included() -> None:
    bounded = Real(name="x", min=0.5, max=1.5)
    assert [bounded.check(n) for n in (0.5, "1.5")] == ["0.5", "1.5"]
    refused(bounded, 0.49, "0.49 is less than 0.5")
    refused(bounded, 1.51, "1.51 is more than 1.5")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_sat_10_a_double_arrives_as_the_same_double(number: float) -> None:
    text = Real(name="x").check(number)
    assert float(text) == number
    assert Real(name="x").check(text) == text


def test_sat_11_some_are_joined_by_commas_in_the_order_given() -> None:
    animals = Some(name="x", options=("cat", "dog", "bird"))
    assert animals.check(["dog", "cat", "dog"]) == "dog,cat,dog"
    assert animals.check("dog,cat") == "dog,cat"
    assert animals.check([]) == animals.check("") == ""
    refused(animals, ["dog", "fish"], 'unknown option "fish"')


def test_sat_11_each_once_if_so_said() -> None:
    once = Some(name="x", options=("cat", "dog"), no_duplicates=True)
    assert once.check(["dog", "cat"]) == "dog,cat"
    refused(once, ["dog", "cat", "dog"], '"dog" is chosen more than once')


@pytest.mark.parametrize("option", ["a,b", ""])
def test_sat_11_options_that_could_not_be_told_apart_are_refused(option: str) -> None:
    with pytest.raises(Invalid, match="can't be told apart") as caught:
        Some(name="x", options=("ok", option))
    assert caught.value.key == "options"


def test_sat_11_a_line_of_a_command_with_a_comma_is_no_value() -> None:
    with pytest.raises(Invalid):
        Some(name="x", shell="ls").check(["a,b"], lambda: ["a,b"])  # noqa: S604


@pytest.mark.parametrize("day", ["2026-01-31", "2024-02-29", "0001-01-01", "9999-12-31"])
def test_sat_12_days(day: str) -> None:
    assert Date(name="x").check(day) == day


@pytest.mark.parametrize(
    "given",
    ["2026-02-29", "2026-13-01", "0000-01-01", "2026-1-1", "20260101", "2026-01-01\n", "2026-W01-1",
     "٢٠٢٦-01-01", 20260101, ""],
)  # fmt: skip
def test_sat_12_nothing_else_is_a_day(given: Any) -> None:
    refused(Date(name="x"), given, "is not a day")


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "a=b", "ä", "a\n", "a.b"])
def test_a_name_has_to_be_one_of_a_variable(name: str) -> None:
    with pytest.raises(Invalid, match="environment variable") as caught:
        String(name=name)
    assert caught.value.key == "name"


def test_a_default_is_checked_and_kept_with_its_type() -> None:
    assert Integer(name="x", default="3").default == 3
    assert not Integer(name="x", default=3).required
    with pytest.raises(Invalid, match="11 is more than 10") as caught:
        Integer(name="x", default=11, max=10)
    assert caught.value.key == "default"
    with pytest.raises(Invalid, match='unknown option "z"'):
        Choice(name="x", options=("a",), default="z")
    assert Choice(name="x", options=("a",), default="z", shell="ls").default == "z"  # noqa: S604


def test_contradictions_are_refused() -> None:
    with pytest.raises(Invalid, match="max 1 is less than min 2"):
        Integer(name="x", min=2, max=1)
    with pytest.raises(Invalid, match="nothing to choose from"):
        Choice(name="x")
    with pytest.raises(Invalid, match='"a" is listed twice'):
        Choice(name="x", options=("a", "a"))


@pytest.mark.parametrize("parameter", ALL, ids=lambda each: each.type)
def test_a_description_makes_the_same_parameter(parameter: Parameter) -> None:
    again = from_description(parameter.describe())
    assert again.describe() == parameter.describe()
    assert again.json_schema() == parameter.json_schema()


def test_a_description_does_not_tell_the_command() -> None:
    said = Choice(name="x", shell="cat /secret").describe()  # noqa: S604
    assert "secret" not in str(said)
    again = from_description(said)
    assert again.check("anything", any_option) == "anything"
