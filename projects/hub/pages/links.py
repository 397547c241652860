"""Where a page in a frame leads to: the frame has no session, so the hub's page has its links."""

from __future__ import annotations

import os
import posixpath
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from projects.jobs.http.refusals import Absent

if TYPE_CHECKING:
    from projects.hub.artifacts.trees import ManifestTree
    from projects.jobs.http.files import OpenFile

MOST_BYTES = 256 << 10
"""Bytes of a page in which links are looked for."""

MOST_LINKS = 40
_LONGEST = 80


def of_file(tree: ManifestTree, path: str, file: OpenFile) -> list[tuple[str, str]]:
    """Return text and path of the links of a page to other files of its run."""
    reader = _Reader()
    reader.feed(os.pread(file.descriptor, MOST_BYTES, 0).decode("utf-8", "replace"))
    found: dict[str, str] = {}
    for text, href in reader.links:
        to = inside(path, href)
        if to and to != path and to not in found and len(found) < MOST_LINKS and _is_file(tree, to):
            found[to] = " ".join(text.split())[:_LONGEST] or to
    return [(text, to) for to, text in found.items()]


def inside(path: str, href: str) -> str:
    """Return the path in a run that a link on the page at `path` leads to; empty: elsewhere."""
    try:
        parts = urlsplit(href)
    except ValueError:  # whatever somebody wrote
        return ""
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return ""
    to = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(parts.path)))
    return "" if to.startswith("..") or to == "." else to


def _is_file(tree: ManifestTree, path: str) -> bool:
    try:
        tree.file(path)
    except Absent:
        return False
    return True


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self._href = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._href, self._text = dict(attrs).get("href") or "", []

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href:
            self.links.append(("".join(self._text), self._href))
            self._href = ""
