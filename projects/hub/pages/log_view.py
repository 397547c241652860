"""A log in windows: whole lines around a byte, painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.hub.artifacts.ansi import PLAIN, ansi_to_html, style_after

if TYPE_CHECKING:
    from projects.hub.sites.site import Part

WINDOW = 32 << 10
"""Bytes of one window: as HTML it stays below the size of a page."""

_MOST_HTML = 80_000


class Painter:
    """Paints pieces of one log in their order: colours go on over the seams."""

    def __init__(self) -> None:
        self._style = PLAIN

    def paint(self, text: str) -> str:
        """Return whole lines as HTML: safe, whatever the text is."""
        text = text.replace("\r\n", "\n")
        html = ansi_to_html(text, self._style)
        self._style = style_after(text, self._style)
        return html


@dataclass(frozen=True, slots=True)
class Window:
    """Lines as HTML, from byte `start` to `end` of `size`."""

    html: str
    start: int
    end: int
    size: int

    @property
    def is_first(self) -> bool:
        """Whether nothing is before it."""
        return self.start == 0

    @property
    def is_last(self) -> bool:
        """Whether nothing is after it."""
        return self.end >= self.size


def forwards(part: Part) -> Window:
    """Return the lines of a piece that begins with a line; of a very long line a part."""
    data = part.data
    if part.end < part.size:
        data = data[: data.rfind(b"\n") + 1] or data
    html = _painted(data)
    while len(html) > _MOST_HTML and data:  # colours at every character
        half = data[: len(data) // 2]
        data = half[: half.rfind(b"\n") + 1] or half
        html = _painted(data)
    return Window(html, part.at, part.at + len(data), part.size)


def backwards(part: Part) -> Window:
    """Return the last lines of a piece that ends with a line, or with the log."""
    data = part.data
    if part.at > 0:
        data = _whole_lines(data)
    html = _painted(data)
    while len(html) > _MOST_HTML and data:
        data = _whole_lines(data[len(data) // 2 :])
        html = _painted(data)
    return Window(html, part.end - len(data), part.end, part.size)


def _whole_lines(data: bytes) -> bytes:
    """Return the lines that begin in a piece; of one line that fills it what there is."""
    return data[data.find(b"\n", 0, len(data) - 1) + 1 :]


def _painted(data: bytes) -> str:
    return Painter().paint(data.decode("utf-8", "replace"))
