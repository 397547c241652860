from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.jobs.http import files
from projects.jobs.http.refusals import Absent, BadRange
from tests.jobs.http.puppets import World


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A job's directory, and a secret beside it."""
    inside = tmp_path / "job"
    (inside / "results" / "deep").mkdir(parents=True)
    (inside / "a.txt").write_text("a")
    (inside / "results" / "deep" / "b.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "job-other").mkdir()
    (tmp_path / "job-other" / "x").write_text("other")
    return inside


def content(directory: Path, path: str) -> bytes:
    file = files.open_inside(directory, path)
    try:
        return os.pread(file.descriptor, 1000, 0)
    finally:
        file.close()


def test_files_are_found_below_the_directory_also_through_links_that_stay_there(
    directory: Path,
) -> None:
    (directory / "latest").symlink_to("results/deep")
    assert content(directory, "a.txt") == b"a"
    assert content(directory, "results/deep/b.json") == b"{}"
    assert content(directory, "latest/b.json") == b"{}"
    assert content(directory, "results/../a.txt") == b"a"


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "results/../../secret",
        "../job-other/x",
        "/etc/passwd",
        "out",
        "outdir/secret",
        "results",
        ".",
        "",
        "none",
        "a.txt/x",
        "a\0b",
        "pipe",
        "loop",
        "x" * 5000,
    ],
)
def test_nothing_else_exists(directory: Path, path: str) -> None:
    (directory / "out").symlink_to("../secret")
    (directory / "outdir").symlink_to("..")
    (directory / "loop").symlink_to("loop")
    os.mkfifo(directory / "pipe")
    with pytest.raises(Absent):
        files.open_inside(directory, path)


@given(st.text(max_size=50))
def test_no_path_leads_outside(path: str) -> None:
    with pytest.raises(Absent):
        files.open_inside(Path(__file__).parent / "nowhere", path)


def test_a_link_that_is_put_in_the_way_is_not_followed(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.path.realpath

    def swap(path: str) -> str:
        resolved = str(real(path))
        if resolved.endswith("a.txt"):
            (directory / "a.txt").unlink()
            (directory / "a.txt").symlink_to("../secret")
        return resolved

    monkeypatch.setattr(os.path, "realpath", swap)
    with pytest.raises(Absent):
        files.open_inside(directory, "a.txt")


def test_no_descriptor_is_left_open(directory: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for path in ("a.txt", "results", "none", "results/deep/b.json"):
        try:
            files.open_inside(directory, path).close()
        except Absent:
            continue
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_listing_has_regular_files_in_order_and_is_bounded(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory / "out").symlink_to("../secret")
    os.mkfifo(directory / "pipe")
    (directory / ".next").touch()  # counts numbered directories
    Path(os.fsdecode(os.fsencode(directory) + b"/\xff")).write_text("odd")
    items, complete = files.listing(directory)
    assert [item.path for item in items] == ["a.txt", "results/deep/b.json", "\\udcff"]
    assert complete
    monkeypatch.setattr(files, "MOST_LISTED", 2)
    items, complete = files.listing(directory)
    assert (len(items), complete) == (2, False)
    assert files.listing(directory / "none") == ([], True)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-100", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-100", (0, 10)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("lines=1-2", None),
    ],
)
def test_ranges(asked: str | None, expected: tuple[int, int] | None) -> None:
    assert files.range_of(asked, 10) == expected


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(asked: str) -> None:
    with pytest.raises(BadRange) as caught:
        files.range_of(asked, 10)
    assert caught.value.headers == {"Content-Range": "bytes */10"}


@given(
    st.lists(st.text("ab\n", max_size=5), max_size=20).map("".join),
    st.integers(0, 20),
    st.integers(1, 7),
)
def test_the_tail_is_the_last_lines(text: str, lines: int, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "CHUNK", chunk)
        descriptor = os.memfd_create("tail")
        os.write(descriptor, text.encode())
        file = files.OpenFile(descriptor, len(text), 0)
        start = files.tail_start(file, lines)
        file.close()
    expected = text.splitlines(keepends=True)[-lines:] if lines else []
    assert text[start:] == "".join(expected)


def test_artifacts_are_listed_and_downloaded_and_never_run_by_a_browser(world: World) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    where = world.directory(job)
    (where / "page.html").write_text("<script>alert(1)</script>")
    (where / 'ümlaut "x".svg').write_text("<svg/>")
    (where / "out").symlink_to("/etc/passwd")
    listed = client.get(f"/api/v1/jobs/{job}/artifacts").json()
    assert [one["path"] for one in listed["items"]] == [
        "page.html",
        "stderr.log",
        "stdout.log",
        'ümlaut "x".svg',
    ]
    assert listed["complete"] is True
    for name in ("page.html", 'ümlaut "x".svg'):
        for api in ("/api/v1", "/satellite"):
            answer = client.get(f"{api}/jobs/{job}/artifacts/{name}")
            assert answer.content == (where / name).read_bytes()
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment; ")
            assert answer.headers["content-security-policy"].startswith("sandbox")
            assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("out", "..%2f..%2fsatellite.db", "%2e%2e/%2e%2e/satellite.db", "none", ""):
        assert client.get(f"/api/v1/jobs/{job}/artifacts/{path}").status_code == 404, path


def test_a_file_that_shrinks_while_it_is_sent_breaks_the_answer_off(world: World) -> None:
    client = world.client()
    (job,) = world.submit(client)
    world.ended(job)
    big = world.directory(job) / "big"
    big.write_bytes(b"x" * (8 << 20))
    import httpx

    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream("GET", f"/api/v1/jobs/{job}/artifacts/big") as answer,
    ):
        assert answer.headers["content-length"] == str(8 << 20)
        os.truncate(big, 100)
        answer.read()
    assert client.get("/api/v1/info").status_code == 200


def test_folders_nested_by_the_thousand_are_listed(tmp_path: Path) -> None:
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(os.open("deep", os.O_WRONLY | os.O_CREAT, dir_fd=at))
    os.close(at)
    Path(tmp_path, "z").write_text("")
    try:
        found, complete = files.listing(tmp_path)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own can't
    assert ([each.path for each in found], complete) == (["d/" * 1500 + "deep", "z"], True)
