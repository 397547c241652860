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

    @property
    def before(self) -> int:
        """Where the window before begins."""
        return max(0, self.start - WINDOW)


def window(part: Part) -> Window:
    """Return the whole lines of a piece; of a line that is longer than a window, pieces of it."""
    data, start = part.data, part.at
    if start > 0:
        first = data.find(b"\n") + 1
        data, start = data[first:], start + first
    if start + len(data) < part.size:
        last = data.rfind(b"\n") + 1
        data = data[: last or len(data)]
    html = Painter().paint(data.decode("utf-8", "replace"))
    while len(html) > _MOST_HTML and data:  # colours at every character
        half = data[: len(data) // 2]
        data = half[: half.rfind(b"\n") + 1] or half
        html = Painter().paint(data.decode("utf-8", "replace"))
    return Window(html, start, start + len(data), part.size)
