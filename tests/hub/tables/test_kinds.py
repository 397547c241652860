"""Types of values, and which of them fit a column."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.tables.columns import Type
from projects.hub.tables.kinds import (
    Misfit,
    fit,
    fit_text,
    infer,
    keepable,
    kind_of,
    kind_of_text,
    moment_of,
    numbers_of,
    show,
)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (1, Type.INTEGER),
        (True, Type.BOOLEAN),
        (1.0, Type.REAL),
        ("1", Type.TEXT),
        ("2026-01-02", Type.DATE_TIME),
        ("2026-01-02T03:04:05.000006+02:00", Type.DATE_TIME),
        ("2026-02-30", Type.TEXT),
        ("2026-01-02T03:04:05.1234567Z", Type.TEXT),
        ({"a": 1}, Type.JSON),
        ([], Type.JSON),
        (None, None),
        (math.nan, None),
        (-math.inf, None),
    ],
)
def test_json_values_have_the_type_they_are_written_as(value: object, kind: Type | None) -> None:
    assert kind_of(value) is kind


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("", None),
        ("12", Type.INTEGER),
        ("-0", Type.INTEGER),
        ("007", Type.TEXT),
        ("1_000", Type.TEXT),
        ("1,5", Type.TEXT),
        ("1e3", Type.REAL),
        (".5", Type.REAL),
        ("NaN", None),
        ("-Infinity", None),
        ("1e999", None),
        ("TRUE", Type.BOOLEAN),
        ("2026-01-02 03:04", Type.DATE_TIME),
        ("=1+1", Type.TEXT),
        ("٣", Type.TEXT),
    ],
)
def test_cells_look_like_a_type(cell: str, kind: Type | None) -> None:
    assert kind_of_text(cell) is kind


def test_most_values_decide_and_integers_beside_reals_are_reals() -> None:
    assert infer({Type.INTEGER: 5, Type.REAL: 1}) is Type.REAL
    assert infer({Type.INTEGER: 5, Type.TEXT: 1, None: 100}) is Type.INTEGER
    assert infer({Type.INTEGER: 2, Type.TEXT: 2}) is Type.INTEGER
    assert infer({Type.INTEGER: 2, Type.TEXT: 2}, textual=True) is Type.TEXT
    assert infer({None: 3}) is None


@given(st.dictionaries(st.sampled_from([*Type, None]), st.integers(0, 5)))
def test_the_order_of_rows_decides_nothing(counts: dict[Type | None, int]) -> None:
    assert infer(counts) is infer(dict(reversed(counts.items())))


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        ("a", Type.INTEGER, '"a" is no integer'),
        (1.5, Type.INTEGER, "1.5 is no integer"),
        (True, Type.INTEGER, "true is no integer"),
        (1 << 63, Type.INTEGER, "beyond the integers of 64 bits"),
        (10**300, Type.INTEGER, "beyond"),
        ((1 << 53) + 1, Type.REAL, "more digits than a real keeps"),
        (math.nan, Type.REAL, "NaN is no number"),
        (math.nan, Type.TEXT, "NaN is no text"),
        (1, Type.BOOLEAN, "1 is no boolean"),
        ("soon", Type.DATE_TIME, '"soon" is no date-time'),
        (5, Type.TEXT, "5 is no text"),
        ({"a": [math.nan]}, Type.JSON, "NaN"),
    ],
)
def test_what_does_not_fit_says_why(value: object, kind: Type, said: str) -> None:
    with pytest.raises(Misfit, match=said):
        fit(value, kind)


def test_a_cell_that_does_not_fit_says_why() -> None:
    for kind in (Type.INTEGER, Type.REAL, Type.BOOLEAN, Type.DATE_TIME):
        with pytest.raises(Misfit, match=f'"x" is no {kind}'):
            fit_text("x", kind)
        assert fit_text("", kind) is None
    assert fit_text("7", Type.JSON) == "7"
    assert fit_text("no json", Type.JSON) == '"no json"'


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats()
    | st.text(max_size=8)
    | st.datetimes().map(lambda at: at.isoformat()),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(values, st.sampled_from(Type))
def test_what_fits_comes_back_equal(value: object, kind: Type) -> None:
    try:
        back = show(fit(value, kind), kind)
    except Misfit:
        return
    if kind is Type.DATE_TIME and value is not None:
        assert moment_of(str(value)) == moment_of(back)
    else:
        assert back == value


def test_what_json_can_not_hold_is_kept_as_text() -> None:
    assert keepable(math.nan) == "NaN"
    assert keepable(math.inf) == "Infinity"
    assert keepable({"a": -math.inf}) == '{"a": -Infinity}'
    assert keepable({"a": 1}) == {"a": 1}


cells = st.one_of(
    st.integers().map(str),
    st.floats().map(str),
    st.text("0123456789+-.eE\n", max_size=6),
    st.sampled_from(["", "007", "1_0", "9007199254740993", "1" * 18, "1" * 19, "1e99", "1e400"]),
)


@given(st.lists(cells, min_size=1, max_size=4))
def test_a_whole_column_is_read_as_its_cells_are(column: list[str]) -> None:
    found = numbers_of(column)
    if found is None:
        return
    kind, read = found
    assert infer({kind_of_text(cell): 1 for cell in column}, textual=True) in (kind, Type.INTEGER)
    assert repr(read) == repr([fit_text(cell, kind) for cell in column])


def test_columns_of_usual_numbers_are_read_whole() -> None:
    assert numbers_of(["1", "", "-20"]) == (Type.INTEGER, [1, None, -20])
    assert numbers_of(["1", "2.5", "1e-9"]) == (Type.REAL, [1.0, 2.5, 1e-9])
    for cell in ("007", "x", "9007199254740993.0", "nan", "1\n2"):
        assert numbers_of(["2.5", cell]) is None
