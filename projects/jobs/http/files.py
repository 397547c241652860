"""Files that jobs left: found inside their directory, sent in ranges, never run by a browser."""

from __future__ import annotations

import mimetypes
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from projects.core.artifacts.directory import COUNTER
from projects.jobs.http.refusals import Absent, BadRange
from projects.jobs.model import moment
from projects.jobs.model.entities import Artifact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CHUNK = 256 << 10
MOST_LISTED = 10_000
MOST_TAIL = 4 << 20
"""So many bytes from the end are searched for lines."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")
_PLAIN = frozenset(("text/plain", "text/csv", "application/json", "image/png", "image/jpeg"))
"""What is said to be what it is; everything else is bytes."""

_SANDBOX = "sandbox; default-src 'none'"


@dataclass(slots=True)
class OpenFile:
    """A regular file, open for reading; size in bytes when it was opened."""

    descriptor: int
    size: int
    modified: float

    def close(self) -> None:
        """Close it, once."""
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def open_inside(root: str | os.PathLike[str], path: str) -> OpenFile:
    """Open the file `path` below `root`; links that stay below it are followed.

    Raises
    ------
    Absent
        There is no such regular file inside; what is outside doesn't exist.
    """
    top = os.path.realpath(root)
    try:
        real = os.path.realpath(os.path.join(top, path))
        inside = os.path.relpath(real, top)
        if os.path.isabs(path) or inside.split(os.sep, 1)[0] in (os.pardir, os.curdir):
            raise _absent(path)
        return _open_steps(top, inside.split(os.sep))
    except (OSError, ValueError):  # ValueError: a NUL in the name
        raise _absent(path) from None


def _open_steps(top: str, names: list[str]) -> OpenFile:
    """Open by single names without links: what is put in the way meanwhile isn't followed."""
    at = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(name, flags, dir_fd=at)
            os.close(at)
            at = below
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe can't hold us
        descriptor = os.open(names[-1], flags, dir_fd=at)
    finally:
        os.close(at)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _absent(names[-1])
    return OpenFile(descriptor, status.st_size, status.st_mtime)


def _absent(path: str) -> Absent:
    return Absent(f"the job has no file {path[:200]!r}")


def listing(root: str | os.PathLike[str]) -> tuple[list[Artifact], bool]:
    """Return the regular files below `root` by path, at most `MOST_LISTED`, and if that is all.

    Links are left out: what they lead to is listed in its own place, or isn't the job's.
    """
    found: list[Artifact] = []
    for artifact in _walk(os.fspath(root)):
        if len(found) == MOST_LISTED:
            return found, False
        found.append(artifact)
    return found, True


def _walk(root: str) -> Iterator[Artifact]:
    """Yield the files by path; without recursion, since a job may nest folders by the thousand."""
    waiting = [""]
    while waiting:
        path = waiting.pop()
        whole = os.path.join(root, path)
        try:
            status = os.lstat(whole) if path else os.stat(whole)
            if stat.S_ISDIR(status.st_mode):
                names = sorted(os.listdir(whole), reverse=True)
                waiting += [os.path.join(path, name) for name in names if name != COUNTER]
            elif stat.S_ISREG(status.st_mode):
                modified = int(status.st_mtime * moment.SECOND)
                # A name of bytes that are no text is shown, though it can't be asked for.
                shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
                yield Artifact(shown, status.st_size, modified)
        except OSError:
            continue  # it has gone meanwhile, or its path is too long to be asked for


def attachment(file: OpenFile, path: str, asked: str | None) -> Response:
    """Return the answer that sends `file` as a download; `asked` is the `Range` header."""
    said = attached(path)
    media = said.pop("Content-Type")
    return ranged(file, asked, media, {**said, "Content-Security-Policy": _SANDBOX})


def attached(path: str) -> dict[str, str]:
    """Return the headers by which a browser keeps a file, and doesn't show it."""
    kind = mimetypes.guess_type(path)[0] or ""
    name = quote(os.path.basename(path), safe="")
    return {
        "Content-Type": kind if kind in _PLAIN else "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
    }


def text(file: OpenFile, asked: str | None) -> Response:
    """Return the answer that sends `file` as plain text; `asked` is the `Range` header."""
    headers = {"Content-Security-Policy": _SANDBOX}
    return ranged(file, asked, "text/plain; charset=utf-8", headers)


def text_from(file: OpenFile, start: int) -> Response:
    """Return the answer that sends `file` from byte `start` on, as plain text."""
    headers = {"Content-Security-Policy": _SANDBOX, "Content-Length": str(file.size - start)}
    return StreamingResponse(
        _Sent(file, start, file.size), headers=headers, media_type="text/plain; charset=utf-8"
    )


def ranged(file: OpenFile, asked: str | None, media: str, headers: dict[str, str]) -> Response:
    """Return the answer that sends `file` or the part in `asked`, closed afterwards."""
    try:
        part = range_of(asked, file.size)
    except BadRange:
        file.close()
        raise
    start, end = part or (0, file.size)
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(end - start)}
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    status = 206 if part else 200
    return StreamingResponse(_Sent(file, start, end), status, headers=headers, media_type=media)


def range_of(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return begin and end (exclusive) of a `Range` header; None: all of it.

    Several ranges, or another unit, count as none, as RFC 9110 §14.2 lets us.

    Raises
    ------
    BadRange
        It begins behind the end; the answer carries the size.
    """
    match = _RANGE.match(asked.strip()) if asked else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1 if last else size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise BadRange(f"the file has {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return start, end


class _Sent:
    """The bytes from `start` to `end`, in chunks; closes the file, whoever stops first."""

    def __init__(self, file: OpenFile, start: int, end: int) -> None:
        self._file, self._at, self._end = file, start, end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while self._at < self._end:
                size = min(CHUNK, self._end - self._at)
                data = await run_in_threadpool(os.pread, self._file.descriptor, size, self._at)
                if not data:  # it was cut meanwhile: the connection breaks, and that says so
                    raise OSError("the file has become shorter while it was sent")
                self._at += len(data)
                yield data
        finally:
            self._file.close()

    def __del__(self) -> None:
        self._file.close()


def tail_start(file: OpenFile, lines: int) -> int:
    """Return where the last `lines` lines begin; of very long ones only what `MOST_TAIL` covers."""
    if lines <= 0:
        return file.size
    at, wanted = file.size, lines
    bound = max(0, file.size - MOST_TAIL)
    # The line break that ends the file ends its last line; it begins none.
    if at and os.pread(file.descriptor, 1, at - 1) == b"\n":
        at -= 1
    while at > bound:
        start = max(bound, at - CHUNK)
        data = os.pread(file.descriptor, at - start, start)
        breaks = data.count(b"\n")
        if breaks >= wanted:
            position = len(data)
            for _ in range(wanted):
                position = data.rindex(b"\n", 0, position)
            return start + position + 1
        wanted -= breaks
        at = start
    return bound
