"""What a manifest may say: paths that stay inside, sizes and hashes that make sense."""

from __future__ import annotations

import os
import posixpath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.artifacts import batch, rules
from projects.hub.artifacts.values import MOST_FILES
from projects.jobs.http.refusals import Invalid
from tests.hub.artifacts.conftest import digest

HASH = "ab" * 32


def listed(path: Any = "a", size: Any = 1, sha256: Any = HASH, mtime: Any = "") -> dict[str, Any]:
    return {"path": path, "size": size, "sha256": sha256, "mtime": mtime}


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/etc/passwd", "..", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\0b", "."),
        *("a" * 4097, "é" * 2049, "\ud800", None, 3, ["a"]),
    ],
)
def test_a_path_that_leads_out_is_refused(path: Any) -> None:
    with pytest.raises(Invalid, match=r"files\.0\.path"):
        rules.files_of([listed(path)])


@given(st.text(alphabet=st.sampled_from("ab./\0\\~é\udcff "), max_size=12))
def test_a_path_is_inside_wherever_it_is_put_or_it_is_refused(path: str) -> None:
    try:
        found = rules.path_of(path)
    except ValueError:
        return
    inside = os.fsencode("/top/") + found
    assert posixpath.normpath(inside) == inside
    assert b"\0" not in inside
    assert found.decode("utf-8", "surrogateescape") == path


@pytest.mark.parametrize("size", [-1, 1.5, True, "1", None, 1 << 41])
def test_a_size_that_is_none_is_refused(size: Any) -> None:
    with pytest.raises(Invalid, match=r"files\.0\.size"):
        rules.files_of([listed(size=size)])


@pytest.mark.parametrize("sha256", ["", "AB" * 32, "ab" * 31, f"{HASH}\n", None, 5])
def test_a_hash_that_is_none_is_refused(sha256: Any) -> None:
    with pytest.raises(Invalid, match=r"files\.0\.sha256"):
        rules.files_of([listed(sha256=sha256)])


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([listed(), listed()], "comes twice"),
        ([listed("a"), listed("a/b")], "is a file and a folder"),
        ([listed("a/b"), listed("a/b-c"), listed("a/b/c/d")], "is a file and a folder"),
        ([listed("a"), listed("b", 2)], "not its size"),
        ([listed("a", mtime="yesterday")], "no moment"),
        ([3], "a mapping"),
        ({}, "a list"),
        ([{}] * (MOST_FILES + 1), "of at most"),
    ],
)
def test_lists_that_make_no_sense_are_refused(files: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        rules.files_of(files)


@given(st.binary(max_size=200))
def test_a_batch_is_what_it_says_or_refused(body: bytes) -> None:
    try:
        found = batch.decode(body)
    except Invalid:
        return
    assert all(digest(content) == name for name, content in found.items())


@given(st.lists(st.binary(max_size=50), max_size=5), st.data())
def test_a_batch_comes_through_and_a_changed_one_does_not(
    contents: list[bytes], data: st.DataObject
) -> None:
    body = b"".join(b"%s %d\n%s" % (digest(one).hex().encode(), len(one), one) for one in contents)
    assert batch.decode(body) == {digest(one): one for one in contents}
    if body:
        at = data.draw(st.integers(0, len(body) - 1))
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        with pytest.raises(Invalid):
            batch.decode(changed)
