"""The shell of every page of ours: head, style, policy; and the small pieces that pages share."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from projects.matrix_benchmarking.reports.drawing.panel import escape
from projects.matrix_benchmarking.reports.drawing.theme import DARK, LIGHT, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PLOTLY = "plotly.min.js"
"""The library beside the pages; without it the still pictures stay."""

STATES = {
    "regression": ("bad", "▼", "regression"),
    "improvement": ("good", "▲", "improvement"),
    "ok": ("quiet", "·", "ok"),
    "acknowledged": ("warn", "◆", "acknowledged"),
    "invalid": ("bad", "✘", "invalid"),
    "not comparable": ("warn", "≠", "not comparable"),
    "no history": ("quiet", "?", "no history"),
}
"""Class, mark and words of a judgement's status; a mark is never told by its colour alone."""


def page(
    title: str,
    body: Iterable[str],
    *,
    badge: tuple[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
    listed_as: str = "",
    plotly: bool = False,
) -> str:
    """Return a whole page: self-contained but for `plotly.min.js` beside it, if `plotly`.

    `badge` is (class, words) before the heading, `facts` are what stands below it, `listed_as` is
    what a list of pages calls it, if not its title. `body` is HTML; title and facts are text. A
    policy in the page allows no script but ours.
    """
    script, style = beside("page.js"), beside("page.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"'self' file: 'sha256-{digest}'" if plotly else "'none'"
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data: blob:; "
        f"script-src {scripts}"
    )
    mark = f'<span class="badge {badge[0]}">{escape(badge[1])}</span> ' if badge else ""
    said = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in (facts or {}).items()
        if value not in (None, "")
    )
    lines = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{escape(listed_as or title)}</title>\n<style>{style}</style>\n</head>\n<body>",
        f"<header>\n<h1>{mark}{escape(title)}</h1>",
        f"<dl>{said}</dl>" if said else "",
        "</header>\n<main>",
        *body,
        "</main>",
    ]
    if plotly:
        both = json_text({"light": template(LIGHT), "dark": template(DARK)})
        lines.append(f'<script type="application/json" id="looks">{both}</script>')
        lines.append(f'<script src="{PLOTLY}"></script>')
        lines.append(f"<script>{script}</script>")
    return "\n".join([*lines, "</body>\n</html>\n"])


def beside(name: str) -> str:
    """Return the text of a file of this folder."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()


def link(path: str) -> str:
    """Return a relative path as an attribute that links to it."""
    return escape(quote(path, safe="/#."))


def json_text(value: object) -> str:
    """Return JSON that can stand within a `<script>`; NaN and infinities become null."""
    text = json.dumps(_finite(value), ensure_ascii=True, separators=(",", ":"), default=str)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def state(status: str, words: str | None = None) -> str:
    """Return the mark of a judgement's status."""
    kind, mark, said = STATES.get(status, ("quiet", "·", status))
    return f'<span class="mark {kind}">{mark} {escape(words or said)}</span>'


def table(
    head: Sequence[str], rows: Iterable[str], *, numbers: Sequence[int] = (), caption: str = ""
) -> str:
    """Return a table that scrolls sideways by itself; `rows` are HTML, `head` is text.

    `numbers` are the columns that are aligned to the right.
    """
    cells = "".join(
        f'<th scope="col"{" class=number" if n in numbers else ""}>{escape(name)}</th>'
        for n, name in enumerate(head)
    )
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}">'
        f"<table>{said}<thead><tr>{cells}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def row(*cells: str, first: str, kind: str = "") -> str:
    """Return a row: `first` heads it, `cells` are HTML; a cell that begins with `=` is a number."""
    drawn = "".join(
        f'<td class="number">{cell[1:]}</td>' if cell.startswith("=") else f"<td>{cell}</td>"
        for cell in cells
    )
    return f'<tr{f" class={kind}" if kind else ""}><th scope="row">{first}</th>{drawn}</tr>'
