"""Rows in the database, SQLite and PostgreSQL: once, durably, read back as they came."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.store.database import open_hub_store
from projects.hub.tables import accepting, filters, reading
from projects.hub.tables.batch import read_json
from projects.hub.tables.columns import Type
from projects.hub.tables.filters import BadWords
from projects.hub.tables.store import Tables
from projects.hub.tables.values import Answer, Conflict, Known, Origin, ResultTable, RowPage

NAMES = ("sqlite", "speed")
ADA = Origin("ada", "sat-1", "job-1", "artifact-1")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    found: str = request.getfixturevalue("postgresql")
    return found


@pytest.fixture
def tables(url: str) -> Iterator[Tables]:
    database = open_hub_store(url)
    try:
        yield Tables(database)
    finally:
        database.close()


def append(
    tables: Tables, rows: Any, key: str | None = None, origin: Origin = ADA, **more: Any
) -> Answer:
    digest = repr(rows).encode().ljust(32)[:32]
    return tables.append(
        NAMES, read_json(rows), origin, key, digest, more.pop("may", lambda _: None), **more
    )


def table(tables: Tables) -> ResultTable:
    found = tables.find(*NAMES)
    assert found is not None
    return found


def page(tables: Tables, where: str = "", sort: str | None = None, **more: Any) -> RowPage:
    found = table(tables)
    return reading.page(
        tables.database,
        found,
        filters.parse(where, found.columns),
        reading.order_of(sort, found.columns),
        **{"limit": 100, **more},
    )


def values(tables: Tables, name: str, where: str = "", sort: str | None = "@row") -> list[Any]:
    return [row.values[name] for row in page(tables, where, sort).rows]


ROW = {
    "n": 2**60 + 1,
    "real": 0.1,
    "ok": True,
    "text": "Ünï\n'quoted'",
    "when": "2026-01-02T03:04:05+01:00",
    "json": {"a": [1, None]},
}


def test_a_row_comes_back_with_where_it_is_from(tables: Tables) -> None:
    append(tables, ROW)
    (row,) = page(tables).rows
    assert dict(row.values) == ROW | {"when": "2026-01-02T02:04:05.000000Z"}
    assert (row.number, row.origin, row.errors) == (1, ADA, {})


def test_what_does_not_fit_is_beside_its_row(tables: Tables) -> None:
    append(tables, ROW)
    append(tables, {"n": "many", "real": float("nan"), "ok": True})
    (row,) = page(tables, "@errors = true").rows
    assert row.values == dict.fromkeys(ROW) | {"ok": True}
    assert {name: one["value"] for name, one in row.errors.items()} == {"n": "many", "real": "NaN"}
    assert table(tables).errors == 1


def test_a_column_widens_with_all_that_it_holds(tables: Tables) -> None:
    append(tables, [{"a": 1}, {"a": 2}])
    append(tables, {"a": 1.5})
    assert [column.type for column in table(tables).columns] == [Type.REAL]
    assert values(tables, "a", sort="a") == [1.0, 1.5, 2.0]


def test_the_same_upload_again_adds_nothing(tables: Tables) -> None:
    first = append(tables, ROW, "key")
    again = append(tables, ROW, "key")
    assert again == Answer(first.body, replayed=True)
    assert table(tables).rows == 1
    with pytest.raises(Conflict):
        append(tables, ROW | {"n": 5}, "key")
    assert not append(tables, ROW, "key", Origin("bob")).replayed  # keys are the submitter's own
    assert table(tables).rows == 2


def test_of_the_same_upload_at_once_one_counts(tables: Tables) -> None:
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=lambda: answers.append(append(tables, ROW, "key")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.body for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert table(tables).rows == 1


def test_uploads_at_once_with_other_columns_lose_nothing(tables: Tables) -> None:
    threads = [
        threading.Thread(target=append, args=(tables, {f"c{n}": n, "a": n + 0.5 * (n % 2)}))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(values(tables, "a")) == [n + 0.5 * (n % 2) for n in range(8)]
    assert len(table(tables).columns) == 9


def test_an_upload_that_may_not_leaves_nothing(tables: Tables) -> None:
    append(tables, ROW)

    def refuse(_: ResultTable) -> None:
        raise PermissionError

    with pytest.raises(PermissionError):
        append(tables, {"other": 1}, may=refuse)
    assert table(tables).rows == 1
    assert "other" not in [column.name for column in table(tables).columns]


def test_what_was_answered_outlives_the_process(url: str) -> None:
    for _ in range(2):
        database = open_hub_store(url)
        append(Tables(database), ROW, "key")
        assert table(Tables(database)).rows == 1
        database.close()


def test_filters_choose(tables: Tables) -> None:
    append(tables, [{"a": n, "t": f"name {n}", "ok": n % 2 == 0} for n in range(6)])
    append(tables, [{"t": None}], origin=Origin("bob"))
    assert values(tables, "a", "a > 1 and ok = true") == [2, 4]
    assert values(tables, "a", "a in (1, 3, 99)") == [1, 3]
    assert values(tables, "a", 't ~ "e 4"') == [4]
    assert values(tables, "a", "t !~ 4 and a >= 3.5") == [5]
    assert values(tables, "a", "t = null") == [None]
    assert values(tables, "a", "a != 0 and a != null and a < 3") == [1, 2]
    assert values(tables, "a", "@by = bob") == [None]
    assert values(tables, "a", "@row <= 2 and @at > 2020-01-01 and @job = job-1") == [0, 1]
    assert page(tables, "a > 1", count=True, limit=1).matching == 4


@pytest.mark.parametrize(
    "sort", ["a", "-a", "t", "-t", "ok", "@row", "-@row", "@by", "-@satellite"]
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_have_every_row_once_in_order(tables: Tables, sort: str, limit: int) -> None:
    if tables.find(*NAMES) is None:
        rows = [
            {"a": n % 3 if n % 4 else None, "t": "bca"[n % 3], "ok": n % 2 == 0} for n in range(9)
        ]
        append(tables, rows)
        append(tables, [{"a": 2.5}, {"t": "B"}], origin=Origin("bob"))
    all_rows = [row.number for row in page(tables, sort=sort).rows]
    found: list[int] = []
    cursor = None
    while True:
        one = page(tables, sort=sort, limit=limit, cursor=cursor)
        found += [row.number for row in one.rows]
        cursor = one.next
        if cursor is None:
            break
    assert found == all_rows
    assert sorted(found) == list(range(1, 12))
    name = sort.removeprefix("-")
    if not name.startswith("@"):
        shown = [row.values[name] for row in page(tables, sort=sort).rows]
        present = [value for value in shown if value is not None]
        assert shown[len(present) :] == [None] * (len(shown) - len(present))
        assert present == sorted(present, reverse=sort.startswith("-"))


TEXTS = [*"aAbB", "é", "e\u0301", "", " ", "%", "_", "'", '"', "\\", "long " * 1000, None]
NUMBERS = [0, -1, 0.5, 2**53, -(2**53), 1e300, -1e-300, 0.1, None]
WIDE = [2**63 - 1, -(2**63), 2**53 + 1, 2**53, 7, None]
JSON = [{"a": 1}, [1, 2], None, {"long": "x" * 5000}]


@pytest.mark.parametrize("seed", range(2))
def test_pages_have_every_row_once_while_rows_are_added(tables: Tables, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (the same each time)

    def add() -> None:
        rows = [
            {
                "text": chance.choice(TEXTS),
                "number": chance.choice(NUMBERS),
                "wide": chance.choice(WIDE),
                "json": chance.choice(JSON),
                "ok": chance.choice([True, False, None]),
            }
            for _ in range(6)
        ]
        append(tables, rows, origin=Origin(chance.choice(["ada", "Bob", "é"])))

    append(tables, {"text": "a", "number": 0.5, "wide": 2**60, "json": [], "ok": True})
    for name in ("text", "number", "wide", "json", "ok", "@by", "@at", "@row", "@errors", "@job"):
        for sort in (name, f"-{name}"):
            add()
            there = [row.number for row in page(tables, sort=sort, limit=1000).rows]
            found: list[int] = []
            cursor = None
            while True:
                one = page(tables, sort=sort, limit=17, cursor=cursor)
                found += [row.number for row in one.rows]
                cursor = one.next
                if cursor is None:
                    break
                assert len(cursor) < 100, "it is a part of an address"
                if len(found) < 18:
                    add()
            assert len(found) == len(set(found))
            assert [number for number in found if number in set(there)] == there


@pytest.mark.parametrize("cursor", ["", "x", "0", "2", "-1", "٣", "1" * 19, "WzEsMV0"])
def test_a_cursor_of_something_else_is_refused(tables: Tables, cursor: str) -> None:
    append(tables, {"t": "x"})
    with pytest.raises(BadWords, match="begin again"):
        page(tables, sort="t", cursor=cursor)


def test_groups_have_figures(tables: Tables) -> None:
    rows = [{"mode": "wal", "v": n} for n in (3, 1, 2)] + [
        {"mode": "delete", "v": 5.5},
        {"v": None},
    ]
    append(tables, rows)
    found = table(tables)
    by = [filters.field_of("mode", found.columns)]
    made, complete = reading.groups(tables.database, found, by, found.columns[1], ())
    assert complete
    figures = [(one.key, one.count, one.min, one.median, one.mean, one.max) for one in made]
    assert figures == [
        (("delete",), 1, 5.5, 5.5, 5.5, 5.5),
        (("wal",), 3, 1.0, 2.0, 2.0, 3.0),
        ((None,), 1, None, None, None, None),
    ]


def test_figures_of_large_integers_are_exact(tables: Tables) -> None:
    large = [2**53 + 1, 2**53 + 3, 2**60 + 1]
    append(tables, [{"mode": "wal", "v": n} for n in large])
    found = table(tables)
    by = [filters.field_of("mode", found.columns)]
    ((made,), _) = reading.groups(tables.database, found, by, found.columns[1], ())
    assert [made.min, made.median, made.max] == large


def test_groups_are_bounded(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_GROUPS", 2)
    append(tables, [{"a": n} for n in range(5)])
    found = table(tables)
    by = [filters.field_of("a", found.columns)]
    made, complete = reading.groups(tables.database, found, by, None, ())
    assert (len(made), complete) == (2, False)


def test_a_scan_gives_every_row_that_was_there(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_SCANNED", 2)
    append(tables, [{"a": n} for n in range(5)])
    parts = reading.scan(tables.database, table(tables), ())
    first = next(parts)
    append(tables, {"a": 2.5})
    rest = [row for part in parts for row in part]
    assert [row.values["a"] for row in [*first, *rest]] == [0, 1, 2, 3, 4]


def test_tables_are_seen_by_their_owner_and_groups(tables: Tables) -> None:
    append(tables, ROW, groups=["team"])
    assert [one.name for one in tables.seen_by("ada", [])] == ["sqlite/speed"]
    assert [one.name for one in tables.seen_by("bob", ["team"])] == ["sqlite/speed"]
    assert tables.seen_by("bob", ["others"]) == []
    assert len(tables.seen_by(None, [])) == 1
    changed = tables.change(table(tables), groups=["others"], owner="carol")
    assert (changed.owner, changed.groups) == ("carol", ("others",))
    assert tables.seen_by("bob", ["team"]) == []


def test_acknowledgements_are_kept_until_forgotten(tables: Tables) -> None:
    append(tables, ROW)
    found = table(tables)
    known = Known(0, "real", 5, "a new disk", "2027-01-01", "ada", 0, {"mode": "wal"})
    made = accepting.accept(tables.database, found, known)
    assert accepting.all_of(tables.database, found) == [made]
    assert (made.labels, made.reason) == ({"mode": "wal"}, "a new disk")
    assert table(tables).version > found.version
    assert accepting.forget(tables.database, found, made.number)
    assert not accepting.forget(tables.database, found, made.number)


def test_listeners_hear_of_uploads(tables: Tables) -> None:
    heard: list[tuple[str, str]] = []
    tables.subscribe(heard.append)
    append(tables, ROW, "key")
    append(tables, ROW, "key")
    assert heard == [NAMES]


def test_values_of_names_that_look_like_sql_stay_values(tables: Tables) -> None:
    name = 'x"); DROP TABLE hub_table; --'
    append(tables, {name: "'; DROP TABLE hub_table; --"})
    quoted = name.replace('"', '""')
    assert values(tables, name, f'"{quoted}" ~ DROP', f"-{name}") == ["'; DROP TABLE hub_table; --"]


@given(numbers=st.lists(st.none() | st.integers(-5, 5) | st.floats(-5, 5), min_size=1, max_size=20))
def test_medians_are_those_of_the_values(numbers: list[float | None]) -> None:
    from array import array
    from statistics import median

    present = [float(number) for number in numbers if number is not None]
    group = reading._group(("x",), [Type.TEXT], len(numbers), array("d", present))
    if present:
        assert group.median == pytest.approx(median(present))
        assert group.mean == pytest.approx(sum(present) / len(present), abs=1e-9)
