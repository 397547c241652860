"""Rows read from JSON and CSV, within bounds."""

from __future__ import annotations

import csv
import io
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.tables.batch import BadRows, read_csv, read_json
from projects.hub.tables.columns import MOST_CELL, MOST_ROWS


def rows_of(text: str | bytes) -> list[dict[str, str]]:
    batch = read_csv(text.encode() if isinstance(text, str) else text)
    return [
        dict(zip(batch.names, cells, strict=True)) for cells in zip(*batch.columns, strict=True)
    ]


def test_an_object_is_a_row_and_missing_names_are_null() -> None:
    assert read_json({"a": 1}).columns == ([1],)
    batch = read_json([{"a": 1}, {"b": "x"}])
    assert batch.names == ("a", "b")
    assert batch.columns == ([1, None], [None, "x"])


@pytest.mark.parametrize(
    "text",
    [
        'a,b\r\n1,"x, ""y"""\r\n',
        'a;b\n1;"x, ""y"""\n',
        'a\tb\n1\t"x, ""y"""\n',
        '\ufeffa,b\n1,"x, ""y"""',
        'a,b\n\n1,"x, ""y"""\n',
        'a,b,\n1,"x, ""y""",\n',
    ],
)
def test_csv_comes_with_quotes_marks_and_other_delimiters(text: str) -> None:
    assert rows_of(text) == [{"a": "1", "b": 'x, "y"'}]


def test_a_cell_may_have_lines_and_a_row_may_be_short() -> None:
    assert rows_of('a,b\n"1\n2",x\n3\n') == [{"a": "1\n2", "b": "x"}, {"a": "3", "b": ""}]


def test_a_column_without_a_name_is_named_by_its_place() -> None:
    assert rows_of(",a\n0,x\n") == [{"column 1": "0", "a": "x"}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,a\n1,2\n", "'a' twice"),
        (b"a,b\n1,2,3\n", "line 2 has 3 cells, the first line 2"),
        (b'a,b\n"1,2\n', "line"),
        (b"a,b\n\xff,2\n", "not UTF-8: byte 4 is 0xff"),
        (b"a,@row\n1,2\n", "the hub's own"),
        (b"a,b\n1,\x00\n", "NUL|line"),
        (b"x" * 201 + b"\n1\n", "can't be the name"),
        (
            (",".join(f"c{n}" for n in range(10_000)) + "\n").encode(),
            "10,000 columns: .* at most 500",
        ),
        (
            b"a\n" + b"x" * (MOST_CELL + 1),
            "row 1, 'a': a value of 65,537 bytes; the most is 65,536",
        ),
        (b"a\n" + b"1\n" * (MOST_ROWS + 1), "more than 200,000 rows"),
    ],
)
def test_csv_that_can_not_be_taken_says_why(data: bytes, said: str) -> None:
    with pytest.raises(BadRows, match=said):
        read_csv(data)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (5, "send an object"),
        ([], "no rows"),
        ([{"a": 1}, 2], "row 2 is no object"),
        ({"": 1}, "can't be the name"),
        ({"@at": 1}, "the hub's own"),
        ({"a": "\0"}, "NUL"),
        ({f"c{n}": n for n in range(10_000)}, "10,000 columns"),
        ([{f"c{n}": n} for n in range(10_000)], "10,000 columns"),
        ({"a": "ä" * 40_000}, "80,000 bytes"),
    ],
)
def test_json_that_can_not_be_taken_says_why(values: object, said: str) -> None:
    with pytest.raises(BadRows, match=said):
        read_json(values)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=10)
names = st.lists(
    st.text(string.ascii_letters, min_size=1, max_size=5), min_size=2, max_size=4, unique=True
)


@given(names, st.data(), st.sampled_from(",;\t"))
def test_what_is_written_as_csv_is_read(
    given_names: list[str], data: st.DataObject, by: str
) -> None:
    width = len(given_names)
    rows = data.draw(
        st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1, max_size=5)
    )
    out = io.StringIO()
    csv.writer(out, delimiter=by, quoting=csv.QUOTE_ALL).writerows([given_names, *rows])
    batch = read_csv(out.getvalue().encode())
    assert batch.names == tuple(given_names)
    assert [list(row) for row in zip(*batch.columns, strict=True)] == rows
