"""The link `latest` in the words of a call: the run before it, not the one that it becomes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LATEST = "latest"
_FILE = "file://"


def pinned(words: Iterable[str], base: str | os.PathLike[str]) -> list[str]:
    """Return the words, `BASE/latest` replaced by the run directory that it leads to now.

    A call that makes a run moves the link to it before anything could follow the link. The words
    are paths, also below the link, `--flag=PATH`, `key=PATH` and `file://PATH`.
    """
    try:
        run = os.path.basename(os.readlink(os.path.join(base, LATEST)))
    except OSError:  # no run yet, or a file system without links
        return list(words)
    top = os.path.realpath(base)
    return [_pinned(word, top, run) for word in words]


def _pinned(word: str, top: str, run: str) -> str:
    path = word.rpartition("=")[2].removeprefix(_FILE)
    parts = path.split("/")
    for place, part in enumerate(parts):
        if place and part == LATEST and os.path.realpath("/".join(parts[:place]) or "/") == top:
            return word.removesuffix(path) + "/".join([*parts[:place], run, *parts[place + 1 :]])
    return word
