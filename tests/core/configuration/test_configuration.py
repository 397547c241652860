"""The configuration: get, set, explain, resolve and write, from many threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from projects.core.configuration.configuration import Configuration, MissingKey, assemble
from projects.core.configuration.document import Document
from projects.core.configuration.references import escape
from projects.core.errors import ConfigurationError, SecretError
from projects.core.secrets.secret import Secret

TEXT = """\
tests:
  users: 1
  name: load-{@tests.users}
  list: ["@tests.users", {deep: "@tests.name"}]
  literal: "@@home"
nodes: [{name: one}, {name: two}]
secrets: {file: token.txt}
token: "*$@secrets.file"
ci_presets:
  names: []
  light: {tests.users: 2, tests.literal: "@tests.name"}
  wrong: {tests.users: 3, tests.no: 4}
"""


def configuration(text: str = TEXT) -> Configuration:
    return Configuration(Document.loads(text, "c.yaml"))


def read(name: str) -> str:
    return Secret(f"content of {name}")


def test_get_resolves_references_in_all_parts() -> None:
    found = configuration()
    assert found.get("tests.name") == "load-1"
    assert found.get("tests.list") == [1, {"deep": "load-1"}]
    assert found.get("tests")["list"] == [1, {"deep": "load-1"}]
    assert found.get("tests.literal") == "@home"
    assert found.get("nodes[*].name") == "one"
    assert found.get("nodes.`len`") == 2
    assert found.get("$.tests.users") == 1


def test_get_of_a_missing_key_is_the_default_or_an_error_of_both_kinds() -> None:
    found = configuration()
    assert found.get("tests.no", None) is None
    assert found.get("tests.no", "x") == "x"
    with pytest.raises(KeyError) as caught:
        found.get("tests.user")
    assert isinstance(caught.value, ConfigurationError)
    assert str(caught.value).startswith('unknown key "tests.user"; did you mean "tests.users"?')


def test_get_gives_copies() -> None:
    found = configuration()
    found.get("tests")["users"] = 7
    found.get("nodes").append(3)
    assert found.get("tests.users") == 1
    assert len(found.get("nodes")) == 2


def test_a_secret_is_given_only_to_who_brings_a_reader() -> None:
    found = configuration()
    for _ in range(2):
        value = found.get("token", read_secret=read)
        assert value == "content of token.txt"
        assert isinstance(value, Secret)
        with pytest.raises(SecretError, match=r'c.yaml:8:8: token: "\*\$@secrets.file" reads'):
            found.get("token")


def test_set_is_seen_through_references_that_were_read_before() -> None:
    found = configuration()
    assert found.get("tests.name") == "load-1"
    found.set("tests.users", 5)
    assert found.get("tests.name") == "load-5"
    assert found.get("tests.list") == [5, {"deep": "load-5"}]


def test_set_changes_all_matches_and_only_existing_keys() -> None:
    found = configuration()
    found.set("nodes[*].name", "x")
    assert found.get("nodes") == [{"name": "x"}, {"name": "x"}]
    for key in ("tests.no", "nodes[*].no", "$"):
        with pytest.raises(MissingKey, match="unknown key"):
            found.set(key, 1)


def test_set_keeps_a_copy_of_what_it_is_given() -> None:
    found = configuration()
    value = {"a": [1]}
    found.set("tests.users", value)
    value["a"].append(2)
    assert found.get("tests.users") == {"a": [1]}


def test_set_does_not_touch_the_document_nor_a_tree_that_somebody_holds() -> None:
    found = configuration()
    held = found.raw
    found.set("tests.users", 9)
    assert held["tests"]["users"] == 1
    assert found.source.values["tests"]["users"] == 1


def test_listeners_hear_of_each_set_and_preset() -> None:
    found = configuration()
    heard: list[tuple[str, Any]] = []
    found.listeners.append(lambda key, value: heard.append((key, value)))
    found.set("tests.users", 5)
    found.apply_preset("light")
    assert heard == [("tests.users", 5), ("tests.users", 2), ("tests.literal", "@tests.name")]


def test_version_changes_with_every_change() -> None:
    found = configuration()
    versions = [found.version]
    found.set("tests.users", 5)
    versions.append(found.version)
    found.apply_preset("light")
    versions.append(found.version)
    with found.temporary("tests.users", 6):
        versions.append(found.version)
    versions.append(found.version)
    assert versions == sorted(set(versions))


def test_a_preset_applies_whole_or_not_at_all() -> None:
    found = configuration()
    found.apply_preset("light")
    assert found.get("tests.literal") == "load-2"
    assert found.get("ci_presets.names") == ["light"]
    with pytest.raises(MissingKey, match=r'^c.yaml:12:27: preset "wrong": unknown key "tests.no"'):
        found.apply_preset("wrong")
    assert found.get("tests.users") == 2
    assert found.explain("tests.users")[0].presets == ("light",)
    assert found.presets_applied == [
        "preset[light] tests.users --> 2",
        "preset[light] tests.literal --> @tests.name",
    ]


def test_presets_applied_is_one_line_for_each_change() -> None:
    found = configuration('a: 1\nci_presets: {p: {a: "x\\ny"}}')
    found.apply_preset("p")
    assert found.presets_applied == ["preset[p] a --> x\\ny"]


def test_temporary_gives_back_what_was_written_references_included() -> None:
    found = configuration()
    before = found.resolved()
    with found.temporary("tests.name", "other"):
        assert found.get("tests.list") == [1, {"deep": "other"}]
        found.set("tests.users", 3)
    assert found.get("tests.name") == "load-3"
    assert str(found.explain("tests.name")[0]) == ('tests.name="load-{@tests.users}" <- c.yaml:3:3')
    found.set("tests.users", 1)
    assert found.resolved() == before


def test_temporary_restores_each_place_after_an_exception_too() -> None:
    found = configuration()
    with pytest.raises(ZeroDivisionError), found.temporary("nodes[*].name", "x"):
        assert found.get("nodes[1].name") == "x"
        raise ZeroDivisionError
    assert [node["name"] for node in found.get("nodes")] == ["one", "two"]


def test_temporary_wins_over_a_set_within_it() -> None:
    found = configuration()
    with found.temporary("tests.users", 5):
        found.set("tests.users", 6)
    assert found.get("tests.users") == 1
    assert [step.value for step in found.explain("tests.users")] == [1, 6, 5, 1]
    with pytest.raises(MissingKey), found.temporary("tests.no", 5):
        pass


@pytest.mark.parametrize("other", [[], [{}], [4], "text", None])
def test_temporary_leaves_alone_what_was_replaced_meanwhile(other: object) -> None:
    found = configuration()
    with found.temporary("nodes[0].name", "x"):
        found.set("nodes", other)
    assert found.get("nodes") == other


def test_explain_shows_the_chain_the_references_and_what_was_overridden() -> None:
    document = Document.loads(TEXT, "c.yaml")
    words = [("tests.literal", "{@tests.name}!", "tests.literal={@tests.name}!")]
    found = assemble(document, cli_presets=["light"], cli_overrides=words)
    last = 'tests.users=2 <- reference "load-{@tests.users}" <- preset light (c.yaml:11:11) <- '
    assert [str(step) for step in found.explain("tests.literal")] == [
        'tests.literal="{@tests.name}!" <- command line ("tests.literal={@tests.name}!")',
        'tests.name="load-{@tests.users}" <- reference "{@tests.name}!" <- c.yaml:3:3',
        last + "command line",
        'tests.literal="@tests.name" <- preset light (c.yaml:11:27) <- command line [overridden]',
        'tests.literal="@@home" <- c.yaml:5:3 [overridden]',
    ]


def test_explain_names_the_line_that_called_set() -> None:
    found = configuration()
    found.set("tests.users", 4)
    step = found.explain("tests.users")[0]
    assert step.kind == "set"
    assert step.origin.rpartition(":")[0] == __file__
    with found.temporary("tests.users", 5):
        assert found.explain("tests.users")[0].origin.startswith(__file__)


def test_explain_of_references_that_lead_in_a_circle_or_to_nothing_ends() -> None:
    found = configuration("a: '@b'\nb: '@a'\nc: '@no'\n")
    assert [step.key for step in found.explain("a")] == ["a", "b"]
    assert [step.key for step in found.explain("c")] == ["c"]
    with pytest.raises(MissingKey):
        found.explain("d")


def test_mark_is_the_place_of_the_key_in_force() -> None:
    found = configuration()
    assert str(found.mark(("tests", "users"))) == "c.yaml:2:3"
    found.apply_preset("light")
    assert str(found.mark(("tests", "users"))) == "c.yaml:11:11"


def test_read_keys_are_those_asked_for_and_those_referred_to() -> None:
    found = configuration()
    found.get("tests.name")
    found.get("tests.none", None)
    assert found.read_keys == {"tests.name", "tests.users", "tests.none"}


def test_resolved_can_be_read_again_with_the_same_meaning() -> None:
    found = configuration(TEXT + "dangling: '@no.such'\nmixed: '{@no} {@tests.users}'\n")
    text = found.dump(found.resolved())
    again = configuration(text)
    for key in ("tests", "nodes", "secrets"):
        assert again.get(key) == found.get(key)
    assert again.get("token", read_secret=read) == "content of token.txt"
    assert again.raw["ci_presets"] == found.raw["ci_presets"]
    assert again.raw["tests"]["literal"] == "@@home"
    assert again.raw["dangling"] == "@no.such"
    assert again.raw["mixed"] == "{@no} {@tests.users}"
    assert "content of" not in text


def test_resolved_masks_secrets_unless_told_otherwise() -> None:
    found = configuration()
    found.set("tests.users", Secret("@hunter22"))
    assert found.resolved()["tests"]["list"] == ["***", {"deep": "load-***"}]
    assert "hunter22" not in found.dump(found.resolved())
    shown = found.resolved(mask_secrets=False)
    assert shown["tests"]["users"] == "@@hunter22"
    assert shown["tests"]["name"] == "load-@hunter22"


TEXTS = st.text(st.sampled_from("@{}*$ab. "), max_size=6)
LEAVES = st.integers() | TEXTS | st.sampled_from(["@a", "{@b}", "@c.d", "x{@c}"])


@given(st.fixed_dictionaries({"a": LEAVES, "b": LEAVES, "c": st.fixed_dictionaries({"d": LEAVES})}))
def test_whatever_can_be_read_reads_the_same_after_writing(values: dict[str, Any]) -> None:
    found = Configuration(Document("c.yaml", values))
    again = configuration(found.dump(found.resolved()))
    for key in ("a", "b", "c", "c.d"):
        try:
            expected = found.get(key)
        except ConfigurationError:
            continue
        assert again.get(key) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "c.yaml:1:1: a configuration has to be a mapping (key: value), not a list"),
        ("just text", "c.yaml:1:1: a configuration has to be a mapping (key: value), not a text"),
    ],
)
def test_a_configuration_is_a_mapping(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configuration(text)
    assert str(caught.value) == message


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as the interpreter can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_readers_never_see_half_of_a_set() -> None:
    found = configuration("nodes: [{n: 0}, {n: 0}]\nsame: '{@nodes[0].n}-{@nodes[1].n}'\n")
    seen: list[str] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.append(found.get("same"))
            nodes = found.get("nodes")
            seen.append(f"{nodes[0]['n']}-{nodes[1]['n']}")

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for i in range(300):
        found.set("nodes[*].n", i)
    stop.set()
    for reader in readers:
        reader.join()
    assert all(first == second for first, _, second in (text.partition("-") for text in seen))
    assert found.get("same") == "299-299"


@pytest.mark.usefixtures("eager_threads")
def test_sets_from_many_threads_are_all_kept() -> None:
    found = configuration("\n".join(f"k{i}: 0" for i in range(8)))

    def work(name: str) -> None:
        for i in range(100):
            found.set(name, i)

    threads = [threading.Thread(target=work, args=(f"k{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found.raw.values()) == {99}


class Model(RuleBasedStateMachine):
    """A configuration against a flat dictionary of what each key was last given."""

    keys = st.sampled_from(["a", "b.c", "b.d", "e[0]", "e[1].f"])

    def __init__(self) -> None:
        super().__init__()
        self.configuration = configuration("a: 0\nb: {c: 0, d: 0}\ne: [0, {f: 0}]\nr: '@b.c'\n")
        self.expected: dict[str, Any] = dict.fromkeys(["a", "b.c", "b.d", "e[0]", "e[1].f"], 0)

    @rule(key=keys, value=st.integers() | st.text() | st.lists(st.integers(), max_size=2))
    def set_value(self, key: str, value: Any) -> None:
        self.configuration.set(key, escape(value))
        self.expected[key] = value

    @rule(key=keys, value=st.integers())
    def try_value(self, key: str, value: int) -> None:
        with self.configuration.temporary(key, value):
            assert self.configuration.get(key) == value

    @invariant()
    def every_key_has_its_last_value(self) -> None:
        for key, value in self.expected.items():
            assert self.configuration.get(key) == value
        assert self.configuration.get("r") == self.expected["b.c"]
        assert self.configuration.get("b") == {n: self.expected[f"b.{n}"] for n in "cd"}


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=15)
