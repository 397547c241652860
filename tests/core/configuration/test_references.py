"""References: types kept, texts interpolated, secrets only for who may, circles named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projects.core.configuration.document import Document
from projects.core.configuration.references import (
    MAX_CHAIN,
    escape,
    has_references,
    referred,
    resolve,
)
from projects.core.errors import ConfigurationError, SecretError

TRICKY = st.text(st.sampled_from("@{}*$ab. "), max_size=8)
NAMES = ["a", "b", "c", "d"]
PIECES = (
    st.integers(0, 9)
    | st.sampled_from(NAMES).map(lambda name: f"@{name}")
    | st.lists(st.sampled_from([*NAMES, "text", "@@"]), max_size=3).map(
        lambda parts: "-" + "".join(f"{{@{p}}}" if p in NAMES else p for p in parts)
    )
)
GRAPHS = st.fixed_dictionaries(
    {
        name: PIECES | st.lists(PIECES, max_size=2) | st.dictionaries(st.just("x"), PIECES)
        for name in NAMES
    }
)
VALUES: dict[str, Any] = {
    "n": 4,
    "name": "x-{@n}",
    "flag": "@on",
    "on": True,
    "deep": {"list": ["@n", "{@name}!", {"@kept": "@flag"}], "none": None},
    "secrets": {"file": "token.txt", "number": 3},
    "token": "*$@secrets.file",
    "via": "@token",
    "header": "Bearer {@token}",
}


class Circle(Exception):
    pass


def meaning(values: dict[str, Any], value: Any, above: tuple[str, ...]) -> Any:
    """Resolve the texts that PIECES makes, the obvious way."""
    if isinstance(value, list):
        return [meaning(values, item, above) for item in value]
    if isinstance(value, dict):
        return {key: meaning(values, item, above) for key, item in value.items()}
    if not isinstance(value, str):
        return value

    def target(name: str) -> Any:
        if name in above:
            raise Circle
        return meaning(values, values[name], (*above, name))

    if value.startswith("@"):
        return target(value[1:])
    for name in NAMES:
        if f"{{@{name}}}" in value:
            value = value.replace(f"{{@{name}}}", str(target(name)))
    return value


@given(GRAPHS, st.sampled_from(NAMES))
def test_any_graph_of_references_resolves_or_is_a_circle(values: dict[str, Any], name: str) -> None:
    try:
        expected = meaning(values, values[name], (name,))
    except Circle:
        with pytest.raises(ConfigurationError, match="references lead in a circle: "):
            resolve(values, values[name], path=(name,))
    else:
        assert resolve(values, values[name], path=(name,)) == expected


@given(TRICKY | st.text())
@example("@")
@example("*$@a")
@example("{@{@")
@example("@@{@@a}")
def test_every_text_can_be_written_with_escapes(text: str) -> None:
    assert resolve({}, escape(text)) == text
    assert resolve({}, escape({"a": [text]})) == {"a": [text]}


@given(TRICKY)
def test_a_text_without_references_is_itself(text: str) -> None:
    if not has_references(text):
        assert resolve({}, text) == text
        assert referred(text) == []


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("@n", 4),
        ("@flag", True),
        ("@deep.none", None),
        ("{@n}", "4"),
        ("{@n}{@n}", "44"),
        ("a {@name} b", "a x-4 b"),
        ("@deep", {"list": [4, "x-4!", {"@kept": True}], "none": None}),
        ("@deep.list[1]", "x-4!"),
        ("@deep.list[*]", 4),
        (["@n", {"k": "@n"}], [4, {"k": 4}]),
        ("@@n", "@n"),
        ("@@{@n}", "@4"),
        ("{@@n}", "{@n}"),
        ("*@@n", "*@n"),
        ("*$@@n", "*$@n"),
        ("mail@example.org", "mail@example.org"),
        ("{@n", "{@n"),
        ("{ @n }", "{ @n }"),
        (17, 17),
    ],
)
def test_resolve(value: object, resolved: object) -> None:
    assert resolve(VALUES, value) == resolved


def test_containers_are_copies() -> None:
    first = resolve(VALUES, "@deep")
    first["list"].append(1)
    assert len(VALUES["deep"]["list"]) == 3


def read(name: str) -> str:
    return f"<{name}>"


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("*$@secrets.file", "<token.txt>"),
        ("@via", "<token.txt>"),
        ("{@header}", "Bearer <token.txt>"),
        ({"a": ["@token"]}, {"a": ["<token.txt>"]}),
    ],
)
def test_a_secret_is_read_only_for_who_may(value: object, resolved: object) -> None:
    assert resolve(VALUES, value, read) == resolved
    with pytest.raises(SecretError, match="reads a secret"):
        resolve(VALUES, value)


def test_a_secret_needs_the_name_of_a_file() -> None:
    with pytest.raises(SecretError, match="needs the name of a secret file there, not 3"):
        resolve(VALUES, "*$@secrets.number", read)


def error_of(text: str, key: str, value: object = None) -> str:
    document = Document.loads(text, "c.yaml")
    with pytest.raises(ConfigurationError) as caught:
        resolve(
            document.values,
            document.values[key],
            path=(key,),
            locate=lambda path: document.origin(path).value,
        )
    return str(caught.value)


def test_a_reference_to_nothing_names_its_place_and_the_nearest_key() -> None:
    said = error_of("tests:\n  users: 4\nb:\n- 1\n- '@tests.usrs'\n", "b")
    assert said == (
        'c.yaml:5:3: b[1]: "@tests.usrs" refers to nothing: unknown key "tests.usrs"; '
        'did you mean "tests.users"? Possible: tests.users.'
    )


def test_a_circle_names_every_link_with_its_place() -> None:
    said = error_of("a: '@b'\nb: [1, '{@c.d}']\nc:\n  d: '@b'\n", "a")
    assert said == (
        "c.yaml:2:8: b[1]: references lead in a circle: "
        'b[1]="{@c.d}" (c.yaml:2:8) -> c.d="@b" (c.yaml:4:6) -> b[1]="{@c.d}" (c.yaml:2:8)'
    )


def test_a_value_that_holds_itself_is_a_circle() -> None:
    assert "a.b" in error_of("a:\n  b: '@a'\n", "a")


@pytest.mark.parametrize("value", ["*@n", "*@"])
def test_a_star_without_dollar_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"\*@ is not a reference"):
        resolve(VALUES, value)


@pytest.mark.parametrize("value", ["@", "@a[", "{@}"])
def test_a_reference_that_is_no_key_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a JSONPath"):
        resolve(VALUES, value)


def test_a_long_chain_is_an_error_and_not_a_recursion_error() -> None:
    values: dict[str, Any] = {f"k{i}": f"@k{i + 1}" for i in range(5000)}
    values["k5000"] = 1
    assert resolve(values, f"@k{5001 - MAX_CHAIN}") == 1
    with pytest.raises(ConfigurationError, match=f"more than {MAX_CHAIN} references"):
        resolve(values, "@k0")


def test_references_that_multiply_are_bounded() -> None:
    lists: dict[str, Any] = {f"k{i}": [f"@k{i + 1}"] * 10 for i in range(20)}
    lists["k20"] = 1
    with pytest.raises(ConfigurationError, match="references expand to more than"):
        resolve(lists, "@k0")
    texts: dict[str, Any] = {f"k{i}": f"{{@k{i + 1}}}" * 2 for i in range(14)}
    texts["k14"] = "x" * 4096
    with pytest.raises(ConfigurationError, match="a text of more than 8 MiB"):
        resolve(texts, "@k0")


def test_referred_names_the_keys_in_order() -> None:
    assert referred("@a.b") == ["a.b"]
    assert referred("*$@a.b") == ["a.b"]
    assert referred("x {@a} {@@b} {@c.d}") == ["a", "c.d"]
    assert referred("@@a {@b}") == ["b"]


def test_the_keys_that_were_reached_are_collected() -> None:
    reached: set[str] = set()
    resolve(VALUES, "{@name}", reached=reached)
    assert reached == {"name", "n"}
