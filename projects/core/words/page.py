"""How help looks: headings, aligned rows, wrapped paragraphs, calm colour on a terminal only."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COMMAND = "./run_toolbox.py"

_WIDEST_NAME = 28


@dataclass(frozen=True, slots=True)
class Page:
    """How help is drawn: `width` in columns; colour only where a terminal shows it."""

    width: int = 100
    colour: bool = False

    def title(self, text: str) -> str:
        """Return a heading."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour else text

    def head(self, name: str, summary: str) -> list[str]:
        """Return the first lines of a page: what it is about, in one sentence."""
        if not summary:
            return [self.title(name)]
        first, *more = textwrap.wrap(f"{name}: {summary}", self.width)
        return [first.replace(name, self.title(name), 1), *more]

    def name(self, text: str) -> str:
        """Return something to type."""
        return f"\x1b[36m{text}\x1b[0m" if self.colour else text

    def dim(self, text: str) -> str:
        """Return something of lesser weight."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour else text

    def rows(self, rows: Iterable[tuple[str, str]]) -> list[str]:
        """Return aligned lines `  name  text`, the text wrapped beside its column."""
        listed = list(rows)
        widest = max((len(name) for name, _ in listed if len(name) <= _WIDEST_NAME), default=0)
        margin = " " * (widest + 4)
        lines = []
        for name, text in listed:
            wrapped = textwrap.wrap(text, max(self.width - len(margin), 30)) or [""]
            if len(name) > widest:
                lines.append(f"  {self.name(name)}")
                lines += [margin + line for line in wrapped if line]
            else:
                first = f"  {self.name(name)}{' ' * (widest - len(name))}  {wrapped[0]}"
                lines += [first.rstrip(), *(margin + line for line in wrapped[1:])]
        return lines

    def text(self, text: str) -> list[str]:
        """Return paragraphs wrapped; indented lines and lists are left as they are."""
        lines: list[str] = []
        for paragraph in text.split("\n\n"):
            literal = any(line[:1] in (" ", "-", "*") for line in paragraph.splitlines())
            lines += paragraph.splitlines() if literal else textwrap.wrap(paragraph, self.width)
            lines.append("")
        return lines[:-1]


def join(*blocks: Sequence[str]) -> str:
    """Return blocks of lines with an empty line between them; empty blocks are left out."""
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def usage(page: Page, words: str) -> list[str]:
    """Return the usage line, wrapped."""
    lines = textwrap.wrap(f"Usage: {COMMAND} {words}", page.width, subsequent_indent=" " * 7)
    return [lines[0].replace("Usage:", page.title("Usage:"), 1), *lines[1:]]


def examples(page: Page, lines: Sequence[str]) -> list[str]:
    """Return the block of examples."""
    return [page.title("Example" if len(lines) == 1 else "Examples"), *("  " + x for x in lines)]
