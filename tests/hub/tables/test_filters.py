"""The words by which rows are chosen."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.tables.columns import Column, Type
from projects.hub.tables.filters import BadWords, names_of, parse

COLUMNS = [
    Column(1, "latency", Type.REAL),
    Column(2, "my tool", Type.TEXT),
    Column(3, "ok", Type.BOOLEAN),
    Column(4, "when", Type.DATE_TIME),
    Column(5, "n", Type.INTEGER),
    Column(6, "more", Type.JSON),
]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("latency > 5", [("latency", ">", (5,))]),
        ("latency>5 AND n<=-3", [("latency", ">", (5,)), ("n", "<=", (-3,))]),
        ('"my tool" = "a ""b"" c"', [("my tool", "=", ('a "b" c',))]),
        ("'my tool' ~ b", [("my tool", "~", ("b",))]),
        ("ok = true", [("ok", "=", (1,))]),
        ("when >= 1970-01-02", [("when", ">=", (86_400_000_000,))]),
        ("n in (1, 2,3)", [("n", "in", (1, 2, 3))]),
        ("n = null and ok != null", [("n", "=", (None,)), ("ok", "!=", (None,))]),
        ('"my tool" = "null"', [("my tool", "=", ("null",))]),
        (
            "@by in (ada, bob) and @errors = true",
            [("@by", "in", ("ada", "bob")), ("@errors", "=", (1,))],
        ),
        ("more ~ key", [("more", "~", ("key",))]),
        ("latency < 1e3", [("latency", "<", (1000.0,))]),
        ("n = 99999999999999999999", [("n", "=", (1e20,))]),
        ("  ", []),
    ],
)
def test_conditions_are_typed(text: str, meant: list[tuple[object, ...]]) -> None:
    found = [(test.field.name, test.op, test.values) for test in parse(text, COLUMNS)]
    assert found == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latencey > 5", 'did you mean "latency"'),
        ("latency > five", "'five' is no real, which 'latency' is"),
        ("ok = 2", "is no boolean"),
        ("when > yesterday", "is no date-time"),
        ("latency", "ends where = != < <= > >= ~ !~ in is missing"),
        ("latency >", "ends where a value is missing"),
        ("latency > 5 or n = 1", "character 13: 'or' where and is expected"),
        ("latency > 5 and", "ends where the name of a column is missing"),
        ('latency > "5', "is a quote missing"),
        ("latency ~ 5", "~ is for text: 'latency' is real"),
        ("n < null", "null goes with = and != only"),
        ("n in 1", r"'1' where \( is expected"),
        ("n in (1", "ends where , or"),
        (" and ".join(["n = 1"] * 21), "more than 20 conditions"),
        (f"n in ({','.join('1' * 101)})", "more than 100 values"),
        ("n = " + "1" * 5000, "the most is 4,000"),
        ("n = nan", "is no integer"),
        ("n = 1e999", "is no integer"),
    ],
)
def test_what_is_not_understood_says_where(text: str, said: str) -> None:
    with pytest.raises(BadWords, match=said):
        parse(text, COLUMNS)


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(["n", "latency", "=", "in", "(", ")", ",", "1", "and", "null", "'", "~"])
    ).map(" ".join)
)
def test_any_text_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(BadWords):
        parse(text, COLUMNS)
    with contextlib.suppress(BadWords):
        names_of(text)


@given(st.text(min_size=1, max_size=20))
def test_any_value_can_be_written(value: str) -> None:
    quoted = '"' + value.replace('"', '""') + '"'
    (test,) = parse(f'"my tool" = {quoted}', COLUMNS)
    assert test.values == (value,)


def test_names_have_commas_between() -> None:
    assert names_of('a, "b, c"') == ["a", "b, c"]
    with pytest.raises(BadWords, match="a name"):
        names_of("a,")
