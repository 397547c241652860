from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import UsageError
from projects.jobs.tools.catalog import Catalog
from projects.jobs.tools.parameters import (
    Boolean,
    Choice,
    Date,
    Integer,
    Real,
    Some,
    String,
    Text,
)
from projects.jobs.tools.tool import Tool, from_description
from projects.jobs.tools.words import from_words, help_text, words
from tests.conftest import CHECKOUT

TOOL = Tool(
    name="measure",
    description="Measure it",
    directory="",
    argv=(),
    parameters=(
        Integer(name="users", doc="How many", min=1, max=100),
        Boolean(name="dry_run", optional=True),
        Choice(name="mode", options=("fast", "slow"), default="slow"),
        Some(name="hosts", options=("a", "b"), optional=True),
        Real(name="ratio", optional=True),
        Text(name="notes", optional=True),
        Date(name="day", optional=True),
        Choice(name="image", shell="ls", optional=True),  # noqa: S604
        String(name="title", default="none"),
    ),
)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (["--users=3"], {"users": 3}),
        (["--users", "3", "--mode", "fast"], {"users": 3, "mode": "fast"}),
        (["--dry-run"], {"dry_run": True}),
        (["--no-dry_run"], {"dry_run": False}),
        (["--dry_run=false"], {"dry_run": False}),
        (["--hosts=a", "--hosts=b,a"], {"hosts": ["a", "b", "a"]}),
        (["--ratio=-1.5"], {"ratio": -1.5}),
        (["--notes=--x=1\n2"], {"notes": "--x=1\n2"}),
        (["--notes", "-5"], {"notes": "-5"}),
        (["--image=anything"], {"image": "anything"}),
        ([], {}),
    ],
)
def test_words_become_values(given: list[str], values: dict[str, Any]) -> None:
    assert from_words(TOOL, given) == values


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--user=3"], 'unknown flag "--user"; did you mean "--users"'),
        (["3"], '"3" is not of the form --name=value; write --users="3"'),
        (["--users=x"], '--users: "x" is not an integer'),
        (["--users=101"], "--users: 101 is more than 100"),
        (["--mode=fest"], 'did you mean "fast"'),
        (["--users=3", "--users=4"], "--users is given twice"),
        (["--users"], "--users needs a value: --users=INTEGER"),
        (["--users", "--mode=fast"], "--users needs a value"),
        (["--no-dry_run=1"], "--no-dry_run takes no value"),
        (["--no-users"], "unknown flag"),
        (["--"], "not of the form"),
        (["--=1"], "unknown flag"),
    ],
)
def test_other_words_are_refused(given: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_words(TOOL, given)
    assert said in str(caught.value)


def test_unknown_flags_are_taken_where_the_tool_takes_them() -> None:
    tool = Tool(name="x", directory="", argv=(), unknown_parameters="allow")
    assert from_words(tool, ["--a=1", "--b", "is a test"]) == {"a": "1", "b": "is a test"}
    with pytest.raises(UsageError, match="unknown flag"):
        from_words(tool, ["--a-b=1"])


VALUES = st.fixed_dictionaries(
    {"users": st.integers(1, 100)},
    optional={
        "dry_run": st.booleans(),
        "mode": st.sampled_from(["fast", "slow"]),
        "hosts": st.lists(st.sampled_from(["a", "b"]), max_size=4),
        "ratio": st.floats(allow_nan=False, allow_infinity=False),
        "notes": st.text(st.characters(exclude_characters="\0", codec="utf-8")),
        "day": st.dates().map(str),
        "title": st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    },
)


@given(VALUES)
def test_values_become_words_and_the_same_values_again(given: dict[str, Any]) -> None:
    values = TOOL.validate(given)
    assert TOOL.validate(from_words(TOOL, words(TOOL, values))) == values


def test_a_description_is_enough_for_words_and_help() -> None:
    there = from_description(TOOL.describe())
    assert from_words(there, ["--users=3", "--image=x"]) == {"users": 3, "image": "x"}
    assert help_text(there) == help_text(TOOL)


def test_help_tells_what_there_is() -> None:
    assert help_text(TOOL).splitlines()[:6] == [
        "measure: Measure it",
        "",
        "Usage: satctl run measure --users=INTEGER [--parameter=value …]",
        "",
        "Parameters",
        "  --users=INTEGER       How many. Min 1, max 100. Required.",
    ]
    assert "  --mode=fast|slow      Options: fast, slow. Default: slow." in help_text(TOOL)
    assert "The server knows the options." in help_text(TOOL)


def test_the_example_of_a_help_text_can_be_typed() -> None:
    for tool in Catalog([CHECKOUT / "projects" / "satellite" / "test_scripts"]).all():
        assert isinstance(tool, Tool)
        example = help_text(tool).splitlines()[-1].split()
        tool.validate(from_words(tool, example[3:]))
