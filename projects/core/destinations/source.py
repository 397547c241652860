"""The tree that is exported: which files it has, and what each holds."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.artifacts.directory import COUNTER
from projects.core.destinations import manifest as manifests
from projects.core.destinations.folder import PARTIAL
from projects.core.destinations.manifest import File
from projects.core.errors import ExportRefused, UsageError, unreadable
from projects.core.secrets.masking import mask, registered
from projects.core.secrets.scan import (
    BLOCK,
    Leak,
    Scanner,
    files_below,
    is_packed,
    link_leak,
    scan_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

SMALL = 64 * 1024
MOST_HELD = 1024 * 1024
"""Bytes of a small file, and of those that are searched together."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is below a root: `files` by their paths, `notes` on what is left out and why."""

    files: tuple[str, ...]
    notes: tuple[str, ...]
    links_outside: tuple[Leak, ...]


def survey(root: Path) -> Survey:
    """Return what is below `root`.

    A link to a file inside `root` is that file again; a link to a directory inside is left out, as
    what it holds is there under its own name. Pipes, sockets and devices are left out.

    Errors
    ------
    UsageError
        `root` is no directory.
    ExportRefused
        A file of the source has a name that exports need for themselves.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is no directory that could be exported")
    real_root = os.path.realpath(root)
    files: list[str] = []
    notes: list[str] = []
    outside: list[Leak] = []
    for relative in files_below(root):
        if relative.split("/", 1)[0] == PARTIAL or os.path.basename(relative) == COUNTER:
            continue  # what we ourselves count and copy by
        path = os.path.join(real_root, relative)
        if leaks := link_leak(real_root, relative) if os.path.islink(path) else []:
            outside += leaks
        elif left_out := _reason_to_leave_out(path):
            notes.append(f"{mask(relative)!r} is left out: {left_out}")
        elif relative == manifests.NAME:
            _refuse_foreign_manifest(path)
            notes.append(f"{relative!r} is left out: it is the manifest of another export")
        else:
            files.append(relative)
    return Survey(tuple(files), tuple(notes), tuple(outside))


def _reason_to_leave_out(path: str) -> str:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "it links to nothing"
    except OSError as error:
        raise unreadable(path, error) from None
    if stat.S_ISREG(mode):
        return ""
    if stat.S_ISDIR(mode):
        return "it links to a directory, which is exported under its own name"
    kinds = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket"}
    return f"it is a {kinds.get(stat.S_IFMT(mode), 'device')}"


def _refuse_foreign_manifest(path: str) -> None:
    try:
        manifests.loads(Path(path).read_bytes(), path)
    except ExportRefused:
        raise ExportRefused(
            f"{path} has the name of the manifest that an export adds; give it another name"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from None


def examine(
    root: Path, path: str, *, scan: bool, part_size: Callable[[int], int] = lambda _: 0
) -> tuple[File, Sequence[Leak]]:
    """Read a file once: return what the manifest says of it, and the secrets that it shows.

    `part_size` says in what pieces a file of a size is sent, 0 for as a whole: their hashes are
    taken on the way. What is appended to the file from now on doesn't belong to the export.
    """
    scanner = Scanner(mask(path), registered())
    digest = sha256()
    with _opened(root, path) as content:
        status = os.fstat(content.fileno())
        left = status.st_size
        part = part_size(left) or max(left, 1)
        parts = [sha256()] if part < left else []
        room = part
        while left and (block := content.read(min(left, room, BLOCK))):
            left -= len(block)
            room -= len(block)
            digest.update(block)
            if parts:
                parts[-1].update(block)
            if scan:
                scanner.feed(block)
            if room == 0 and left:
                parts.append(sha256())
                room = part
    file = File(
        path,
        status.st_size - left,
        digest.hexdigest(),
        manifests.mtime_of(status),
        tuple(one.hexdigest() for one in parts),
    )
    return file, [*scan_name(path), *scanner.leaks.values()] if scan else []


def examine_all(
    root: Path, paths: Sequence[str], *, scan: bool, part_size: Callable[[int], int]
) -> list[tuple[File, Sequence[Leak]]]:
    """Examine each file; small ones are searched together, as beginning costs more than they do."""
    examined: list[tuple[File, Sequence[Leak]]] = []
    small: list[tuple[File, bytes]] = []
    held = 0
    for path in paths:
        with _opened(root, path) as content:
            status = os.fstat(content.fileno())
            body = read_first(content, status.st_size) if status.st_size <= SMALL else None
        if body is None:
            examined.append(examine(root, path, scan=scan, part_size=part_size))
            continue
        mtime = manifests.mtime_of(status)
        small.append((File(path, len(body), sha256(body).hexdigest(), mtime), body))
        held += len(body)
        if held >= MOST_HELD:
            examined += _searched(small, scan=scan)
            small.clear()
            held = 0
    return [*examined, *_searched(small, scan=scan)]


def read_first(content: FileIO, size: int) -> bytes:
    """Return the first `size` bytes, or less if the file has less."""
    body = content.read(size)
    while len(body) < size and (more := content.read(size - len(body))):
        body += more
    return body


def _searched(
    small: Sequence[tuple[File, bytes]], *, scan: bool
) -> list[tuple[File, Sequence[Leak]]]:
    if not scan or not _shows_any(small):
        return [(file, ()) for file, _ in small]
    return [(file, [*scan_name(file.path), *_scan_body(file.path, body)]) for file, body in small]


def _shows_any(small: Sequence[tuple[File, bytes]]) -> bool:
    """Tell whether one of the files or names may show a secret; what is in gzip may."""
    names = [os.fsencode(file.path) for file, _ in small]
    bodies = [body for _, body in small]
    # What is found alone is found among others too: nothing goes on across a NUL that didn't.
    return any(map(is_packed, bodies)) or bool(registered().find(b"\0".join([*names, *bodies])))


def _scan_body(path: str, body: bytes) -> Iterable[Leak]:
    scanner = Scanner(mask(path), registered())
    scanner.feed(body)
    return scanner.leaks.values()


@contextlib.contextmanager
def _opened(root: Path, path: str) -> Iterator[FileIO]:
    try:
        with FileIO(os.path.join(root, path)) as content:
            yield content
    except OSError as error:
        raise unreadable(root / path, error) from None
