"""Contents on the disk, by their SHA-256; what is being sent lies beside until it is complete.

    blobs/ab/ab12…          a content, complete, flushed, never changed
    blobs/uploads/RUN/ab12… the beginning of one, on its way for one run

A content gets its name (link(2)) after it was flushed and compared with its hash, and loses that of
its upload after the database knows: killed between any two steps, sending goes on where it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unreadable
from projects.jobs.http.refusals import Absent, Invalid, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = 1 << 20
_WRITERS = 8
_PREFIXES = tuple(f"{number:02x}" for number in range(256))


class WrongOffset(Refusal):
    """What is sent doesn't begin where what is here ends; `Upload-Offset` says where that is."""

    http_status = 409


class Taken(UsageError):
    """Somebody else is at it."""

    http_status = 409


class Blobs:
    """The contents below a folder, which is made when it isn't there."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self._uploads = self.root / "uploads"
        with explained(self.root):
            self._uploads.mkdir(mode=0o700, parents=True, exist_ok=True)
            for prefix in _PREFIXES:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(self.root / prefix, 0o700)
            flush(self.root)

    def path(self, digest: bytes) -> str:
        """Return where a content is, or would be."""
        name = digest.hex()
        return f"{self.root}/{name[:2]}/{name}"

    def size(self, digest: bytes) -> int | None:
        """Return the size of a content; None: it isn't here."""
        try:
            return os.stat(self.path(digest)).st_size
        except FileNotFoundError:
            return None

    def open(self, digest: bytes) -> int:
        """Return a descriptor to read a content; Absent if it isn't here."""
        try:
            return os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Absent("the content of this file has gone meanwhile") from None

    def offset(self, run: str, digest: bytes) -> int:
        """Return how much of a content has come for a run."""
        try:
            return os.stat(self._uploads / run / digest.hex()).st_size
        except FileNotFoundError:
            return 0

    def receive(self, run: str, digest: bytes, size: int, offset: int) -> Upload:
        """Return what takes a content from `offset` on; Taken, WrongOffset if it can't go on so."""
        path = self._uploads / run / digest.hex()
        with explained(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            return Upload(str(path), self.path(digest), digest, size, offset)

    def add(self, run: str, contents: Mapping[bytes, bytes]) -> None:
        """Keep small contents, which were compared with their hashes; then they are on the disk."""
        folder = self._uploads / run
        with explained(self.root):
            folder.mkdir(mode=0o700, exist_ok=True)
            with ThreadPoolExecutor(_WRITERS) as pool:
                places = set(
                    pool.map(lambda one: self._add(folder, *one), contents.items(), chunksize=16)
                )
                for _ in pool.map(flush, places):
                    pass

    def _add(self, folder: Path, digest: bytes, content: bytes) -> Path:
        path = self.path(digest)
        place = Path(path).parent
        if self.size(digest) != len(content):
            try:
                _place(folder, content, path)
            except FileNotFoundError:  # the run was finished or removed: its folder is given up
                folder.mkdir(mode=0o700, exist_ok=True)
                _place(folder, content, path)
        return place

    def received(self, run: str, digest: bytes) -> None:
        """Forget an upload that the database knows to be complete."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._uploads / run / digest.hex())

    def give_up(self, run: str) -> None:
        """Remove what has come for a run and was not needed."""
        shutil.rmtree(self._uploads / run, ignore_errors=True)

    def uploads(self) -> list[str]:
        """Return the runs that something has come for."""
        return os.listdir(self._uploads)

    def walk(self) -> Iterator[list[bytes]]:
        """Yield the contents that are here, a folder at a time."""
        for prefix in _PREFIXES:
            found = []
            for name in os.listdir(self.root / prefix):
                with contextlib.suppress(ValueError):
                    found.append(bytes.fromhex(name))
            yield found

    def remove(self, digest: bytes) -> int:
        """Remove a content that nobody names; return its bytes."""
        size = self.size(digest) or 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(digest))
        return size


class Upload:
    """A content that comes piece by piece; nobody else may send it for this run meanwhile."""

    def __init__(self, path: str, target: str, digest: bytes, size: int, offset: int) -> None:
        self._path, self._target, self._digest, self._size = path, target, digest, size
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        try:
            self._lock()
            self.at = os.fstat(self._descriptor).st_size
            if offset != self.at:
                raise WrongOffset(
                    f"{self.at} bytes of it are here, not {offset}",
                    headers={"Upload-Offset": str(self.at)},
                )
            self._sum = sha256()
            self._add_what_is_here()
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.stat(self._path).st_ino == os.fstat(self._descriptor).st_ino
        except (BlockingIOError, FileNotFoundError):
            same = False
        if not same:
            raise Taken("this content is being sent by another call; ask again how much is here")

    def _add_what_is_here(self) -> None:
        at = 0
        while block := os.pread(self._descriptor, BLOCK, at):
            self._sum.update(block)
            at += len(block)
        os.lseek(self._descriptor, at, os.SEEK_SET)

    @property
    def is_complete(self) -> bool:
        """Whether as many bytes are here as it has."""
        return self.at == self._size

    def write(self, data: bytes) -> None:
        """Take what comes next; Invalid if that is more than it has."""
        if self.at + len(data) > self._size:
            raise Invalid(f"more bytes came than the {self._size} that it was said to have")
        with explained(self._path):
            _write(self._descriptor, data)
        self._sum.update(data)
        self.at += len(data)

    def finish(self) -> None:
        """Give the content its name, once it is on the disk.

        Raises
        ------
        Invalid
            It is another one, which is thrown away: it is sent again from its beginning.
        Taken
            What had come was given up: the run was removed, or finished by another call.
        """
        with explained(self._path):
            if self._sum.digest() != self._digest:
                os.unlink(self._path)
                raise Invalid(
                    f"what came has the sha256 {self._sum.hexdigest()}, not {self._digest.hex()};"
                    " it was thrown away"
                )
            os.fsync(self._descriptor)
            try:
                os.link(self._path, self._target)
            except FileExistsError:
                if os.stat(self._target).st_size != self._size:  # a disk has lost part of it
                    os.replace(self._path, self._target)
            except FileNotFoundError:
                raise Taken(
                    "what came was given up meanwhile; ask again how much is here"
                ) from None
            flush(os.path.dirname(self._target))

    def close(self) -> None:
        """Let others go on with it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@contextlib.contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Say what the system refused, and where."""
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error


def flush(path: Path | str) -> None:
    """Have the disk keep a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(folder: Path, content: bytes, path: str) -> None:
    beside = f"{folder}/.{secrets.token_hex(8)}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        _write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(beside, path)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
