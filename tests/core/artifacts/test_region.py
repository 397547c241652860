"""The lines of the live region."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from projects.core.artifacts import region
from projects.core.artifacts.board import Board


def parallel(count: int, name: str = "point") -> Board:
    board = Board()
    board.start({"id": "r", "parent": None, "kind": "run", "name": "demo test_ci"}, 0)
    for i in range(count):
        task = {"id": f"t{i}", "parent": "r", "kind": "task", "name": f"{name} {i}"}
        board.start(task, 1)
        board.start({"id": f"s{i}", "parent": f"t{i}", "kind": "step", "name": "measure"}, 1)
        process = {"id": f"p{i}", "parent": f"s{i}", "kind": "process", "name": "sqlite3 bench.db"}
        board.start(process, 1)
    return board


def drawn(board: Board, width: int = 80, most: int = 20, now: float = 5.0) -> list[str]:
    history = {"point 0 / measure": 10.0, "": 60.0}
    lines = region.lines(board, history, width, most, now)
    return ["".join(text for text, _ in line) for line in lines]


def test_a_run_is_a_headline_and_a_tree() -> None:
    lines = drawn(parallel(2))
    assert lines[0].startswith("── demo test_ci  5.0 s  about 55 s left ──")
    assert "▾ point 0" in lines[1]
    assert "measure · sqlite3 bench.db" in lines[2]
    assert lines[2].endswith("6.0 s left        4.0 s")
    assert len(lines) == 5


def test_progress_has_a_bar_a_rate_and_what_is_left() -> None:
    board = parallel(1)
    board.progress({"id": "s0", "done": 0, "total": 1000, "unit": "rows"}, 1)
    board.progress({"id": "s0", "done": 500, "total": 1000, "unit": "rows"}, 5)
    assert (
        "━━━━━━━━━━──────────  50 %  500/1000 rows  125 rows/s  4.0 s left" in drawn(board, 120)[2]
    )
    assert "━━━━━─────  50 %  4.0 s left" in drawn(board, 80)[2]
    board.progress({"id": "s0", "done": 999, "total": 1000, "unit": "rows"}, 5)
    assert "  99 %  < 1 s left" in drawn(board, 80)[2]


def test_an_amount_without_a_total_is_said() -> None:
    board = parallel(1)
    board.progress({"id": "s0", "done": 12345, "unit": "rows"}, 1)
    assert "12.3k rows" in drawn(board)[2]


def test_too_many_rows_are_folded_and_then_counted() -> None:
    assert len(drawn(parallel(15), most=20)) == 16
    lines = drawn(parallel(40), most=20)
    assert len(lines) == 20
    assert lines[-1] == "  … and 22 more"


@given(st.integers(0, 30), st.integers(30, 200), st.integers(3, 30), st.text(max_size=100))
def test_no_line_is_wider_than_the_terminal_and_no_region_higher(
    count: int, width: int, most: int, name: str
) -> None:
    lines = drawn(parallel(count, name), width, most)
    assert len(lines) <= most
    assert all(cell_len(line) <= width for line in lines)


def test_wide_characters_are_counted_by_columns() -> None:
    assert region.fitted("日本語の名前", 7) == "日本語…"
    assert region.fitted("two\nlines\x1b", 20) == "two lines "
