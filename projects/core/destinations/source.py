"""The tree that is exported: which files it has, and what each holds."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.destinations import manifest as manifests
from projects.core.destinations.folder import PARTIAL
from projects.core.destinations.manifest import File
from projects.core.errors import ExportRefused, UsageError, unreadable
from projects.core.secrets.masking import mask, registered
from projects.core.secrets.scan import BLOCK, Leak, Scanner, files_below, link_leak, scan_name

if TYPE_CHECKING:
    from collections.abc import Sequence


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
        if relative.split("/", 1)[0] == PARTIAL:
            continue
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


def examine(root: Path, path: str, *, scan: bool) -> tuple[File, Sequence[Leak]]:
    """Read a file once: return what the manifest says of it, and the secrets that it shows.

    What is appended to the file from now on doesn't belong to the export.
    """
    scanner = Scanner(mask(path), registered())
    digest = sha256()
    try:
        with open(root / path, "rb", buffering=0) as content:
            status = os.fstat(content.fileno())
            left = status.st_size
            while left and (block := content.read(min(left, BLOCK))):
                left -= len(block)
                digest.update(block)
                if scan:
                    scanner.feed(block)
    except OSError as error:
        raise unreadable(root / path, error) from None
    mtime = manifests.utc(datetime.fromtimestamp(status.st_mtime, UTC))
    file = File(path, status.st_size - left, digest.hexdigest(), mtime)
    return file, [*scan_name(path), *scanner.leaks.values()] if scan else []
