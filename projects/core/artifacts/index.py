"""The page that lists the reports of a run by their titles, and the files at its top."""

from __future__ import annotations

import html
import os
import re
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

NAME = "reports_index.html"
MOST_PAGES = 2000
"""Further pages are only counted."""

_HEAD_BYTES = 64 * 1024  # a title stands at the beginning of a page
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)

_STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--card:#fff;--ink:#1d2329;--soft:#5c6670;
--line:#e2e0db;--accent:#0b62a8}
@media (prefers-color-scheme:dark){:root{--paper:#14171a;--card:#1b1f23;--ink:#e4e7ea;
--soft:#98a2ac;--line:#2e343a;--accent:#6cb4f0}}
body{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem;background:var(--paper);
color:var(--ink);font:.875rem/1.5 system-ui,"DejaVu Sans",sans-serif}
h1{font-size:1.5rem;overflow-wrap:anywhere}h2{margin:1.75rem 0 .6rem;font-size:1rem}
h3{margin:1rem 0 .3rem;color:var(--soft);font-size:.8125rem;font-weight:500}
ul{margin:0;padding:0;list-style:none;background:var(--card);border:1px solid var(--line);
border-radius:8px}
li{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:.4rem .9rem;border-bottom:1px solid
var(--line);overflow-wrap:anywhere}
li:last-child{border:0}li small{margin-left:auto;color:var(--soft)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
"""


def index(root: Path) -> str:
    """Return the page: every HTML page below `root` with its `<title>`, by directory; then files.

    Pages are searched in the order of their directories' names. Links are relative.
    """
    pages = list(_pages(root))
    files = sorted(entry.name for entry in os.scandir(root) if not entry.name.startswith("."))
    listed = {path for path in pages if "/" not in path}
    others = [name for name in files if name not in listed and name != NAME]
    body = []
    for folder, paths in groupby(pages[:MOST_PAGES], key=os.path.dirname):
        if folder:
            body.append(f"<h3>{html.escape(folder)}</h3>")
        body.append(_list([(path, _title(root / path), os.path.basename(path)) for path in paths]))
    if len(pages) > MOST_PAGES:
        body.append(f"<p>and {len(pages) - MOST_PAGES} more</p>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Reports of {html.escape(root.name)}</title><style>{_STYLE}</style>"
        f"<h1>{html.escape(root.name)}</h1><h2>Reports</h2>{''.join(body) or '<p>none</p>'}"
        f"<h2>Files</h2>{_list([(name, name, '') for name in others])}</html>\n"
    )


def _pages(root: Path) -> list[str]:
    """Return the pages below `root`: those of a directory together, those at the top first."""
    found = [
        os.path.relpath(os.path.join(folder, name), root)
        for folder, _, names in os.walk(root)
        for name in names
        if name.endswith(".html") and name != NAME
    ]
    return sorted(found, key=lambda path: (os.path.dirname(path), path))


def _title(path: Path) -> str:
    """Return the title of a page, or its name."""
    try:
        with path.open("rb") as file:
            found = _TITLE.search(file.read(_HEAD_BYTES))
    except OSError:
        return path.name
    title = found[1].decode("utf-8", "replace") if found else ""
    return " ".join(html.unescape(title).split()) or path.name


def _list(items: list[tuple[str, str, str]]) -> str:
    lines = (
        f'<li><a href="{quote(path)}">{html.escape(title)}</a>'
        f"{f'<small>{html.escape(name)}</small>' if name and name != title else ''}"
        for path, title, name in items
    )
    return f"<ul>{''.join(lines)}</ul>"
