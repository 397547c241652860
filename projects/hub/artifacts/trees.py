"""The files of a run or of a job, wherever they are: listed a page at a time, opened, walked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from projects.core.artifacts.directory import COUNTER
from projects.hub.artifacts import records, rules
from projects.jobs.http.files import OpenFile, open_inside
from projects.jobs.http.refusals import Absent
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects.hub.artifacts.artifacts import Artifacts
    from projects.hub.artifacts.values import File, Run

MOST_LISTED = 1000
_SCANNED = 500
_AFTER_SLASH = b"0"  # the byte after "/": what is below a folder sorts before it


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder; `modified` in µs, 0 and no size for folders whose files aren't looked at.

    Paths and names are text; bytes that are no UTF-8 are lone surrogates (PEP 383).
    """

    path: str
    is_folder: bool
    size: int = 0
    modified: int = 0

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Tree(Protocol):
    """Files by their paths; Absent for what isn't there, or isn't inside."""

    def page(self, below: str, after: str, limit: int) -> list[Entry]:
        """Return what is in the folder `below` ("" for the top) behind the name `after`."""

    def open(self, path: str) -> OpenFile:
        """Return a file, open for reading."""

    def walk(self) -> Iterator[Entry]:
        """Yield all files."""


class ManifestTree:
    """The files of a published run, as its manifest lists them; of a draft, what has come."""

    def __init__(self, artifacts: Artifacts, run: Run, *, draft: bool = False) -> None:
        tree = run.draft if draft else run.tree
        if tree is None:
            raise Absent(f"the run {run.id} is not complete")
        self._artifacts = artifacts
        self._tree = tree

    def page(self, below: str, after: str, limit: int) -> list[Entry]:
        """Return what is in a folder; what is deeper is passed over, not read."""
        folder = _bytes_of(below) + b"/" if below else b""
        start = folder
        end = folder[:-1] + _AFTER_SLASH if folder else None
        found: list[Entry] = []
        limit = min(limit, MOST_LISTED)
        shown = b""
        with self._artifacts.database.read() as connection:
            if after:
                last_shown = folder + _bytes_of(after)
                inside = last_shown + b"/", last_shown + _AFTER_SLASH
                is_folder = records.files_from(connection, self._tree, *inside, 1)
                start = inside[1] if is_folder else last_shown + b"\0"
            while len(found) < limit:
                some = records.files_from(connection, self._tree, start, end, _SCANNED)
                for file in some:
                    name, slash, _ = file.path[len(folder) :].partition(b"/")
                    start = file.path + b"\0"
                    if not slash:
                        found.append(_entry(file))
                    elif name + slash != shown:
                        shown = name + slash
                        found.append(Entry(_text(folder + name), is_folder=True))
                    if len(found) == limit:
                        break
                if len(some) < _SCANNED:
                    break
                last = some[-1].path[len(folder) :].partition(b"/")
                if last[1]:  # the rest of a folder, which may be large, is skipped
                    start = max(start, folder + last[0] + _AFTER_SLASH)
        if not found and below and not after:
            raise Absent(f"the run has no folder {below[:200]!r}")
        return found

    def open(self, path: str) -> OpenFile:
        """Return a file, open for reading."""
        file = self.file(path)
        descriptor = self._artifacts.blobs.open(file.sha256)
        return OpenFile(descriptor, file.size, file.mtime / moment.SECOND)

    def file(self, path: str) -> File:
        """Return what the manifest says of a file."""
        with self._artifacts.database.read() as connection:
            found = records.file_at(connection, self._tree, _bytes_of(path))
        if found is None:
            raise Absent(f"the run has no file {path[:200]!r}")
        return found

    def walk(self) -> Iterator[Entry]:
        """Yield all files by path; Absent if they go before all were given."""
        start = b""
        while True:
            with self._artifacts.database.read() as connection:
                some = records.files_from(connection, self._tree, start, None, _SCANNED)
                if len(some) < _SCANNED and not records.has_tree(connection, self._tree):
                    raise Absent("the run was removed or replaced meanwhile")
            yield from map(_entry, some)
            if len(some) < _SCANNED:
                return
            start = some[-1].path + b"\0"


class DirectoryTree:
    """The regular files below a folder of this machine; links are not shown."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)

    def page(self, below: str, after: str, limit: int) -> list[Entry]:
        """Return what is in a folder."""
        found = [
            entry for entry in self._folder(below) if not after or _key(entry.name) > _key(after)
        ]
        return found[: min(limit, MOST_LISTED)]

    def open(self, path: str) -> OpenFile:
        """Return a file, open for reading; links that stay inside are followed."""
        _bytes_of(path)
        return open_inside(self.root, path)

    def walk(self) -> Iterator[Entry]:
        """Yield all files."""
        stack = [""]
        while stack:
            try:
                entries = self._folder(stack.pop())
            except Absent:
                continue  # it has gone meanwhile
            yield from (entry for entry in entries if not entry.is_folder)
            stack += [entry.path for entry in reversed(entries) if entry.is_folder]

    def _folder(self, below: str) -> list[Entry]:
        try:
            descriptor = self._open_folder(_bytes_of(below).split(b"/") if below else [])
        except OSError:
            raise Absent(f"there is no folder {below[:200]!r}") from None
        found = []
        try:
            with os.scandir(descriptor) as entries:
                for one in entries:
                    path = f"{below}/{one.name}" if below else one.name
                    if one.is_dir(follow_symlinks=False):
                        found.append(Entry(path, is_folder=True))
                    elif one.name != COUNTER and one.is_file(follow_symlinks=False):
                        status = one.stat(follow_symlinks=False)
                        modified = status.st_mtime_ns // 1000
                        found.append(Entry(path, False, status.st_size, modified))
        finally:
            os.close(descriptor)
        return sorted(found, key=lambda entry: _key(entry.name))

    def _open_folder(self, names: list[bytes]) -> int:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        at = os.open(self.root, flags)
        for name in names:
            try:
                below = os.open(name, flags, dir_fd=at)
            finally:
                os.close(at)
            at = below
        return at


def _entry(file: File) -> Entry:
    return Entry(file.name, False, file.size, file.mtime)


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _bytes_of(path: str) -> bytes:
    try:
        return rules.path_of(path)
    except ValueError:
        raise Absent(f"there is no file {path[:200]!r}") from None
