"""Files that others made, sent so that a browser never runs them as the hub's own."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING
from urllib.parse import quote

from projects.jobs.http.files import ranged

if TYPE_CHECKING:
    from starlette.responses import Response

    from projects.jobs.http.files import OpenFile

SANDBOX = (
    "sandbox allow-scripts; default-src 'self' 'unsafe-inline' data: blob:; connect-src 'none';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""An origin of its own: no cookies, no storage, no requests, nobody else's frame."""

_IMAGES = frozenset(("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"))
_PAGES = frozenset(("text/html",))
_TEXTS = frozenset(("application/json", "application/x-sh", "application/xml", "application/toml"))
_TEXT_ENDINGS = (".log", ".yaml", ".yml", ".jsonl", ".toml", ".ini", ".conf", ".md", ".url", ".j2")
_NO_ENDING = frozenset(
    ("FAILURE", "FAILURES", "FINISHED", "SKIPPED", "presets_applied", "exit_code", "source_url")
)


def media_of(path: str) -> str:
    """Return as what a file is shown: an image, a page, plain text, or bytes to be saved."""
    name = path.rpartition("/")[2]
    kind = mimetypes.guess_type(name, strict=False)
    guess = "" if kind[1] else kind[0] or ""
    if guess in _IMAGES:
        return guess
    if guess in _PAGES:
        return f"{guess}; charset=utf-8"
    is_text = guess.startswith("text/") or guess in _TEXTS
    if is_text or name in _NO_ENDING or name.endswith(_TEXT_ENDINGS):
        return "text/plain; charset=utf-8"
    return "application/octet-stream"


def headers_for(path: str, *, inline: bool) -> dict[str, str]:
    """Return the headers of an answer with a file that others made; every such answer has them."""
    name = path.rpartition("/")[2].encode("utf-8", "surrogateescape")
    how = "inline" if inline and media_of(path) != "application/octet-stream" else "attachment"
    return {
        "Content-Security-Policy": SANDBOX,
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "SAMEORIGIN",
        "Referrer-Policy": "no-referrer",
    }


def send(file: OpenFile, path: str, asked: str | None, *, inline: bool) -> Response:
    """Return the answer with a file, or the part in `asked` (the header `Range`)."""
    media = media_of(path) if inline else "application/octet-stream"
    return ranged(file, asked, media, headers_for(path, inline=inline))
