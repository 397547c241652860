from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.core.processes import lines
from projects.core.processes.lines import LineBuffer

pieces_of_text = st.lists(st.text(alphabet="ab\n é\x00\x0b\u2028"))


def fed(buffer: LineBuffer, pieces: list[str]) -> list[str]:
    return [text for text in map(buffer.feed, pieces) if text]


@given(pieces_of_text)
def test_nothing_is_lost_and_every_delivery_ends_a_line(pieces: list[str]) -> None:
    buffer = LineBuffer(str)
    delivered = fed(buffer, pieces)
    assert all(text.endswith("\n") for text in delivered)
    whole = "".join(pieces)
    ending = "" if not whole or whole.endswith("\n") else "\n"
    assert "".join(delivered) + buffer.close() == whole + ending
    assert not buffer


@given(st.lists(st.text(alphabet="ab\r\n")))
def test_carriage_returns_never_leave_and_lines_keep_their_last_state(pieces: list[str]) -> None:
    buffer = LineBuffer(str)
    delivered = "".join(fed(buffer, pieces)) + buffer.close()
    assert "\r" not in delivered
    whole = "".join(pieces)
    last_states = [
        next((s for s in reversed(line.split("\r")) if s), "") for line in whole.split("\n")
    ]
    shown = iter(delivered.split("\n"))
    assert all(state in shown for state in last_states)  # in this order, progress between them


def test_windows_line_ends_are_line_ends_wherever_they_are_cut() -> None:
    buffer = LineBuffer(str)
    assert "".join(fed(buffer, ["a\r", "\nb\r\n", "c\r", "\n"])).replace("a\na", "a") == "a\nb\nc\n"


def test_a_progress_line_is_shown_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    buffer = LineBuffer(str)
    assert buffer.feed("1%\r") == ""
    assert buffer.feed("2%\r") == "1%\n"
    assert buffer.feed("3%\r") == ""
    now += lines.PROGRESS_INTERVAL
    assert buffer.feed("4%\r") == "3%\n"
    assert buffer.feed("done\n") == "done\n"


def test_progress_does_not_pile_up() -> None:
    buffer = LineBuffer(str)
    for percent in range(100_000):
        buffer.feed(f"{percent}\r")
    assert len("".join(buffer._kept)) < 20


def test_a_line_without_end_is_given_on_in_parts_and_bounded() -> None:
    buffer = LineBuffer(str)
    delivered = [buffer.feed("x" * 100_000) for _ in range(100)]
    assert sum(map(len, buffer._kept)) <= lines.LONGEST + 100_000
    assert "".join(delivered) + buffer.close() == "x" * 10_000_000 + "\n"


def test_a_secret_at_the_cut_of_a_long_line_is_cleaned_whole() -> None:
    buffer = LineBuffer(lambda text: text.replace("secret", "***"))
    shown = buffer.feed("x" * (lines.LONGEST - 3)) + buffer.feed("sec") + buffer.feed("x" * 99_000)
    buffer = LineBuffer(lambda text: text.replace("secret", "***"))
    shown = "".join(buffer.feed(piece) for piece in ("x" * (lines.LONGEST - 2), "sec", "ret", "\n"))
    assert "sec" not in shown
    assert shown.endswith("***\n")


def test_many_small_pieces_of_one_line_cost_little() -> None:
    buffer = LineBuffer(str)
    for _ in range(200_000):
        buffer.feed(".")
    assert buffer.feed("\n") == "." * 200_000 + "\n"
