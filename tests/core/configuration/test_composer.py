"""YAML text that is wrong, or that is made to hurt, is one message with its place."""

from __future__ import annotations

import pytest

from projects.core.configuration.composer import MAX_ALIASED, MAX_DEPTH
from projects.core.configuration.document import Document
from projects.core.errors import ConfigurationError


def values(text: str) -> object:
    return Document.loads(text, "c.yaml").values


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", 'c.yaml:1:5: mapping values are not allowed in this context, in "a: b: c"'),
        ("a: 1\nb: 2\na: 3", 'c.yaml:3:1: the key "a" is already in line 1, in "a: 3"'),
        ("a: 'open", "c.yaml:1:9: while scanning a quoted scalar found unexpected end of stream"),
        ("a:\n\t- b", "c.yaml:2:1: while scanning for the next token found character"),
        ("a: \0x", r'c.yaml:1:4: the character U+0000 is not allowed in YAML, in "a: \x00x"'),
        ("é: \x07", "c.yaml:1:4: the character U+0007 is not allowed in YAML"),
        ("a: \ud800", "c.yaml:1:4: the character U+D800 is not allowed in YAML"),
        ("a: *b", 'c.yaml:1:4: unknown alias "b". Possible: none.'),
        ("bob: &bob 1\na: *bop", 'c.yaml:2:4: unknown alias "bop"; did you mean "bob"?'),
        ("a: &x [1, *x]", 'c.yaml:1:11: the alias "x" stands inside of what it names'),
        ("? [a]\n: b", "c.yaml:1:3: a key has to be a scalar"),
        ("a: 1\n---\nb: 1", "c.yaml:2:1: a second document begins; one is expected"),
        ("a: !!python/object:os.x {}", "c.yaml:1:4: the tag tag:yaml.org,2002:python/object:os.x"),
        ("a: !mine b", "c.yaml:1:4: the tag !mine is not supported"),
        ("a: 2024-99-99", 'c.yaml:1:4: "2024-99-99" is not a timestamp (month must be in'),
        ("a: !!bool maybe", 'c.yaml:1:4: "maybe" is not a bool'),
        ("a: 0x" + "f" * 1000, "c.yaml:1:4: an integer has more than 1000 digits"),
        ("a: !!int ''", 'c.yaml:1:4: "" is not a int'),
        ("<<: 3", "c.yaml:1:5: << merges a mapping or a list of mappings"),
        ("<<: [{a: 1}, 3]", "c.yaml:1:5: << merges a mapping or a list of mappings"),
    ],
)
def test_bad_text_is_one_message_with_place_and_line(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        values(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "{a: " * 200_000])
def test_deep_nesting_is_refused_and_does_not_end_the_process(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"nested deeper than {MAX_DEPTH} levels"):
        values(text)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    with pytest.raises(ConfigurationError, match=f"to more than {MAX_ALIASED} further values"):
        values("\n".join(lines))


def test_aliases_that_nest_deeply_are_refused() -> None:
    deep = "[" * 90 + "1" + "]" * 90
    lines = [f"a0: &a0 {deep}"]
    lines += [f"a{i}: &a{i} {'[' * 90}*a{i - 1}{']' * 90}" for i in range(1, 5)]
    with pytest.raises(ConfigurationError, match="aliases"):
        values("\n".join(lines))


def test_many_plain_values_are_no_bomb() -> None:
    assert len(values("[" + "1, " * (2 * MAX_ALIASED) + "]")) == 2 * MAX_ALIASED  # type: ignore[arg-type]


def test_long_lines_are_quoted_in_part() -> None:
    with pytest.raises(ConfigurationError) as caught:
        values("a: b: " + "x" * 1000)
    assert str(caught.value).endswith('…"')
    assert len(str(caught.value)) < 200


def test_merge_keys_give_way_to_own_keys_and_to_earlier_sources() -> None:
    text = "base: &b {p: 1, q: 2}\none: {q: 3, <<: *b}\ntwo: {<<: [{p: 7}, *b]}\n"
    assert values(text) == {
        "base": {"p": 1, "q": 2},
        "one": {"p": 1, "q": 3},
        "two": {"p": 7, "q": 2},
    }


def test_two_lessers_that_are_no_key_are_text() -> None:
    assert values("a: <<\nb: =\nc: [<<]") == {"a": "<<", "b": "=", "c": ["<<"]}
