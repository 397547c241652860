from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.jobs.tools.parameters import (
    LARGEST,
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
)
from projects.jobs.tools.texts import MAX_VALUE_BYTES, Invalid
from projects.jobs.tools.tool import Tool
from projects.jobs.tools.values import MAX_JSON_BYTES, MAX_PARAMETERS, InvalidParameters, validate

PARAMETERS = (
    Nat(name="users"),
    Choice(name="mode", options=("fast", "slow"), default="slow"),
    String(name="note", optional=True),
)


def fields(given: dict[str, Any], **how: Any) -> dict[str, str]:
    with pytest.raises(InvalidParameters) as caught:
        validate(PARAMETERS, given, **how)
    return caught.value.fields


def test_sat_13_what_is_required_is_missed_by_name() -> None:
    assert fields({}) == {"users": "it is required and not given"}
    assert fields({"users": None}) == {"users": "it is required and not given"}


def test_sat_13_defaults_are_taken_and_unset_ones_are_nowhere() -> None:
    values = validate(PARAMETERS, {"users": 3, "note": None})
    assert values.arguments == ["--users=3", "--mode=slow"]
    assert values.environment == {
        "arg_users": "3",
        "arg_mode": "slow",
        "TOPGALLANT_PARAMETERS": '{"users": 3, "mode": "slow"}',
    }


def test_all_that_is_wrong_is_told_at_once() -> None:
    said = fields({"users": -1, "mode": "fest", "extra": 1})
    assert list(said) == ["users", "mode", "extra"]
    assert 'did you mean "fast"' in said["mode"]


def test_sat_14_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    assert 'did you mean "users"' in fields({"user": 3, "users": 3})["user"]


def test_sat_14_unknown_parameters_are_passed_on_where_the_spec_says_so() -> None:
    given = {"users": 1, "a": 1, "b": "is a test", "c": True, "d": [1, "x"], "e": None, "f": 2.0}
    values = validate(PARAMETERS, given, unknown="allow")
    assert values.arguments == [
        "--users=1", "--mode=slow", "--a=1", "--b=is a test", "--c=True", '--d=[1, "x"]', "--f=2"
    ]  # fmt: skip
    assert json.loads(values.json)["d"] == [1, "x"]


@pytest.mark.parametrize("name", ["a-b", "", "a\0b", "../x", "PATH=1", "\ud800"])
def test_sat_14_but_not_by_a_name_that_no_variable_can_have(name: str) -> None:
    (said,) = fields({"users": 1, name: "x"}, unknown="allow").values()
    assert "environment variable" in said


def test_sat_15_words_and_variables_stand_in_the_order_of_the_spec() -> None:
    values = validate(PARAMETERS, {"note": "n", "mode": "fast", "users": "7"})
    assert values.arguments == ["--users=7", "--mode=fast", "--note=n"]
    assert list(values.environment) == [
        "arg_users", "arg_mode", "arg_note", "TOPGALLANT_PARAMETERS"
    ]  # fmt: skip


def test_what_does_not_fit_can_be_dropped() -> None:
    values = validate(PARAMETERS, {"users": 1, "mode": "fest", "x": 1}, on_invalid="drop")
    assert values.values == {"users": 1, "mode": "slow"}
    assert list(values.dropped) == ["mode", "x"]
    said = fields({"users": "x", "mode": "fest"}, on_invalid="drop")
    assert said == {"users": '"x" is not an integer'}


def test_bounds_are_told_with_their_numbers() -> None:
    many = {f"p{n}": 1 for n in range(MAX_PARAMETERS + 1)}
    assert str(MAX_PARAMETERS) in fields(many, unknown="allow")["params"]
    long = {f"p{n}": "x" * MAX_VALUE_BYTES for n in range(2)} | {"users": 1}
    assert f"{MAX_JSON_BYTES:,}" in fields(long, unknown="allow")["params"]


def test_the_longest_values_that_are_taken_can_be_given_to_a_process() -> None:
    fits = {"users": 1, "note": "\n" * 59_000}
    values = validate(PARAMETERS, fits)
    assert values.json.encode()
    subprocess.run(["/bin/true", *values.arguments], env=values.environment, check=True)


TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=200)

SAY = (
    "import json, os, sys; env = {k: v for k, v in os.environ.items() if k.startswith('arg_')};"
    "print(json.dumps([sys.argv[1:], env, json.loads(os.environ['TOPGALLANT_PARAMETERS'])]))"
)


@settings(max_examples=25)
@given(st.lists(TEXTS, min_size=1, max_size=20))
def test_sat_06_texts_arrive_unchanged_in_a_process(texts: list[str]) -> None:
    parameters = [Text(name=f"t{n}") for n in range(len(texts))]
    named = {f"t{n}": text for n, text in enumerate(texts)}
    values = validate(parameters, named)
    done = subprocess.run(
        [sys.executable, "-I", "-X", "utf8", "-c", SAY, *values.arguments],
        env=values.environment,
        capture_output=True,
        check=True,
    )
    argv, environment, as_json = json.loads(done.stdout)
    assert argv == [f"--{name}={text}" for name, text in named.items()]
    assert environment == {f"arg_{name}": text for name, text in named.items()}
    assert as_json == named


KINDS: list[Parameter] = [
    Boolean(name="x"),
    String(name="x", optional=True),
    Text(name="x", default="d"),
    Choice(name="x", options=("a", "1", "b c")),
    Integer(name="x", min=-3),
    Integer(name="x"),
    Nat(name="x"),
    Real(name="x", min=-1.5, max=2),
    Real(name="x"),
    Some(name="x", options=("a", "b", "c")),
    Some(name="x", options=("a", "b", "c"), no_duplicates=True),
    Date(name="x"),
]
NUMBERS = st.one_of(
    st.integers(-5, 5), st.integers(), st.sampled_from([LARGEST, -LARGEST, LARGEST + 1]),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), NUMBERS, st.text(st.characters(codec="utf-8")),
    st.dates().map(str), st.sampled_from(["a", "1", "b c", "True", "3", "2026-02-30", ""]),
)  # fmt: skip
ANYTHING = st.one_of(SCALARS, st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
                     st.lists(SCALARS, max_size=3),
                     st.dictionaries(TEXTS, SCALARS, max_size=2))  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(KINDS), ANYTHING)
def test_the_json_schema_and_the_check_agree(parameter: Parameter, value: Any) -> None:
    schema = Tool(name="x", directory="", argv=(), parameters=(parameter,)).json_schema()
    fits = jsonschema_rs.Draft202012Validator(schema, validate_formats=True).is_valid({"x": value})
    try:
        read = parameter.read(value) if value is not None else None
    except Invalid:
        assert not fits, "the schema takes what the check refuses"
        return
    if value is None:
        assert fits == (not parameter.required)
    elif type(value) is type(read) or (isinstance(value, int) and isinstance(read, float)):
        assert fits, "the check takes what the schema refuses"


@given(st.dictionaries(TEXTS, ANYTHING, max_size=5), st.sampled_from(["reject", "allow"]))
def test_whatever_is_given_is_taken_or_refused_with_sentences(given: Any, unknown: Any) -> None:
    try:
        values = validate(PARAMETERS, given, unknown=unknown)
    except InvalidParameters as error:
        values = None
        said = error.fields
    if values is None:
        assert all(said.values())
        return
    assert all("\0" not in word for word in values.arguments)
    assert json.loads(values.json) == values.values
