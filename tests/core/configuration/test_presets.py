"""Presets: depth-first, `extends` at its position, and every mistake with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import Document
from projects.core.configuration.presets import (
    MAX_EXPANDED,
    Assignment,
    chosen,
    expand,
    positional,
)
from projects.core.errors import ConfigurationError

NAMES = ["a", "b", "c", "d", "e"]
PRESET = st.lists(
    st.tuples(st.just("extends"), st.lists(st.sampled_from(NAMES), max_size=2))
    | st.tuples(st.sampled_from(["x.one", "x.two"]), st.integers(0, 9)),
    max_size=3,
    unique_by=lambda item: item[0],
).map(dict)
TABLES = st.fixed_dictionaries(dict.fromkeys(NAMES, PRESET))


def reaches(table: dict[str, Any], name: str, wanted: str, seen: frozenset[str]) -> bool:
    extended = table[name].get("extends", [])
    return any(
        other == wanted or (other not in seen and reaches(table, other, wanted, seen | {other}))
        for other in extended
    )


def applied(table: dict[str, Any], name: str, values: dict[str, int]) -> None:
    """Apply a preset the obvious way."""
    for key, value in table[name].items():
        if key == "extends":
            for other in value:
                applied(table, other, values)
        else:
            values[key] = value


@given(TABLES, st.lists(st.sampled_from(NAMES), max_size=3))
def test_expansion_is_depth_first_and_a_circle_is_an_error(
    table: dict[str, Any], names: list[str]
) -> None:
    reached = {
        n for name in names for n in NAMES if n == name or reaches(table, name, n, frozenset())
    }
    if any(reaches(table, name, name, frozenset()) for name in reached):
        with pytest.raises(ConfigurationError, match="in a circle: "):
            expand(table, names)
        return
    expected: dict[str, int] = {}
    for name in names:
        applied(table, name, expected)
    assignments = expand(table, names)
    assert {a.key: a.value for a in assignments} == expected
    assert all(table[a.presets[-1]][a.key] == a.value for a in assignments)
    assert all(a.presets[0] in names for a in assignments)


def test_extends_counts_at_its_position_with_the_chain_that_led_there() -> None:
    table = {"small": {"n": 1, "m": 1}, "light": {"m": 5, "extends": "small", "n": 2}}
    assert expand(table, ["light"]) == [
        Assignment(("light",), "m", 5, ("ci_presets", "light", "m")),
        Assignment(("light", "small"), "n", 1, ("ci_presets", "small", "n")),
        Assignment(("light", "small"), "m", 1, ("ci_presets", "small", "m")),
        Assignment(("light",), "n", 2, ("ci_presets", "light", "n")),
    ]


def test_values_are_not_merged() -> None:
    assert [a.value for a in expand({"p": {"a": {"b": [1]}, "c": None}}, ["p"])] == [
        {"b": [1]},
        None,
    ]


def errors_of(text: str, *names: str) -> str:
    document = Document.loads(text, "c.yaml")
    with pytest.raises(ConfigurationError) as caught:
        expand(document.values["ci_presets"], names, lambda path: document.origin(path).key)
    return str(caught.value)


def test_a_circle_names_its_whole_chain_and_where_it_closes() -> None:
    text = (
        "ci_presets:\n  a: {extends: b}\n  b: {extends: [c]}\n  c:\n    extends: [x, b]\n  x: {}\n"
    )
    said = errors_of(text, "a")
    assert said == "c.yaml:5:18: presets extend each other in a circle: b -> c -> b"


def test_a_preset_that_extends_itself_is_a_circle() -> None:
    said = errors_of("ci_presets: {a: {extends: a}}", "a")
    assert said == "c.yaml:1:18: presets extend each other in a circle: a -> a"


def test_an_unknown_preset_names_the_nearest_and_where_it_is_extended() -> None:
    text = "ci_presets:\n  name: null\n  light: {}\n  a:\n    extends:\n    - lihgt\n"
    assert errors_of(text, "a") == (
        'c.yaml:6:7: unknown preset "lihgt"; did you mean "light"? Possible: a, light.'
    )
    assert errors_of(text, "ligt").startswith('unknown preset "ligt"; did you mean "light"?')


def test_a_key_without_a_value_is_no_preset_and_that_is_said() -> None:
    text = "ci_presets:\n  light: {}\n  a: {extends: [b.c]}\n"
    assert errors_of(text, "tests.seconds") == (
        'unknown preset "tests.seconds". Possible: a, light. A key is set by tests.seconds=VALUE.'
    )
    assert "A key" not in errors_of(text, "a")


@pytest.mark.parametrize("name", ["name", "names", "to_apply", "variable_overrides"])
def test_reserved_names_are_no_presets(name: str) -> None:
    assert "unknown preset" in errors_of(f"ci_presets: {{{name}: {{}}}}", name)


def test_a_preset_that_is_no_mapping_is_refused() -> None:
    said = errors_of("ci_presets:\n  a: [1]\n", "a")
    assert said == 'c.yaml:2:3: the preset "a" has to be a mapping (key: value), not a list'


def test_an_empty_preset_changes_nothing() -> None:
    assert expand({"a": None}, ["a"]) == []


def test_names_that_yaml_does_not_read_as_text_are_refused() -> None:
    said = errors_of("ci_presets:\n  a: {extends: [1.10]}\n", "a")
    assert said == "c.yaml:2:17: the name of a preset has to be a text, not 1.1 (a number)"


def test_extends_that_doubles_at_every_level_is_bounded() -> None:
    table: dict[str, Any] = {f"p{i}": {"extends": [f"p{i + 1}"] * 2} for i in range(40)}
    table["p40"] = {}
    with pytest.raises(ConfigurationError, match=f"presets extend more than {MAX_EXPANDED}"):
        expand(table, ["p0"])


def test_presets_are_chosen_by_name_names_and_to_apply_in_this_order() -> None:
    table = {"to_apply": ["d", "e"], "names": "c", "name": "b", "a": {}}
    assert chosen(table) == [
        ("b", ("ci_presets", "name")),
        ("c", ("ci_presets", "names")),
        ("d", ("ci_presets", "to_apply", 0)),
        ("e", ("ci_presets", "to_apply", 1)),
    ]
    assert chosen({"name": None}) == chosen({}) == []


def test_positional_arguments_are_split_at_spaces_in_the_order_of_their_numbers() -> None:
    values = {
        "PR_POSITIONAL_ARG_10": "j",
        "PR_POSITIONAL_ARG_2": "b c",
        "PR_POSITIONAL_ARG_0": "name-of-the-test",
        "PR_POSITIONAL_ARG_1": 1.5,
        "PR_POSITIONAL_ARGS": "x",
        7: "y",
    }
    assert positional(values) == ["1.5", "b", "c", "j"]
