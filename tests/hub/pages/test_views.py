"""Matrices, windows of logs, and what is told live: functions of their arguments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.hub.pages import history, live, log_view, matrix
from projects.hub.sites.site import Part, Said
from projects.hub.sites.stream import Reader


def job(number: int, **params: Any) -> dict[str, Any]:
    return {"number": number, "tool": "sort", "params": params}


def test_jobs_are_arranged_by_what_they_differ_in() -> None:
    jobs = [job(10 * a + b, a=a, b=b, same=1) for a in (1, 2, 3) for b in (4, 5)]
    found = matrix.arrange(jobs)
    assert found is not None
    assert (list(found.down), found.across, list(found.columns)) == (["a"], "b", ["4", "5"])
    assert [[one["number"] for cell in cells for one in cell] for _, cells in found.rows] == [
        [14, 15],
        [24, 25],
        [34, 35],
    ]


def test_jobs_that_are_all_alike_or_all_different_are_no_table() -> None:
    assert matrix.arrange([job(1, a=1), job(2, a=1)]) is None
    assert matrix.arrange([job(at, a=at) for at in range(100)]) is None
    assert matrix.arrange([job(1, a=1)]) is None


@given(st.binary(max_size=3000), st.integers(1, 400))
def test_windows_of_a_log_leave_nothing_out_and_show_nothing_twice(data: bytes, size: int) -> None:
    at, seen = 0, b""
    while at < len(data):
        shown = log_view.forwards(Part(data[at : at + size], at, len(data)))
        assert shown.start == at
        seen += data[shown.start : shown.end]
        assert shown.end > at
        at = shown.end
    assert seen == data


@pytest.mark.parametrize("last", ["\n", "", "\nend\n"])
def test_a_line_that_fills_windows_is_gone_through_backwards(last: str) -> None:
    data = ("begin\n" + "x" * 1000 + last).encode()
    to, seen = len(data), b""
    while to > 0:
        begin = max(0, to - 64)
        shown = log_view.backwards(Part(data[begin:to], begin, len(data)))
        assert shown.start < shown.end == to
        seen = data[shown.start : shown.end] + seen
        to = shown.start
    assert seen == data


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"") + b"\n")))
def test_windows_backwards_begin_with_whole_lines(lines: list[bytes]) -> None:
    data, size = b"".join(lines), 64
    to, seen = len(data), b""
    while to > 0:
        begin = max(0, to - size)
        shown = log_view.backwards(Part(data[begin:to], begin, len(data)))
        assert shown.end == to
        seen = data[shown.start : shown.end] + seen
        assert shown.start < to
        assert shown.start == 0 or data[shown.start - 1 : shown.start] == b"\n"
        to = shown.start
    assert seen == data


def test_html_of_a_window_is_bounded_and_safe() -> None:
    data = b"\x1b[31m<b>\x1b[32m&" * 8000
    shown = log_view.forwards(Part(data, 0, len(data)))
    assert len(shown.html) <= 80_000
    assert "<b>" not in shown.html
    assert not shown.is_last


def test_colours_go_on_over_pieces() -> None:
    painter = log_view.Painter()
    assert painter.paint("\x1b[1mbold\n") == '<span class="ansi-bold">bold</span>\n'
    assert painter.paint("still\x1b[0m plain") == '<span class="ansi-bold">still</span> plain'


def test_changes_are_told_at_once_and_then_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SOON", 0.0)
    monkeypatch.setattr(live, "OFTEN", 0.05)
    monkeypatch.setattr(live, "PULSE", 0.05)

    async def source() -> AsyncGenerator[Said | None, None]:
        for at in range(1000):
            yield Said("state", {"job_id": "mine" if at % 2 else "other"})
        await asyncio.sleep(60)

    async def first(count: int) -> list[bytes | None]:
        found = []
        changes = live.changes(source(), lambda said: said.value["job_id"] == "mine")
        async for one in changes:
            found.append(one)
            if len(found) == count:
                break
        await changes.aclose()
        return found

    found = asyncio.run(first(4))
    assert found[0] == live.CHANGE
    assert found[-1] == live.TICK
    assert found.count(live.CHANGE) <= 2


def test_changes_end_with_their_source() -> None:
    async def source() -> AsyncGenerator[Said | None, None]:
        return
        yield None

    async def run() -> list[bytes | None]:
        return [one async for one in live.changes(source())]

    assert asyncio.run(run()) in ([], [live.CHANGE])


@given(st.text(alphabet="ab\n<", max_size=50), st.integers(1, 7))
def test_html_in_a_stream_comes_out_as_it_went_in(html: str, step: int) -> None:
    data = live.html_event("log", html, 7)
    said = [line[6:] for line in data.decode().split("\n") if line.startswith("data: ")]
    assert "\n".join(said) == html
    assert data.endswith(b"\n\n")


@given(st.lists(st.integers(), max_size=5), st.integers(1, 20))
def test_messages_are_read_from_any_pieces(values: list[int], step: int) -> None:
    data = b"".join(b": beat\n\nid: 3\nevent: e\ndata: %d\n\n" % value for value in values)
    reader, found = Reader(), []
    for at in range(0, len(data), step):
        found += list(reader.feed(data[at : at + step]))
    assert found == [Said("e", value, 3) for value in values]


def test_progress_is_told_by_what_is_usual() -> None:
    running = {"started": "1970-01-01T00:00:10Z", "finished": None}
    told = history.progress(running, 40.0, 20_000_000)
    assert told is not None
    assert (told["elapsed"], told["words"]) == (10.0, "about 30 s left")
    late = history.progress(running, 4.0, 20_000_000)
    assert late is not None
    assert late["words"] == "6.0 s longer than usual"
    unknown = history.progress(running, None, 20_000_000)
    assert unknown is not None
    assert unknown["words"] == "10 s so far"
    assert history.progress({"started": None, "finished": None}, 4.0, 1) is None


def test_what_a_submission_may_still_take() -> None:
    begun = {"phase": "running", "jobs": 10, "states": {"DONE": 3, "RUNNING": 2, "WAITING": 5}}
    assert history.remaining(begun, [10.0, 20.0], 2, []) == 4 * 15
    assert history.remaining(begun, [10.0, 20.0], 2, [3.0, 5.0]) == 4 * 15 - 4
    assert history.remaining(begun, [10.0, 20.0], 2, [1000.0]) == 3 * 15
    assert history.remaining(begun, [], 2, [3.0]) is None
    assert history.remaining({**begun, "phase": "pending"}, [10.0], 2, []) is None


def test_nothing_is_told_of_a_last_job_that_takes_longer_than_usual() -> None:
    last = {"phase": "running", "jobs": 3, "states": {"DONE": 2, "RUNNING": 1}}
    assert history.remaining(last, [10.0], 2, [4.0]) == 6
    assert history.remaining(last, [10.0], 2, [11.0]) is None
