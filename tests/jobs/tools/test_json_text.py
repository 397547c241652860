from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.errors import ConfigurationError
from projects.jobs.tools import json_text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n "a": 2}', 'f:2:2: the key "a" is already in line 1'),
        ('{"x": [1, {"b": 1, "c": {}, "b": 2}]}', 'f:1:29: the key "b" is already in line 1'),
        ('{"n": "NaN",\n "m": NaN}', "f:2:7: NaN is not a number"),
        ("[-Infinity]", "f:1:2: -Infinity is not a number"),
        ("[" * 33 + "]" * 33, "f:1:33: nested deeper than 32 levels"),
        ("[" * 1_000_000, "nested deeper"),
        ("[" + "9" * 5000 + "]", "integer of thousands of digits"),
        ('{"a": 1,}', "there is a comma after the last one"),
        ("{'a': 1}", "texts stand between double quotes"),
        ('{"a": # no\n1}', "JSON has no comments"),
        ("", "f:1:1: this is not JSON"),
        ("{", "this is not JSON"),
        ('{"a": 1} x', "f:1:10: this is not JSON: extra data"),
    ],
)
def test_what_is_refused_has_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        json_text.loads(text.encode(), "f")
    assert said in str(caught.value)


def test_what_is_not_utf_8_has_its_place() -> None:
    with pytest.raises(ConfigurationError, match=r"^f:2:3: byte 0xff is not UTF-8$"):
        json_text.loads(b'{\n "\xff": 1}', "f")


def test_brackets_in_texts_are_not_depth() -> None:
    deep = json.dumps({"a": "[" * 100 + '\\"{'})
    assert json_text.loads(deep.encode(), "f").values == json.loads(deep)


def test_a_mark_of_nothing_is_that_of_its_parent() -> None:
    document = json_text.loads(b'{\n "a": [1,\n  {"b": 2}]}', "f")
    assert str(document.mark(("a", 1, "b"))) == "f:3:4"
    assert str(document.mark(("a", 1, "c", 5))) == "f:3:3"
    assert str(document.mark(("nothing",))) == "f:1:1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False,
                                                                      allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_values_and_places_are_those_of_the_text(values: Any, indent: Any, escape: bool) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=escape)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    try:
        document = json_text.loads(data, "f")
    except ConfigurationError as error:
        document, said = None, str(error)
    if document is None:
        assert "nested deeper" in said
        return
    assert document.values == values
    lines = text.split("\n")

    def check(path: json_text.Path, value: Any) -> None:
        mark = document.mark(path)
        rest = lines[mark.line - 1][mark.column - 1 :]
        if path and isinstance(path[-1], str):
            assert rest.startswith(json.dumps(path[-1], ensure_ascii=escape) + ":")
        elif not isinstance(value, dict | list):
            assert rest.startswith(json.dumps(value, ensure_ascii=escape))
        if isinstance(value, dict | list):
            for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
                check((*path, key), inner)

    check((), values)
