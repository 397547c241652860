"""Draw what a terminal shows (ANSI text on stdin) as `terminal.svg` beside this file.

tmux capture-pane -e -p | .venv/bin/python docs/images/draw_terminal.py
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100


def main() -> None:
    """Read, draw, write."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(sys.stdin.read().rstrip("\n")))
    svg = console.export_svg(title="./run_toolbox.py project test_ci quick")
    # No font from the network: the reader's own monospace will do.
    faces = svg[svg.index("@font-face") : svg.rindex("@font-face")]
    svg = svg.replace(faces, "")
    last = svg[svg.index("@font-face") :]
    svg = svg.replace(last[: last.index("}") + 1], "")
    Path(__file__).with_name("terminal.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
