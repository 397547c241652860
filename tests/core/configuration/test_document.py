"""Documents: the values PyYAML would give, each with its place; and back to YAML."""

from __future__ import annotations

import datetime as dt
import enum
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from projects.core.configuration.document import MAX_BYTES, Document, describe, dump, plain
from projects.core.errors import ConfigurationError, InfrastructureError
from projects.core.secrets.secret import Secret

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"))
    | st.dates()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab.@é 1"), inner),
    max_leaves=20,
)
TEXT = """\
# a comment
tests:
  users: 4
  names:
    - one
    - {two: 2}
"""


@given(VALUES)
def test_what_is_dumped_is_read_again(value: Any) -> None:
    assert Document.loads(dump(value)).values == value


@given(VALUES)
def test_values_are_those_of_pyyaml(value: Any) -> None:
    text = yaml.safe_dump(value, default_flow_style=None)
    assert Document.loads(text).values == yaml.safe_load(text)


@given(st.text(st.sampled_from("ab01:.- \n[]{},&*!<>'\"#@|?\t\0~=%")))
def test_any_text_is_values_or_one_configuration_error(text: str) -> None:
    try:
        Document.loads(text, "c.yaml")
    except ConfigurationError as error:
        assert str(error).startswith("c.yaml:")  # noqa: PT017 (a document is as good)
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", True),
        ("off", False),
        ("1:30", 90),
        ("010", 8),
        ("0o10", "0o10"),
        ("1e3", "1e3"),
        ("1.0e+3", 1000.0),
        ("2024-02-03", dt.date(2024, 2, 3)),
        ("'yes'", "yes"),
        ("!!str 010", "010"),
        ("! 12", "12"),
        ("!!binary aGk=", b"hi"),
        ("~", None),
    ],
)
def test_scalars_are_typed_as_yaml_1_1(written: str, value: object) -> None:
    found = Document.loads(f"a: {written}").values["a"]
    assert found == value
    assert type(found) is type(value)


def test_origin_names_line_and_column_of_key_and_value() -> None:
    document = Document.loads(TEXT, "config.yaml")
    users = document.origin(("tests", "users"))
    assert str(users) == str(users.key) == "config.yaml:3:3"
    assert str(users.value) == "config.yaml:3:10"
    assert str(document.origin(("tests", "names", 1))) == "config.yaml:6:7"
    assert str(document.origin(("tests", "names", 1, "two")).value) == "config.yaml:6:13"
    assert str(document.origin(()).value) == "config.yaml:2:1"


def test_origin_of_what_is_not_there_is_that_of_the_nearest_parent() -> None:
    document = Document.loads(TEXT, "config.yaml")
    assert str(document.origin(("tests", "other", "x"))) == "config.yaml:2:1"
    assert str(document.origin(("tests", "names", 7))) == "config.yaml:4:3"
    assert str(Document.loads("", "empty.yaml").origin(("a",))) == "empty.yaml:1:1"


def test_the_origin_of_a_merged_value_is_where_it_is_written() -> None:
    document = Document.loads("base: &b\n  p: 1\nuse:\n  <<: *b\n", "c.yaml")
    assert str(document.origin(("use", "p"))) == "c.yaml:2:3"


def test_aliases_become_copies() -> None:
    values = Document.loads("a: &a [1]\nb: *a\n").values
    values["b"].append(2)
    assert values["a"] == [1]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null"])
def test_an_empty_document_is_an_empty_mapping(text: str) -> None:
    assert Document.loads(text).mapping("a configuration") == {}


@pytest.mark.parametrize(("text", "kind"), [("- a", "list"), ("3", "number"), ("a b", "text")])
def test_another_root_than_a_mapping_is_refused(text: str, kind: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Document.loads("\n" + text, "c.yaml").mapping("a configuration")
    expected = f"c.yaml:2:1: a configuration has to be a mapping (key: value), not a {kind}"
    assert str(caught.value) == expected


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\nb: 2\r\n")
    document = Document.load(path)
    assert document.values == {"a": "é", "b": 2}
    assert str(document.origin(("b",))) == f"{path}:2:1"


def test_bytes_that_are_not_utf8_are_named_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigurationError, match=r"config.yaml:2:4: byte 0xff is not UTF-8"):
        Document.load(path)


def test_a_file_larger_than_the_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("#" + "é" * (MAX_BYTES // 2), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="larger than 8 MiB"):
        Document.load(path)
    with pytest.raises(ConfigurationError, match="larger than 8 MiB"):
        Document.loads("#" * (MAX_BYTES + 1))


def test_a_file_that_is_not_there_is_the_systems_fault(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"none.yaml: No such file or directory"):
        Document.load(tmp_path / "none.yaml")


def test_dump_keeps_the_order_and_writes_no_aliases() -> None:
    shared = [dt.date(2024, 1, 2)]
    text = dump({"z": shared, "a": shared, "é": "yes"})
    assert text == "z:\n- 2024-01-02\na:\n- 2024-01-02\né: 'yes'\n"


class Colour(enum.Enum):
    RED = "red"


class Text(str):
    __slots__ = ()


def test_plain_turns_python_values_into_what_yaml_holds() -> None:
    value: Any = {
        "p": Path("/x"),
        "t": (1, {2}),
        "e": Colour.RED,
        "s": Text("s"),
        3: True,
        "n": None,
    }
    made = plain(value, "a")
    assert made == {"p": "/x", "t": [1, [2]], "e": "red", "s": "s", 3: True, "n": None}
    assert type(made["s"]) is str
    assert dump(made)


def test_plain_copies_containers_and_keeps_secrets() -> None:
    inner = [Secret("hunter22")]
    made = plain({"a": inner}, "a")
    inner.append(Secret("hunter23"))
    assert len(made["a"]) == 1
    assert isinstance(made["a"][0], Secret)


def test_plain_refuses_what_yaml_cannot_hold() -> None:
    with pytest.raises(ConfigurationError, match=r"a\.b: a value of type object cannot be kept"):
        plain([object()], "a.b")
    with pytest.raises(ConfigurationError, match=r"a.b: \(1, 2\) cannot be the key of a mapping"):
        plain({(1, 2): 3}, "a.b")
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ConfigurationError, match="nested deeper than 100 levels"):
        plain(endless, "a.b")


def test_describe_names_every_kind() -> None:
    every: list[Any] = [{}, [], "", 1, 1.5, True, None]
    kinds = [describe(value) for value in every]
    assert kinds == ["mapping", "list", "text", "number", "number", "boolean", "null"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1\nd: 1\n", "while parsing a flow mapping that begins in line 2 "),
        ("a: 1\nb: [1,\n2\nc: 3\n", "while parsing a flow sequence that begins in line 2 "),
        ("a: 1\nb: 'c\n\nd: 1\n", "while scanning a quoted scalar that begins in line 2 "),
        ("b: [1}\n", "while parsing a flow sequence did not"),
    ],
)
def test_what_is_not_closed_says_where_it_begins(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Document.loads(text, "file.yaml")
    assert said in str(caught.value)
