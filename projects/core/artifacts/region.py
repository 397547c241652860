"""The lines of the live region: running spans as a tree, with progress and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.artifacts import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projects.core.artifacts.board import Board, Row

Line = list[tuple[str, str]]
"""Pieces of text, each with the name of a rich style."""

SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
WIDE = 110
"""Columns from which there is room for rates and longer bars."""

_LEAST_NAME = 8


def lines(
    board: Board, history: Mapping[str, float], width: int, most: int, now: float
) -> list[Line]:
    """Return at most `most` lines of at most `width` columns for what runs at moment `now`."""
    rows = _chosen(board, most)
    shown = rows if len(rows) <= most else rows[: most - 1]
    result = [_line(row, tail, history, width, now) for row, tail in shown]
    if len(rows) > len(shown):
        result.append([(f"  … and {len(rows) - len(shown)} more", "dim")])
    if result and shown[0][0].kind == "run":
        result[0] = _headline(shown[0][0], board, history, width, now)
    return result


def _chosen(board: Board, most: int) -> list[tuple[Row, str]]:
    """Return rows, each with the name of what runs below it unseen, as deep as there is room for.

    Rather too many rows, to be cut, than fewer than half of the room.
    """
    deeper: list[tuple[Row, str]] = []
    for deepest in (99, 5, 4, 3, 2, 1):
        rows = [found for top in board.top.values() for found in _unfolded(top, deepest)]
        if len(rows) <= most:
            return rows if len(rows) > most // 2 or not deeper else deeper
        deeper = rows
    return deeper


def _unfolded(row: Row, deepest: int) -> Iterator[tuple[Row, str]]:
    children = list(row.children.values())
    if children and (row.depth >= deepest or all(c.kind == "process" for c in children)):
        tail = children[0]
        while tail.children:
            tail = next(iter(tail.children.values()))
        yield row, tail.label
        return
    yield row, ""
    for child in children:
        yield from _unfolded(child, deepest)


def _headline(row: Row, board: Board, history: Mapping[str, float], width: int, now: float) -> Line:
    facts: Line = [(f"  {readable.duration(now - row.began)}", "bold")]
    if board.passed:
        facts.append((f"  ✔ {board.passed}", "green"))
    if board.bad:
        facts.append((f"  ✘ {board.bad}", "bold red"))
    left = row.left(now, history)
    if left is not None:
        facts.append((f"  about {_left(left)}", "dim"))
    room = width - _columns(facts) - 8
    name = fitted(row.name, room)
    rule = max(width - _columns(facts) - columns(name) - 5, 0)
    return [("── ", "dim"), (name, "bold cyan"), *facts, (" " + "─" * rule, "dim")]


def _line(row: Row, tail: str, history: Mapping[str, float], width: int, now: float) -> Line:
    right = _measures(row, history, width, now)
    leaf = not row.children or bool(tail)
    frame = SPINNER[int(now * 8) % len(SPINNER)] if leaf else "▾"
    left: Line = [("  " * min(row.depth, 8), ""), (frame + " ", "cyan" if leaf else "dim")]
    room = max(width - _columns(left) - _columns(right) - 2, _LEAST_NAME)
    name = fitted(row.label, room)
    left.append((name, "dim" if row.kind == "process" else "" if leaf else "bold"))
    room -= columns(name) + 3
    if tail and room > _LEAST_NAME:
        left.append((" · " + fitted(tail, room), "dim"))
    gap = max(width - _columns(left) - _columns(right) - 1, 1)
    return [*left, (" " * gap, ""), *right]


def _measures(row: Row, history: Mapping[str, float], width: int, now: float) -> Line:
    """Return the right end of a line: bar, amount, rate, what is left, duration."""
    elapsed = now - row.began
    right: Line = []
    left = row.left(now, history)
    bar = 20 if width >= WIDE else 10
    if row.first is not None and row.total:
        right += _bar(row.done / row.total, bar, "cyan")
        # 100 % is said of nothing that is not all there.
        right.append((f" {int(100 * min(row.done / row.total, 1)):3d} %", ""))
        if width >= WIDE:
            right.append((f"  {_amount(row.done)}/{_amount(row.total)} {row.unit}".rstrip(), "dim"))
    elif row.first is not None:
        right.append((f"{_amount(row.done)} {row.unit}".rstrip(), ""))
    elif left is not None and not row.children:
        right += _bar(elapsed / (elapsed + left) if elapsed + left else 1.0, bar, "blue")
    rate = row.rate()
    if rate is not None and width >= WIDE:
        right.append((f"  {_amount(rate)}{' ' + row.unit if row.unit else ''}/s", "dim"))
    if left is not None:
        right.append((f"  {_left(left)}", "dim"))
    right.append((f"  {readable.duration(elapsed):>11}", ""))
    return right


def _left(seconds: float) -> str:
    """Return how long it still takes: a guess, of which nobody needs the milliseconds."""
    return f"{readable.duration(seconds) if seconds >= 1 else '< 1 s'} left"


def _bar(part: float, width: int, style: str) -> Line:
    halves = round(min(max(part, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    return [("━" * full + "╸" * half, style), ("─" * (width - full - half), "dim")]


def _amount(value: float) -> str:
    for unit in ("", "k", "M", "G"):
        if abs(value) < 9999.5 or unit == "G":  # noqa: PLR2004 - four digits read well
            break
        value /= 1000
    digits = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"  # noqa: PLR2004
    return digits + unit


def fitted(text: str, room: int) -> str:
    """Return `text` on one line of at most `room` columns, cut with an ellipsis."""
    text = "".join(c if c.isprintable() else " " for c in text)
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[: min(len(text) - 1, room)]
    return text + "…"


def _columns(line: Line) -> int:
    return sum(columns(text) for text, _ in line)


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
