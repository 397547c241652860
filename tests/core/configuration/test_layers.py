"""Layers: their order, what each may set, and where a wrong one is written."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.configuration import assemble
from projects.core.configuration.document import Document, dump
from projects.core.configuration.keys import MissingKey
from projects.core.configuration.layers import replaced
from projects.core.errors import ConfigurationError

CONFIG = """\
tests:
  users: 1
  mode: plain
nodes: [{name: one}, {name: two}]
ci_presets:
  name: null
  names: null
  to_apply: []
  variable_overrides: {}
  light: {tests.users: 2}
  heavy: {tests.users: 3, tests.mode: heavy}
  both: {extends: [heavy, light]}
  retune: {'ci_presets.light["tests.users"]': 9, extends: light}
"""


def document(text: str = CONFIG, name: str = "config.yaml") -> Document:
    return Document.loads(text, name)


def overrides(text: str, name: str = "variable_overrides.yaml") -> Document:
    return Document.loads(text, name)


def users(**layers: Any) -> Any:
    return assemble(document(), **layers).get("tests.users")


def test_the_default_is_what_the_file_says() -> None:
    assert users() == 1


def test_each_layer_wins_over_those_below() -> None:
    low_to_high: list[tuple[str, Any]] = [
        ("repository_overrides", overrides("tests.users: 20")),
        ("pr_presets", True),
        ("artifact_overrides", overrides("PR_POSITIONAL_ARG_1: light")),
        ("cli_presets", ["heavy"]),
        ("cli_overrides", [("tests.users", 50, "tests.users=50")]),
    ]
    given: dict[str, Any] = {}
    seen = []
    for name, value in low_to_high:
        given[name] = value
        seen.append(users(**given))
    assert seen == [20, 20, 2, 3, 50]
    given["artifact_overrides"] = overrides("PR_POSITIONAL_ARG_1: light\ntests.users: 30")
    del given["cli_presets"], given["cli_overrides"]
    assert users(**given) == 30


def test_presets_are_below_the_variable_overrides_of_the_file() -> None:
    text = CONFIG.replace("to_apply: []", "to_apply: heavy")
    assert assemble(document(text)).get("tests.users") == 3
    text = text.replace("overrides: {}", "overrides: {tests.users: 10}")
    assert assemble(document(text)).get("tests.users") == 10
    assert (
        assemble(document(text), repository_overrides=overrides("tests.users: 20")).get(
            "tests.users"
        )
        == 20
    )


@pytest.mark.parametrize("layer", ["repository_overrides", "artifact_overrides"])
def test_an_override_can_choose_presets_and_still_wins_over_them(layer: str) -> None:
    chosen = overrides("ci_presets.to_apply: both\ntests.mode: mine")
    configuration = assemble(document(), **{layer: chosen})  # type: ignore[arg-type]
    assert configuration.get("tests") == {"users": 2, "mode": "mine"}
    assert [step.value for step in configuration.explain("ci_presets.to_apply")] == ["both", []]


def test_a_word_of_the_command_line_can_choose_presets() -> None:
    words = [("ci_presets.to_apply", ["heavy"], "ci_presets.to_apply=[heavy]")]
    assert users(cli_overrides=words) == 3


def test_an_override_can_change_a_preset_before_it_is_applied() -> None:
    changed = overrides("""'ci_presets.light["tests.users"]': 7""")
    assert users(artifact_overrides=changed, cli_presets=["light"]) == 7


def test_a_preset_can_change_the_ones_after_it() -> None:
    assert users(cli_presets=["retune"]) == 9


def test_applied_presets_are_named_once_in_the_order_they_came() -> None:
    configuration = assemble(
        document(CONFIG.replace("name: null\n", "name: light\n")),
        cli_presets=["heavy", "both", "light"],
    )
    assert configuration.get("ci_presets.names") == ["light", "heavy", "both"]
    assert configuration.presets_applied == [
        "preset[light] tests.users --> 2",
        "preset[heavy] tests.users --> 3",
        "preset[heavy] tests.mode --> heavy",
        "preset[heavy] tests.users --> 3",
        "preset[heavy] tests.mode --> heavy",
        "preset[light] tests.users --> 2",
        "preset[light] tests.users --> 2",
    ]


def test_names_are_written_only_where_the_file_has_the_key() -> None:
    text = "a: 1\nci_presets: {one: {a: 2}}"
    configuration = assemble(document(text), cli_presets=["one"])
    assert configuration.raw == {"a": 2, "ci_presets": {"one": {"a": 2}}}


def test_a_configuration_without_presets_is_one() -> None:
    assert assemble(document("a: 1\n")).raw == {"a": 1}
    assert assemble(document("a: 1\nci_presets: null\n")).get("a") == 1
    assert assemble(document("")).raw == {}


def test_files_create_keys_without_dots_and_words_do_not() -> None:
    found = assemble(document(), artifact_overrides=overrides("PR_POSITIONAL_ARGS: a b"))
    assert found.get("PR_POSITIONAL_ARGS") == "a b"
    with pytest.raises(MissingKey, match='"fresh=1": unknown key "fresh"'):
        assemble(document(), cli_overrides=[("fresh", 1, "fresh=1")])


def test_expressions_set_every_match() -> None:
    found = assemble(document(), artifact_overrides=overrides("'nodes[*].name': x"))
    assert found.get("nodes") == [{"name": "x"}, {"name": "x"}]


def test_values_of_a_layer_replace_and_are_not_shared_with_it() -> None:
    layer = overrides("tests: {users: [1]}")
    found = assemble(document(), artifact_overrides=layer)
    found.set("tests.users", 5)
    assert layer.values == {"tests": {"users": [1]}}
    assert found.raw["tests"] == {"users": 5}


def test_a_resolved_configuration_takes_only_the_command_line() -> None:
    text = CONFIG.replace("to_apply: []", "to_apply: heavy")
    layer = overrides("tests.mode: mine\nPR_POSITIONAL_ARG_1: light")
    found = assemble(
        document(text),
        resolved=True,
        artifact_overrides=layer,
        cli_presets=["light"],
        pr_presets=True,
    )
    assert found.get("tests") == {"users": 2, "mode": "plain"}


def test_overrides_can_be_stored_instead_of_applied() -> None:
    found = assemble(
        document(CONFIG.replace("to_apply: []", "to_apply: heavy")),
        store_only=True,
        repository_overrides=overrides("tests.mode: one\nno.such.key: 1"),
        artifact_overrides=overrides("tests.mode: two"),
    )
    assert found.get("tests.mode") == "plain"
    assert found.get("overrides") == {"tests.mode": "two", "no.such.key": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\ntests.usrs: 3",
            'variable_overrides.yaml:2:1: unknown key "tests.usrs"; did you mean "tests.users"?',
        ),
        (
            "- a",
            "variable_overrides.yaml:1:1: a file of overrides has to be a mapping (key: value)",
        ),
        (
            "tests.users: 1\n7: 3",
            "variable_overrides.yaml:2:1: the key of an override has to be a text, not 7",
        ),
        ("'a[': 3", 'variable_overrides.yaml:1:1: the key "a[" is not a JSONPath'),
        ("$: 3", 'variable_overrides.yaml:1:1: unknown key "$"'),
    ],
)
def test_a_wrong_override_names_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        assemble(document(), artifact_overrides=overrides(text))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        (
            "{tests.usrs: 1}",
            'config.yaml:14:9: preset "bad": unknown key "tests.usrs"; did you mean "tests.users"?',
        ),
        ("{on: 1}", 'config.yaml:14:9: preset "bad": a key has to be text, not True'),
        ("{'a[': 1}", 'config.yaml:14:9: preset "bad": the key "a[" is not a JSONPath'),
        ("{extends: heavi}", 'config.yaml:14:9: unknown preset "heavi"; did you mean "heavy"?'),
        ("{extends: bad}", "config.yaml:14:9: presets extend each other in a circle: bad -> bad"),
        ("4", 'config.yaml:14:3: the preset "bad" has to be a mapping (key: value), not a number'),
    ],
)
def test_a_wrong_preset_names_its_place(preset: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        assemble(document(f"{CONFIG}  bad: {preset}\n"), cli_presets=["bad"])
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("to_apply: []", "to_apply: heavi", 'config.yaml:8:3: unknown preset "heavi"'),
        (
            "to_apply: []",
            "to_apply: [light, 3]",
            "config.yaml:8:21: the name of a preset has to",
        ),
        ("rides: {}", "rides: {no.no: 1}", 'config.yaml:9:24: unknown key "no.no"'),
        ("rides: {}", "rides: [1]", "config.yaml:9:3: ci_presets.variable_overrides has to be a"),
    ],
)
def test_a_wrong_choice_names_its_place(old: str, new: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        assemble(document(CONFIG.replace(old, new)))
    assert str(caught.value).startswith(message)


def test_presets_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"c.yaml:1:1: ci_presets has to be a mapping"):
        assemble(document("ci_presets: [a]", "c.yaml"))


def test_a_preset_that_an_override_wrote_is_blamed_on_the_override() -> None:
    wrong = overrides("ci_presets.light: {tests.no: 1}")
    with pytest.raises(MissingKey, match=r'^variable_overrides.yaml:1:20: preset "light"'):
        assemble(document(), artifact_overrides=wrong, cli_presets=["light"])


KEYS = st.sampled_from(["a", "b", "c.d", "c.e"])
CHANGES = st.dictionaries(KEYS, st.integers(0, 99), max_size=3)


@given(CHANGES, CHANGES, CHANGES, CHANGES, CHANGES)
def test_for_every_key_the_highest_layer_that_sets_it_wins(
    preset: dict[str, int],
    repository: dict[str, int],
    pull_request: dict[str, int],
    artifact: dict[str, int],
    words: dict[str, int],
) -> None:
    base = {"a": -1, "b": -1, "c": {"d": -1, "e": -1}}
    table = {"to_apply": "one", "one": preset, "two": pull_request}
    found = assemble(
        document(dump({**base, "ci_presets": table})),
        repository_overrides=overrides(dump(repository)),
        artifact_overrides=overrides(dump({**artifact, "PR_POSITIONAL_ARG_1": "two"})),
        pr_presets=True,
        cli_overrides=[(key, value, f"{key}={value}") for key, value in words.items()],
    )
    expected = {**preset, **repository, **pull_request, **artifact, **words}
    for key in ("a", "b", "c.d", "c.e"):
        assert found.get(key) == expected.get(key, -1)
        steps = found.explain(key)
        assert [step.value for step in steps] == [
            *[
                layer[key]
                for layer in (words, artifact, pull_request, repository, preset)
                if key in layer
            ],
            -1,
        ]
        assert [step.overridden for step in steps] == [False] + [True] * (len(steps) - 1)


@pytest.mark.parametrize(
    "path", [("a",), ("a", "b"), ("a", "b", 1, "c"), ("f", "g"), ("new",)], ids=str
)
def test_replaced_changes_a_copy_and_shares_the_rest(path: tuple[Any, ...]) -> None:
    tree: dict[str, Any] = {"a": {"b": [1, {"c": 2}], "d": {"e": 3}}, "f": {"g": 4}}
    before, expected = copy.deepcopy(tree), copy.deepcopy(tree)
    made = replaced(tree, path, "new")
    inner = expected
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = "new"
    assert made == expected
    assert tree == before
    assert made[next(name for name in tree if name != path[0])] in tree.values()
