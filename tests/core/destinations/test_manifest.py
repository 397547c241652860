"""A manifest survives being written and read, and says what changed and what is missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.destinations.manifest import (
    Difference,
    File,
    build,
    compare,
    dumps,
    is_inside,
    loads,
    utc,
    verify,
)
from projects.core.errors import ExportRefused

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, UTC)
SHA = "a" * 64
PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1).filter(is_inside)
FILES = st.lists(
    st.builds(
        File,
        path=PATHS,
        size=st.integers(0, 2**60),
        sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
        mtime=st.just(utc(MOMENT)),
    ),
    unique_by=lambda file: file.path,
    max_size=8,
)


def file(path: str, sha256: str = SHA, size: int = 1) -> File:
    return File(path, size, sha256, utc(MOMENT))


@given(files=FILES, run_id=st.text())
def test_what_is_written_is_read_again(files: list[File], run_id: str) -> None:
    manifest = build(run_id, MOMENT, files)
    text = dumps(manifest)
    assert text.isascii()
    assert loads(text, "manifest.json") == manifest


@given(old=FILES, new=FILES)
def test_each_path_is_in_exactly_one_list(old: list[File], new: list[File]) -> None:
    before, after = build("a", MOMENT, old), build("b", MOMENT, new)
    found = compare(before, after)
    assert sorted([*found.added, *found.changed, *found.same]) == sorted(f.path for f in new)
    assert set(found.gone) == {f.path for f in old} - {f.path for f in new}
    nothing = compare(after, after)
    assert nothing.same == tuple(f.path for f in after.files)
    assert (nothing.added, nothing.changed, nothing.gone) == ((), (), ())


def test_compare_looks_at_content_only() -> None:
    old = build("a", MOMENT, [file("same"), file("changed"), file("gone")])
    new = build("b", MOMENT, [file("same"), file("changed", "b" * 64), file("added")])
    assert compare(old, new) == Difference(("added",), ("changed",), ("same",), ("gone",))
    assert compare(None, new).added == ("added", "changed", "same")


def test_verify_names_what_is_missing_or_of_another_size() -> None:
    manifest = build("a", MOMENT, [file("a"), file("b"), file("c")])
    assert verify(manifest, {"a": 1, "b": 1, "c": 1, "d": 4}) == []
    assert verify(manifest, {"a": 1, "b": 2}) == [
        "'b' has 2 bytes instead of 1",
        "'c' is missing",
    ]


def test_times_are_utc() -> None:
    assert utc(MOMENT) == "2026-01-02T03:04:05.000678Z"
    east = datetime(2026, 1, 2, 5, 4, 5, 678, timezone(timedelta(hours=2)))
    assert utc(east) == utc(MOMENT)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": 2}, "its schema is 2, this program knows 1"),
        ({"run_id": 3}, "run_id is 3, no text"),
        ({"files": 1}, "not iterable"),
        ({"files": [1]}, "a file is no mapping"),
        ({"files": [{"path": "a"}]}, "'sha256' is missing|'size' is missing"),
        ({"files": [{"path": "../a", "size": 1, "sha256": SHA, "mtime": ""}]}, "leads upwards"),
        ({"files": [{"path": "/a", "size": 1, "sha256": SHA, "mtime": ""}]}, "is absolute"),
        ({"files": [{"path": "a", "size": -1, "sha256": SHA, "mtime": ""}]}, "the size of 'a'"),
        ({"files": [{"path": "a", "size": True, "sha256": SHA, "mtime": ""}]}, "the size of"),
        ({"files": [{"path": "a", "size": 1, "sha256": "A", "mtime": ""}]}, "the sha256 of 'a'"),
        ({"files": [{"path": "a", "size": 1, "sha256": SHA, "mtime": ""}] * 2}, "comes twice"),
    ],
)
def test_what_is_no_manifest_is_refused(change: dict[str, object], said: str) -> None:
    good = json.loads(dumps(build("run", MOMENT, [])))
    with pytest.raises(ExportRefused, match=f"x.json is no manifest of an export: .*({said})"):
        loads(json.dumps({**good, **change}), "x.json")


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(ExportRefused):
        loads(data, "x.json")


@given(st.text(st.sampled_from('{}[]",:1a'), max_size=60))
def test_any_json_is_read_or_refused(text: str) -> None:
    with pytest.raises(ExportRefused):
        loads(text, "x.json")
