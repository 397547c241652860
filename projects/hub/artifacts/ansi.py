"""Text with the colours of a terminal (ECMA-48, SGR) as HTML with classes; pure.

Classes: `ansi-fg-N` and `ansi-bg-N`, N from 0 to 15; `ansi-bold`, `-dim`, `-italic`, `-underline`,
`-inverse`, `-strike`. Of 256 and of 16 million colours the nearest of the sixteen is taken.
Whatever else a terminal would do is left out; of an overwritten line the last state is shown.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from functools import lru_cache

_SEQUENCE = re.compile(
    r"\x1b\[([0-9;:]*)m"  # SGR: the only one with a group
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # strings: titles, links
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # other control sequences
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile("[\x00-\x06\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\x80-\x9f]")
_FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "inverse", 9: "strike"}
_NO_FLAGS = {
    21: ("bold",),
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("inverse",),
    29: ("strike",),
}
_BASE = (
    *((0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0)),
    *((0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)),
    *((85, 85, 85), (255, 85, 85), (85, 255, 85), (255, 255, 85)),
    *((85, 85, 255), (255, 85, 255), (85, 255, 255), (255, 255, 255)),
)
_LONGEST = 64
"""Characters of the numbers of a sequence; longer ones change nothing."""


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks: colours from 0 to 15, and flags."""

    foreground: int | None = None
    background: int | None = None
    flags: frozenset[str] = frozenset()


PLAIN = Style()


def ansi_to_html(text: str, style: Style = PLAIN) -> str:
    """Return `text` as HTML for `<pre>`; each line is complete in itself."""
    return "\n".join(lines_to_html(text.split("\n"), style))


def lines_to_html(lines: list[str], style: Style = PLAIN) -> list[str]:
    """Return each line as HTML; `style` is what an earlier line has left on."""
    if not lines:
        return []
    text = html.escape("\n".join(lines))
    if _CONTROL.search(text):
        text = _CONTROL.sub("", text)
    found = []
    for line in text.split("\n"):
        shown = _last_state(line) if "\r" in line else line
        if "\x1b" in shown:
            shown, style = _line(shown, style)
        elif style != PLAIN and shown:
            shown = f"{_opening(style)}{shown}</span>"
        found.append(shown)
    if "\x07" in text:  # it may have ended a string until here
        return [line.replace("\x07", "") for line in found]
    return found


def plain(text: str) -> str:
    """Return text without what only a terminal understands, each line without blanks around."""
    return "\n".join(
        _CONTROL.sub("", _SEQUENCE.sub("", line)).strip() for line in text.splitlines()
    )


def style_after(text: str, style: Style = PLAIN) -> Style:
    """Return what `text` leaves on."""
    for match in _SEQUENCE.finditer(text):
        if match[1] is not None:
            style = _changed(style, match[1][: _LONGEST + 1])
    return style


def _last_state(line: str) -> str:
    line = line.rstrip("\r")
    before, _, last = line.rpartition("\r")
    # Colours that were set before still count.
    return "".join(match[0] for match in _SEQUENCE.finditer(before)) + last


def _line(line: str, style: Style) -> tuple[str, Style]:
    parts = _SEQUENCE.split(line)
    opening, closing = _opening(style), _closing(style)
    shown = [f"{opening}{parts[0]}{closing}"] if parts[0] else []
    for numbers, part in zip(parts[1::2], parts[2::2], strict=True):
        if numbers is not None:
            style, opening, closing = _turn(style, numbers[: _LONGEST + 1])
        if part:
            shown.append(f"{opening}{part}{closing}")
    return "".join(shown), style


@lru_cache(4096)
def _turn(style: Style, numbers: str) -> tuple[Style, str, str]:
    style = _changed(style, numbers)
    return style, _opening(style), _closing(style)


def _closing(style: Style) -> str:
    return "" if style == PLAIN else "</span>"


@lru_cache(512)
def _opening(style: Style) -> str:
    if style == PLAIN:
        return ""
    names = [f"ansi-{flag}" for flag in sorted(style.flags)]
    if style.foreground is not None:
        names.append(f"ansi-fg-{style.foreground}")
    if style.background is not None:
        names.append(f"ansi-bg-{style.background}")
    return f'<span class="{" ".join(names)}">'


@lru_cache(4096)
def _changed(style: Style, numbers: str) -> Style:
    if len(numbers) > _LONGEST:
        return style
    codes = [int(one or 0) for one in re.split("[;:]", numbers)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = PLAIN
        elif code in _FLAGS:
            style = replace(style, flags=style.flags | {_FLAGS[code]})
        elif code in _NO_FLAGS:
            style = replace(style, flags=style.flags.difference(_NO_FLAGS[code]))
        elif code in (38, 48):
            colour = _extended(codes)
            is_text = code == 38  # noqa: PLR2004
            style = (
                replace(style, foreground=colour) if is_text else replace(style, background=colour)
            )
        else:
            style = _coloured(style, code)
    return style


def _coloured(style: Style, code: int) -> Style:
    tens, number = divmod(code, 10)
    if code == 39:  # noqa: PLR2004  (the default colour)
        return replace(style, foreground=None)
    if code == 49:  # noqa: PLR2004
        return replace(style, background=None)
    if number < 8 and tens in (3, 9):  # noqa: PLR2004
        return replace(style, foreground=number + 8 * (tens == 9))  # noqa: PLR2004
    if number < 8 and tens in (4, 10):  # noqa: PLR2004
        return replace(style, background=number + 8 * (tens == 10))  # noqa: PLR2004
    return style


def _extended(codes: list[int]) -> int | None:
    """Take a colour of 256 (5;N) or of 16 million (2;R;G;B) from the codes."""
    kind = codes.pop(0) if codes else 0
    count = {5: 1, 2: 3}.get(kind, 0)
    values = [min(value, 255) for value in codes[:count]]
    del codes[:count]
    if not count or len(values) < count:
        return None
    return _nearest(*values) if kind == 2 else _of_256(values[0])  # noqa: PLR2004


def _of_256(number: int) -> int:
    if number < 16:  # noqa: PLR2004
        return number
    if number >= 232:  # noqa: PLR2004  (greys)
        return _nearest(*[8 + 10 * (number - 232)] * 3)
    steps = (0, 95, 135, 175, 215, 255)
    cube = number - 16
    return _nearest(steps[cube // 36], steps[cube // 6 % 6], steps[cube % 6])


def _nearest(red: int, green: int, blue: int) -> int:
    def distance(number: int) -> int:
        base = _BASE[number]
        return (base[0] - red) ** 2 + (base[1] - green) ** 2 + (base[2] - blue) ** 2

    return min(range(16), key=distance)
