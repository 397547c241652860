"""What leaves the machine is searched for secrets: contents, names, links, gzip."""

from __future__ import annotations

import base64
import gzip
import itertools
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.core.secrets import masking
from projects.core.secrets.masking import register, registered
from projects.core.secrets.needles import SOFT_BREAK, Needles, has_soft_break
from projects.core.secrets.scan import BLOCK, MOST, Leak, Scanner, scan
from projects.core.secrets.sieve import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VALUE = "s3cr3t-value"


@pytest.fixture(autouse=True)
def one_secret() -> Iterator[None]:
    masking.forget_all()
    register(VALUE, "token")
    yield
    masking.forget_all()


def test_a_clean_tree_has_no_leaks(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(os.urandom(100_000))
    (tmp_path / "link").symlink_to("log")
    os.mkfifo(tmp_path / "pipe")
    assert scan(tmp_path) == []


def test_each_place_is_told_with_line_and_form(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "run.log").write_text(f"first\nlogin {VALUE} {VALUE}\n")
    encoded = base64.b64encode(f"user:{VALUE}".encode()).decode()
    (tmp_path / "request").write_text(f"\n\nAuthorization: Basic {encoded}\n")
    leaks = scan(tmp_path)
    assert leaks == [
        Leak("deep/run.log", 2, "token", "plain"),
        Leak("request", 3, "token", "base64"),
    ]
    assert str(leaks[0]) == "deep/run.log:2: the secret token (plain)"


def test_gzip_is_searched_also_in_a_later_member_and_when_damaged(tmp_path: Path) -> None:
    members = gzip.compress(b"a\n" * 3_000_000) + gzip.compress(f"b\n{VALUE}".encode())
    (tmp_path / "two.gz").write_bytes(members)
    (tmp_path / "cut").write_bytes(gzip.compress(VALUE.encode() + os.urandom(4000))[:-100])
    assert scan(tmp_path) == [
        Leak("cut", 1, "token", "plain"),
        Leak("two.gz", 3_000_002, "token", "plain"),
    ]


def test_a_name_that_shows_a_secret_is_told_without_showing_it(tmp_path: Path) -> None:
    (tmp_path / f"user-{VALUE}.txt").write_text(VALUE)
    leaks = scan(tmp_path)
    assert {(leak.path, leak.line, leak.form) for leak in leaks} == {
        ("user-***.txt", 0, "name"),
        ("user-***.txt", 1, "plain"),
    }
    assert VALUE not in "".join(map(str, leaks))


def test_links_that_leave_the_root_are_leaks(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "inside").mkdir(parents=True)
    (root / "good").symlink_to("inside")
    (root / "file").symlink_to("/etc/passwd")
    (root / "inside" / "up").symlink_to("../..")
    (root / "dangling").symlink_to("../nowhere")
    leaks = scan(root)
    assert [(leak.path, leak.form) for leak in leaks] == [
        ("dangling", "link"),
        ("file", "link"),
        ("inside/up", "link"),
    ]
    assert str(leaks[1]) == "file: links to /etc/passwd, outside"


def test_a_secret_across_blocks_is_found(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"\n" * (BLOCK - 5) + VALUE.encode())
    assert scan(tmp_path) == [Leak("big", BLOCK - 4, "token", "plain")]


def test_not_more_than_a_bounded_number_is_listed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{VALUE}\n" * (MOST + 10))
    assert len(scan(tmp_path)) == MOST


@given(before=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=6))
def test_cuts_do_not_matter(before: bytes, cuts: list[int]) -> None:
    data = before + VALUE.encode() + b"\nand " + base64.b64encode(VALUE.encode())
    scanner = Scanner("file", registered())
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for i in range(len(places) - 1):
        scanner.feed(data[places[i] : places[i + 1]])
    line = before.count(b"\n") + 1
    assert sorted(scanner.leaks) == [(line, "token"), (line + 1, "token")]


@settings(max_examples=20)
@given(
    values=st.lists(
        st.binary(min_size=6, max_size=24).map(b"\xfe".__add__), min_size=1, max_size=5, unique=True
    ),
    places=st.lists(st.integers(0, SMALLEST - 30), max_size=5),
    content=st.sampled_from([b"\0", b"ab", b"log line\n"]),
)
def test_large_data_show_what_small_data_show(
    values: list[bytes], places: list[int], content: bytes
) -> None:
    needles = Needles()
    for value in values:
        needles.add(value, "name", "plain")
    data = bytearray((content * SMALLEST)[:SMALLEST])
    for place, value in zip(places, itertools.cycle(values), strict=False):
        data[place : place + len(value)] = value
    large = set(needles.find(bytes(data)))
    small = set()
    half = SMALLEST // 2
    for start in (0, half - 64):
        for hit in needles.find(bytes(data[start : start + half + 64])):
            small.add(hit._replace(start=hit.start + start, end=hit.end + start))
    assert large == small


@given(st.binary(max_size=300), st.sampled_from([b"\n", b"\r\n", b"\r", b" ", b""]))
def test_a_soft_break_is_seen_where_the_expression_sees_it(before: bytes, end: bytes) -> None:
    for line in (b"A" * 59, b"A" * 60, b"/" * 76):
        data = before + line + end
        assert has_soft_break(data) == bool(SOFT_BREAK.search(data))
        assert has_soft_break(data + before) == bool(SOFT_BREAK.search(data + before))


@settings(max_examples=30)
@given(
    before=st.sampled_from([b"", b"log line\n", b"x: 1\r\n", b"A" * 59 + b"\n", b"/" * 59 + b"\r"]),
    line=st.sampled_from([b"A" * 59, b"A" * 60, b"/" * 76, b" " + b"A" * 59]),
    end=st.sampled_from([b"\n", b"\r\n", b"\r", b""]),
    place=st.integers(0, SMALLEST),
)
def test_a_soft_break_in_large_data_is_seen_where_the_expression_sees_it(
    before: bytes, line: bytes, end: bytes, place: int
) -> None:
    filled = (before or b"\0") * (SMALLEST // max(len(before), 1) + 1)
    for data in (filled[:place] + line + end + filled[place:], filled + line + end):
        assert len(data) >= SMALLEST
        assert has_soft_break(data) == bool(SOFT_BREAK.search(data))


def test_lines_are_counted_alike_in_large_data(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"a line\r\n" * BLOCK + VALUE.encode())
    assert scan(tmp_path) == [Leak("big", BLOCK + 1, "token", "plain")]
