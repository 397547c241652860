"""Keys: plain ones on the fast path, every other a JSONPath, and the nearest of a missing one."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import Document
from projects.core.configuration.keys import Key, MissingKey, all_paths, format_path, missing
from projects.core.errors import ConfigurationError, Mark

NAMES = st.text(st.characters(codec="utf-8"), max_size=6)
TREES = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=15,
)
VALUES: dict[str, Any] = {
    "tests": {"users": 4, "a.b": 5, "where": 6, "sub-key": 7},
    "nodes": [{"name": "one"}, {"name": "two"}],
}


@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_every_path_can_be_written_as_a_key_that_finds_it(tree: dict[str, Any]) -> None:
    for path in all_paths(tree):
        key = Key.parse(format_path(path))
        assert key.path == path
        assert key.paths(tree) == [path]


@given(st.text(st.sampled_from("ab.[]\"'*$0-9?@()<>= \\`,:|"), max_size=12))
def test_any_text_is_a_key_or_one_configuration_error(text: str) -> None:
    try:
        key = Key.parse(text)
    except ConfigurationError as error:
        assert f'the key "{text}"' in str(error)  # noqa: PT017 (a key is as good)
    else:
        found = None
        try:
            found = key.find(VALUES)
        except ConfigurationError:
            return
        assert len(key.paths(VALUES)) <= len(found)


@given(st.lists(st.sampled_from(["a", "b", "c-d", "e_1"]), min_size=1, max_size=4))
def test_plain_keys_find_what_jsonpath_finds(parts: list[str]) -> None:
    tree: Any = 1
    for part in reversed(parts):
        tree = {part: tree, "x": 0}
    text = ".".join(parts)
    plain, expression = Key.parse(text), Key.parse(f"$.{text}.`this`")
    assert plain.path is not None
    assert expression.path is None
    assert plain.find(tree) == expression.find(tree) == [1]
    assert plain.paths(tree) == expression.paths(tree)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tests.users", [4]),
        ("$.tests.users", [4]),
        ('tests["a.b"]', [5]),
        ("tests['a.b']", [5]),
        ("tests.where", [6]),
        ("tests.sub-key", [7]),
        ("nodes[1].name", ["two"]),
        ("nodes[-1].name", ["two"]),
        ("nodes[7].name", []),
        ("tests[0]", []),
        ("tests.users.more", []),
        ("nodes[*].name", ["one", "two"]),
        ("$..name", ["one", "two"]),
        ('nodes[?(@.name=="two")].name', ["two"]),
        ("nodes.`len`", [2]),
        ("tests.missing", []),
    ],
)
def test_find(text: str, found: list[object]) -> None:
    assert Key.parse(text).find(VALUES) == found


def test_paths_are_concrete() -> None:
    assert Key.parse("nodes[-1].name").paths(VALUES) == [("nodes", 1, "name")]
    assert Key.parse("nodes[*].name").paths(VALUES) == [("nodes", i, "name") for i in (0, 1)]
    assert Key.parse("$").paths(VALUES) == [()]
    assert Key.parse("nodes.`len`").paths(VALUES) == []


def test_keys_that_yaml_does_not_read_as_text_are_found() -> None:
    values = Document.loads("ports: {80: web, on: true, 2024-01-02: day}").values
    assert Key.parse("ports.80").find(values) == ["web"]
    assert Key.parse("ports[80]").find(values) == ["web"]
    assert Key.parse("ports.True").find(values) == [True]
    assert Key.parse("ports.2024-01-02").find(values) == ["day"]


def test_set_changes_every_match() -> None:
    values = copy.deepcopy(VALUES)
    assert Key.parse("nodes[*].name").set(values, "x") == 2
    assert values["nodes"] == [{"name": "x"}, {"name": "x"}]
    assert Key.parse("tests.none").set(values, "x") == 0
    assert Key.parse("$").set(values, "x") == 0


def test_set_of_a_match_inside_of_another_match_sets_the_outer_one() -> None:
    values: Any = {"a": {"a": 1, "b": {"a": 2}}}
    assert Key.parse("$..a").set(values, 5) == 1
    assert values == {"a": 5}


@pytest.mark.parametrize("text", ["", "a..", "a[", "tests. users ]", "[?"])
def test_a_text_that_is_no_key_says_so(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a JSONPath"):
        Key.parse(text)


def test_a_key_has_to_be_text() -> None:
    with pytest.raises(ConfigurationError, match="a key has to be text, not 3"):
        Key.parse(3)  # type: ignore[arg-type]


def test_parsed_keys_are_kept() -> None:
    assert Key.parse("nodes[*].x") is Key.parse("nodes[*].x")
    assert repr(Key.parse("a.b")) == "Key('a.b')"


def test_plain_keys_do_not_import_jsonpath_ng() -> None:
    program = (
        "import sys; from projects.core.configuration.keys import Key;"
        "Key.parse('a.b[0][\"c.d\"]').find({}); assert 'jsonpath_ng' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", program], check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )


def test_a_missing_key_names_the_nearest_sibling_and_those_possible() -> None:
    error = missing(Key.parse("tests.user"), VALUES, where=Mark("c.yaml", 3, 4))
    assert str(error) == (
        'c.yaml:3:4: unknown key "tests.user"; did you mean "tests.users"? '
        'Possible: tests.sub-key, tests.users, tests.where, tests["a.b"].'
    )


def test_a_missing_key_in_the_wrong_section_names_the_nearest_of_all() -> None:
    values = {"tests": {"llm": {"users": 4}}, "other": {}}
    assert 'did you mean "tests.llm.users"?' in str(missing(Key.parse("tests.users"), values))
    assert 'did you mean "tests.llm.users"?' in str(missing(Key.parse("test.llm.users"), values))


def test_presets_are_suggested_only_for_keys_of_presets() -> None:
    long = "tests.of.many.users"
    values = {"a": {}, "ci_presets": {"light": {long: 3}}}
    assert "did you mean" not in str(missing(Key.parse(long), values))
    key = Key.parse(f'ci_preset.light["{long}"]')
    assert 'did you mean "ci_presets' in str(missing(key, values))
    key = Key.parse('ci_presets["tests.of.many.users"]')
    assert f"""did you mean "ci_presets.light["{long}"]"?""" in str(missing(key, values))


def test_a_missing_key_is_a_key_error_with_a_plain_text() -> None:
    error = missing(Key.parse("none"), {"some": 1})
    assert isinstance(error, KeyError)
    assert isinstance(error, MissingKey)
    assert str(error) == 'unknown key "none". Possible: some.'
