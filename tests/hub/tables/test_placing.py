"""Values placed into columns: whatever the order of rows and uploads, none is lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.tables.batch import BadRows, Batch, read_json
from projects.hub.tables.columns import Column, Type, as_text, from_text
from projects.hub.tables.kinds import keepable, moment_of, show
from projects.hub.tables.placing import place


class Kept:
    """A table as uploads make it, in memory."""

    def __init__(self) -> None:
        self.columns: tuple[Column, ...] = ()
        self.rows: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def add(self, batch: Batch) -> None:
        placed = place(self.columns, batch)
        self.columns = from_text(as_text(placed.columns))
        for number in range(batch.rows):
            cells = zip(placed.used, placed.cells, strict=True)
            self.rows.append({column.name: stored[number] for column, stored in cells})
            self.errors.append(
                json.loads(json.dumps(placed.errors.get(number, {}), allow_nan=False))
            )

    def value(self, row: int, name: str) -> Any:
        if name in self.errors[row]:
            return self.errors[row][name]["value"]
        kinds = {column.name: column.type for column in self.columns}
        stored = self.rows[row].get(name)
        return None if stored is None else show(stored, kinds[name])


def same(back: Any, given_value: Any) -> bool:
    if isinstance(back, str) and isinstance(given_value, str) and back != given_value:
        return moment_of(back) == moment_of(given_value) is not None
    return bool(back == keepable(given_value)) and (
        isinstance(back, bool) is isinstance(given_value, bool)
    )


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 65), 1 << 65),
    st.integers(-9, 9),
    st.floats(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4),
    st.dates().map(str),
    st.lists(st.integers() | st.floats(), max_size=2),
)
uploads = st.lists(
    st.lists(st.dictionaries(st.sampled_from("ab"), values), min_size=1, max_size=4),
    min_size=1,
    max_size=4,
)


@given(uploads)
def test_every_value_is_in_its_column_or_beside_its_row(given_uploads: list[Any]) -> None:
    kept = Kept()
    for rows in given_uploads:
        kept.add(read_json(rows))
    sent = [row for rows in given_uploads for row in rows]
    for number, row in enumerate(sent):
        for name, value in row.items():
            assert same(kept.value(number, name), value), (
                number,
                name,
                value,
                kept.value(number, name),
            )


@given(st.lists(values, min_size=1, max_size=6), st.randoms())
def test_the_order_of_the_first_rows_does_not_decide_the_type(rows: list[Any], random: Any) -> None:
    other = rows[:]
    random.shuffle(other)
    types = [
        [column.type for column in place((), read_json([{"a": value} for value in some])).columns]
        for some in (rows, other)
    ]
    assert types[0] == types[1]


def test_integers_become_reals_and_nothing_else_changes() -> None:
    kept = Kept()
    kept.add(read_json([{"a": 1}]))
    kept.add(read_json([{"a": 2.5}, {"a": "x"}]))
    assert [column.type for column in kept.columns] == [Type.REAL]
    assert [kept.value(row, "a") for row in range(3)] == [1.0, 2.5, "x"]
    assert kept.errors[2] == {"a": {"value": "x", "error": '"x" is no real'}}


def test_integers_that_a_real_would_round_stay_integers() -> None:
    kept = Kept()
    kept.add(read_json([{"a": 2**60 + 1}]))
    kept.add(read_json([{"a": 2.5}]))
    assert [column.type for column in kept.columns] == [Type.INTEGER]
    assert [kept.value(row, "a") for row in range(2)] == [2**60 + 1, 2.5]


def test_a_column_of_nulls_is_made_when_there_is_a_value() -> None:
    assert place((), read_json([{"a": None}])).columns == ()


def test_a_column_of_nothing_but_nan_is_real() -> None:
    placed = place((), read_json([{"a": float("nan")}]))
    assert [column.type for column in placed.columns] == [Type.REAL]
    assert placed.errors == {0: {"a": {"value": "NaN", "error": "NaN is no number"}}}


def test_a_table_has_at_most_500_columns_over_all_uploads() -> None:
    columns = place((), read_json({f"a{n}": n for n in range(400)})).columns
    with pytest.raises(BadRows, match="800 columns: a table has at most 500"):
        place(columns, read_json({f"b{n}": n for n in range(400)}))


def test_a_large_object_is_refused_wherever_it_would_be_kept() -> None:
    large = {"x": ["y" * 1000] * 70}
    with pytest.raises(BadRows, match="row 1, 'a': a value of 70,2"):
        place((), read_json({"a": large}))
    columns = place((), read_json({"a": 1})).columns
    with pytest.raises(BadRows, match="row 1, 'a'"):
        place(columns, read_json({"a": large}))
