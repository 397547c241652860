"""One plot area with its two axes: grid, ticks, titles, and pixels for values."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projects.matrix_benchmarking.reports.drawing.scales import Scale
    from projects.matrix_benchmarking.reports.drawing.theme import Theme

LETTER = 6.6
"""Width of a letter of the usual size on average, in pixels; texts are not measured."""

_TAGS = ("<br>", "<b>", "</b>", "<i>", "</i>", "<br/>", "<sub>", "</sub>", "<sup>", "</sup>")


@dataclass(slots=True)
class Panel:
    """A rectangle of pixels with a scale in each direction."""

    x: Scale
    y: Scale
    left: float
    top: float
    width: float
    height: float

    def px(self, value: Any) -> float | None:
        """Return the pixel of a value of the x axis, None where it has none."""
        share = self.x.share(value)
        return None if share is None else self.left + share * self.width

    def py(self, value: Any) -> float | None:
        """Return the pixel of a value of the y axis, None where it has none."""
        share = self.y.share(value)
        return None if share is None else self.top + (1 - share) * self.height

    @property
    def zero(self) -> float:
        """The pixel row that bars stand on."""
        return self._foot(self.y, self.top + self.height, -self.height)

    @property
    def zero_across(self) -> float:
        """The pixel column that bars lying on their side start from."""
        return self._foot(self.x, self.left, self.width)

    @staticmethod
    def _foot(scale: Scale, origin: float, length: float) -> float:
        share = 0.0 if scale.kind == "log" else scale.share_of(0.0)
        return origin + min(max(share, 0.0), 1.0) * length

    def slot(self, scale_is_x: bool) -> float:
        """Return the pixels between two neighbouring categories."""
        scale, length = (self.x, self.width) if scale_is_x else (self.y, self.height)
        return length / max(len(scale.categories), 1)

    def axes(
        self, xaxis: Mapping[str, Any], yaxis: Mapping[str, Any], theme: Theme
    ) -> Iterator[str]:
        """Yield grid, ticks and titles."""
        bottom, right = self.top + self.height, self.left + self.width
        for share, label in self.y.ticks:
            y = bottom - share * self.height
            if self.y.kind != "category":
                yield line(self.left, y, right, y, theme.line)
            yield text(self.left - 8, y + 4, label, theme.soft, anchor="end", size=12)
        yield line(self.left, bottom, right, bottom, theme.line)
        yield from self._labels_below(bottom, theme)
        title = title_of(xaxis)
        if title:
            middle = self.left + self.width / 2
            yield text(middle, bottom + 40, title, theme.soft, anchor="middle")
        title = title_of(yaxis)
        if title:
            yield text(self.left, self.top - 9, title, theme.soft, size=12)

    def _labels_below(self, bottom: float, theme: Theme) -> Iterator[str]:
        reached = -1e9
        for share, name in self.x.ticks:
            x = self.left + share * self.width
            label = cut(name, max(self.slot(scale_is_x=True), 60) if self.x.categories else 200)
            half = len(label) * LETTER / 2
            if self.y.kind == "category":
                yield line(x, self.top, x, bottom, theme.line)
            elif self.x.kind != "category":
                yield line(x, bottom, x, bottom + 4, theme.line)
            if x - half > reached:  # a label that would run into the one before is left out
                yield text(x, bottom + 18, label, theme.soft, anchor="middle", size=12)
                reached = x + half + 4


def cut(label: str, pixels: float) -> str:
    """Return as much of a label as fits into so many pixels."""
    most = max(int(pixels / LETTER), 3)
    return label if len(label) <= most else label[: most - 1] + "…"


def title_of(spec: Mapping[str, Any]) -> str:
    """Return the title of an axis or of a layout, which plotly takes as text or mapping."""
    title = spec.get("title")
    found = title.get("text") if isinstance(title, dict) else title
    return plain(str(found)) if found else ""


def plain(label: str) -> str:
    """Return a label without the few tags that plotly knows."""
    for tag in _TAGS:
        label = label.replace(tag, " " if tag.startswith("<br") else "")
    return html.unescape(label)


def line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    """Return a straight line of one pixel."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{escape(colour)}"/>'
    )


def text(
    x: float, y: float, words: str, colour: str, *, anchor: str = "start", size: int = 13,
    bold: bool = False,
) -> str:  # fmt: skip
    """Return one line of text, escaped."""
    weight = ' font-weight="650"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{escape(colour)}" font-size="{size}" '
        f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
    )


def escape(words: object) -> str:
    """Return text for XML: escaped, without characters that XML cannot hold."""
    kept = "".join(
        c for c in str(words) if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff")
    )
    return html.escape(kept.replace("\ufffe", "").replace("\uffff", ""))
