"""Trees, archives, colours, windows of lines, timelines and comparisons."""

from __future__ import annotations

import html
import io
import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.artifacts import lines, runs, showing
from projects.hub.artifacts.ansi import ansi_to_html, lines_to_html, plain
from projects.hub.artifacts.archives import archive
from projects.hub.artifacts.trees import DirectoryTree, ManifestTree, Tree
from projects.jobs.http.files import OpenFile
from projects.jobs.http.refusals import Absent
from tests.hub.artifacts.conftest import Desk

FILES = {
    "a": b"one\n",
    "a.b/c": b"two",
    "a-b": b"x",
    "a/": b"",  # replaced below: a folder cannot have the name of a file
    "b/c/d": b"deep",
    "b/c.d": b"y",
    "events.jsonl": b"",
    "ünïcode/日本": b"z",
    os.fsdecode(b"bytes-\xff"): b"w",
}
FILES.pop("a/")


@pytest.fixture(params=["manifest", "directory"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    if request.param == "manifest":
        desk: Desk = request.getfixturevalue("embedded")
        return ManifestTree(desk.artifacts, desk.export("ada", "run", FILES))
    for path, content in FILES.items():
        (tmp_path / "job" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "job" / path).write_bytes(content)
    (tmp_path / "secret").write_text("outside")
    (tmp_path / "job" / ".next").write_text("counts directories")
    (tmp_path / "job" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "job" / "folder-link").symlink_to(tmp_path)
    return DirectoryTree(tmp_path / "job")


def paths(tree: Tree, below: str, limit: int) -> list[str]:
    found: list[str] = []
    after = ""
    while page := tree.page(below, after, limit):
        found += [entry.path + "/" * entry.is_folder for entry in page]
        after = page[-1].name
    return found


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_folder_is_listed_a_page_at_a_time(tree: Tree, limit: int) -> None:
    top = {"a", "a-b", "a.b/", "b/", "bytes-\udcff", "events.jsonl", "ünïcode/"}
    listed = paths(tree, "", limit)
    assert set(listed) == top
    assert len(listed) == len(top)
    assert set(paths(tree, "b", limit)) == {"b/c/", "b/c.d"}
    assert paths(tree, "b/c", limit) == ["b/c/d"]


@pytest.mark.parametrize("below", ["a", "nowhere", "..", "/", "b/../b", "folder-link", "b/"])
def test_a_folder_that_is_none_does_not_exist(tree: Tree, below: str) -> None:
    with pytest.raises(Absent):
        tree.page(below, "", 10)


@pytest.mark.parametrize(
    "path", ["", "b", "../secret", "/etc/passwd", "link", "folder-link/secret", "a/..", "a\0", "A"]
)
def test_a_file_that_is_not_inside_does_not_exist(tree: Tree, path: str) -> None:
    with pytest.raises(Absent):
        tree.open(path)


def test_an_archive_has_every_file(tree: Tree) -> None:
    body = io.BytesIO(b"".join(archive(tree, "top", "tar.gz")))
    with tarfile.open(fileobj=body) as packed:
        found = {one.name: one for one in packed.getmembers()}
        assert set(found) == {f"top/{path}" for path in FILES}
        for path, content in FILES.items():
            file = packed.extractfile(found[f"top/{path}"])
            assert file is not None
            assert file.read() == content
    with zipfile.ZipFile(io.BytesIO(b"".join(archive(tree, "top", "zip")))) as zipped:
        assert zipped.testzip() is None
        assert len(zipped.namelist()) == len(FILES)
        assert zipped.read("top/ünïcode/日本") == b"z"


def test_a_zip_keeps_files_apart_whose_names_it_cannot_have(embedded: Desk) -> None:
    files = {
        "a\\b.txt": b"1",
        "a_b.txt": b"2",
        os.fsdecode(b"\xff"): b"3",
        os.fsdecode(b"\xfe"): b"4",
    }
    tree = ManifestTree(embedded.artifacts, embedded.export("ada", "run", files))
    with zipfile.ZipFile(io.BytesIO(b"".join(archive(tree, "top", "zip")))) as zipped:
        names = zipped.namelist()
        assert sorted(map(zipped.read, names)) == [b"1", b"2", b"3", b"4"]
    assert "top/a_b.txt" in names
    assert sum(name.endswith(".txt") for name in names) == 2


def test_an_archive_of_a_run_that_goes_meanwhile_is_not_taken_for_whole(desk: Desk) -> None:
    files = {f"{number:04}": b"x" for number in range(501)}
    run = desk.export("ada", "run", files)
    walk = ManifestTree(desk.artifacts, run).walk()
    assert [next(walk).path for _ in range(500)] == sorted(files)[:500]
    desk.artifacts.remove(run)
    with pytest.raises(Absent, match="meanwhile"):
        next(walk)


def test_a_folder_with_many_files_is_passed_over(desk: Desk) -> None:
    files = {f"big/{number:05}": b"x" for number in range(1500)}
    run = desk.export("ada", "run", {**files, "last": b"x"})
    tree = ManifestTree(desk.artifacts, run)
    assert [entry.path for entry in tree.page("", "", 10)] == ["big", "last"]
    assert [entry.name for entry in tree.page("big", "01497", 10)] == ["01498", "01499"]
    assert len(list(tree.walk())) == 1501


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain <b>&\"'", "plain &lt;b&gt;&amp;&quot;&#x27;"),
        ("\x1b[31mred\x1b[0m no", '<span class="ansi-fg-1">red</span> no'),
        (
            "\x1b[1;91mx\x1b[22my\x1b[39mz",
            '<span class="ansi-bold ansi-fg-9">x</span>' + '<span class="ansi-fg-9">y</span>z',
        ),
        ("\x1b[38;5;196mx\x1b[m", '<span class="ansi-fg-1">x</span>'),
        ("\x1b[48;2;0;0;170mx\x1b[49m", '<span class="ansi-bg-4">x</span>'),
        ("\x1b[38;5mx\x1b[38;9mx\x1b[38mx", "xxx"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b[2Kc\x1b[?25ld\x1b(Be", "abcde"),
        ("10%\r50%\r\x1b[32m100%\r", '<span class="ansi-fg-2">100%</span>'),
        ("a\x00b\x08c\x7f", "abc"),
        ("\x1b[31ma\nb\x1b[m", "\n".join(f'<span class="ansi-fg-1">{x}</span>' for x in "ab")),
        ("\x1b[" + "1;" * 1000 + "31mx", "x"),
        ("\x1b[99999999999999999999mx\x1b", "x"),
        ("\x1b]0;<script>", ""),
    ],
)  # fmt: skip
def test_colours_become_classes(text: str, shown: str) -> None:
    assert ansi_to_html(text) == shown


@given(st.text(alphabet=st.sampled_from("\x1b[]0123456789;:mKab<>&\"'\r\n\x07\\(\t")))
def test_whatever_comes_only_our_tags_are_in_it(text: str) -> None:
    for line in lines_to_html(text.split("\n")):
        rest = re.sub(r'<span class="ansi-[a-z0-9- ]+">([^<>]*)</span>', r"\1", line)
        assert not set("<>\"'\x1b").intersection(rest)
        assert html.escape(html.unescape(rest)) == rest


@given(
    st.lists(st.text(alphabet=st.sampled_from("ab \x1b[31m"), max_size=5), max_size=30),
    st.booleans(),
    st.integers(-5, 40),
    st.integers(1, 10),
)
def test_a_window_is_a_part_of_the_whole(
    texts: list[str], is_open: bool, first: int, count: int
) -> None:
    text = "\n".join(texts) + ("" if is_open else "\n")
    content = text.encode()
    descriptor = os.memfd_create("log")
    try:
        os.write(descriptor, content)
        whole = content.decode().split("\n")
        whole = whole if whole[-1] else whole[:-1]
        window = lines.LineIndexes().window(OpenFile(descriptor, len(content), 0), first, count)
        begin = first - 1 if first > 0 else max(0, len(whole) + first - 1)
        assert window.total == len(whole)
        assert window.lines == lines_to_html(whole)[begin : begin + count]
    finally:
        os.close(descriptor)


def test_a_log_that_grows_is_counted_on(tmp_path: Path) -> None:
    indexes = lines.LineIndexes()
    path = tmp_path / "log"
    total = 0
    for size in (1, 30_000, 100_000, 3):
        with path.open("ab") as log:
            log.write(b"".join(b"line %d\n" % (total + n) for n in range(size)))
        total += size
        descriptor = os.open(path, os.O_RDONLY)
        window = indexes.window(OpenFile(descriptor, path.stat().st_size, 0), total, 5)
        middle = indexes.window(OpenFile(descriptor, path.stat().st_size, 0), total // 2 + 1, 1)
        os.close(descriptor)
        assert (window.total, window.lines) == (total, [f"line {total - 1}"])
        assert middle.lines == [f"line {total // 2}"]


def look(indexes: lines.LineIndexes, path: Path, first: int, count: int) -> lines.Window:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return indexes.window(OpenFile(descriptor, path.stat().st_size, 0), first, count)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("size", [180_000, 200_000])
def test_a_log_that_is_written_anew_is_counted_anew(tmp_path: Path, size: int) -> None:
    path, indexes = tmp_path / "log", lines.LineIndexes()
    path.write_bytes(b"a\nb\nc\n" * 30_000)
    assert look(indexes, path, 0, 1).total == 90_000
    before = path.stat()
    path.write_bytes(b"x" * (size - 4) + b"\ntwo")
    os.utime(path, ns=(0, before.st_mtime_ns + 1))
    assert path.stat().st_ino == before.st_ino
    window = look(indexes, path, 0, 1)
    assert (window.total, window.lines) == (2, ["two"])


def test_no_line_is_missed_between_windows_that_are_cut(tmp_path: Path) -> None:
    path, indexes = tmp_path / "log", lines.LineIndexes()
    written = [f"{number:04} " + "x" * 1500 for number in range(6000)]  # more than a window holds
    path.write_text("\n".join(written) + "\n")
    read: list[str] = []
    while len(read) < 6000:
        window = look(indexes, path, len(read) + 1, 10_000)
        assert window.first == len(read) + 1
        assert window.lines
        read += window.lines
    assert read == written


def test_long_lines_and_large_windows_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * (lines.MOST_BYTES + 100) + b"\nlast\n")
    descriptor = os.open(path, os.O_RDONLY)
    window = lines.LineIndexes().window(OpenFile(descriptor, path.stat().st_size, 0), 1, 10)
    os.close(descriptor)
    assert len(window.lines[0]) < lines.LONGEST_LINE + 100
    assert "bytes are left out" in window.lines[0]


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.js", "a.htm", "a.xhtml", "a", "a.png.gz"])
@pytest.mark.parametrize("inline", [True, False])
def test_nothing_runs_as_the_hub(name: str, inline: bool) -> None:
    headers = showing.headers_for(f"deep/{name}", inline=inline)
    assert headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src")
    assert "allow-same-origin" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert inline or headers["Content-Disposition"].startswith("attachment")
    assert showing.media_of(name) in {
        "text/html; charset=utf-8", "image/svg+xml", "text/plain; charset=utf-8",
        "application/octet-stream",
    }  # fmt: skip


def test_two_runs_are_compared_and_one_is_drawn(desk: Desk) -> None:
    events = (
        b'{"at":"2026-01-01T00:00:00Z","type":"started","id":"a","parent":null,"kind":"run",'
        b'"name":"<script>alert(1)</script>","project":"bench","verb":"test_ci"}\n'
    )
    trees = [
        ManifestTree(
            desk.artifacts,
            desk.export("ada", f"run/{n}", {"config.yaml": b"n: %d" % n, "events.jsonl": events}),
        )
        for n in range(2)
    ]
    found = runs.compare_runs(*trees)
    assert [(one.key, one.a, one.b) for one in found.configuration] == [("n", 0, 1)]
    page = runs.timeline_of(trees[0])
    assert "bench test_ci" in page
    assert "<script>alert" not in page


def test_text_for_one_line_has_nothing_of_a_terminal() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07\n  two\x00 ") == "red\ntwo"
