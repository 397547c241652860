"""A folder as the destination of an export."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import stat
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from projects.core.destinations import manifest as manifests
from projects.core.errors import InfrastructureError, UsageError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.destinations.manifest import File, Manifest

PARTIAL = ".topgallant-export"
"""The directory of files that are not complete; it is removed at the end and at the next begin."""

_BLOCK = 1024 * 1024


class Folder:
    """Files below `root`, which is made when it isn't there.

    A file is written into PARTIAL, read back, compared and renamed. `finish` flushes files and
    directories to the disk before it writes the manifest, so a manifest says that all is there,
    even after a power failure.
    """

    workers = 8
    overwrites = True

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self._numbers = itertools.count()
        self._unflushed: set[str] = set()

    @property
    def address(self) -> str:
        """The absolute path of the folder."""
        return str(self.root)

    def part_size(self, size: int) -> int:  # noqa: ARG002
        """Return 0: files are copied as a whole."""
        return 0

    def refuse_source(self, root: Path) -> None:
        """Raise UsageError if `root` and the folder are one, or one is inside the other."""
        source, here = os.path.realpath(root), os.path.realpath(self.root)
        if os.path.commonpath([source, here]) in {source, here}:
            raise UsageError(f"cannot export {root} to {self.root}: one is inside the other")

    @contextlib.contextmanager
    def reserve(self) -> Iterator[None]:
        """Make the folder and lock it; the lock ends with the process, however that ends."""
        with self._explained(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InfrastructureError(f"{self.root}: another export to it is on") from None
            partial = self.root / PARTIAL
            with self._explained(partial):
                shutil.rmtree(partial, ignore_errors=True)
                partial.mkdir(exist_ok=True)
            try:
                yield
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        finally:
            os.close(lock)

    def expect(self, manifest: Manifest) -> None:
        """Do nothing: each file is looked at by itself."""

    def read_manifest(self) -> Manifest | None:
        """Return the manifest, or None without one."""
        path = self.root / manifests.NAME
        with self._explained(path):
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                return None
        return manifests.loads(text, str(path))

    def withdraw_manifest(self) -> None:
        """Remove the manifest and make sure that it is gone."""
        with self._explained(self.root):
            (self.root / manifests.NAME).unlink(missing_ok=True)
            _flush(self.root)

    def sizes(self) -> dict[str, int]:
        """Return the size of every regular file."""
        found: dict[str, int] = {}
        with self._explained(self.root):
            self._collect_sizes("", found)
        found.pop(manifests.NAME, None)
        return found

    def _collect_sizes(self, below: str, found: dict[str, int]) -> None:
        with os.scandir(self.root / below) as entries:
            for entry in entries:
                path = below + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if path != PARTIAL:
                        self._collect_sizes(path + "/", found)
                elif entry.is_file(follow_symlinks=False):
                    found[path] = entry.stat(follow_symlinks=False).st_size

    def holds(self, file: File) -> bool:
        """Tell whether exactly this content is here, by reading it."""
        path = self.root / file.path
        with self._explained(path):
            try:
                status = path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
                return False
            with path.open("rb") as content:
                same = file_digest(content, "sha256").hexdigest() == file.sha256
        if same:
            self._unflushed.add(file.path)
        return same

    def put(self, file: File, source: Path) -> bool:
        """Copy the content with its permissions and modification time; False if it changed."""
        partial = self.root / PARTIAL / str(next(self._numbers))
        try:
            original = source.open("rb")
        except OSError as error:
            raise unreadable(source, error) from None
        path = self.root / file.path
        with original, self._explained(path):
            try:
                if _copied(original, partial, file.size) != file.sha256:
                    return False
                status = os.fstat(original.fileno())
                partial.chmod(status.st_mode & 0o777)
                os.utime(partial, ns=(status.st_atime_ns, status.st_mtime_ns))
                path.parent.mkdir(parents=True, exist_ok=True)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        self._unflushed.add(file.path)
        return True

    def open_file(self, path: str) -> BinaryIO:
        """Return the content of a stored file."""
        with self._explained(self.root / path):
            return (self.root / path).open("rb")

    def finish(self, manifest: Manifest) -> None:
        """Flush what was put or held and the directories, then write the manifest and flush it."""
        from concurrent.futures import ThreadPoolExecutor

        paths = [self.root / path for path in self._unflushed]
        directories = {self.root}
        for path in paths:
            directories.update(p for p in path.parents if p.is_relative_to(self.root))
        with self._explained(self.root):
            with ThreadPoolExecutor(self.workers) as pool:
                for _ in pool.map(_flush, [*paths, *directories]):
                    pass
            partial = self.root / PARTIAL / manifests.NAME
            partial.write_text(manifests.dumps(manifest), "ascii")
            _flush(partial)
            partial.replace(self.root / manifests.NAME)
            _flush(self.root)
        self._unflushed.clear()

    @contextlib.contextmanager
    def _explained(self, path: Path) -> Iterator[None]:
        """Say what the system refused, and where."""
        try:
            yield
        except OSError as error:
            refused = str(error.filename2 or error.filename or path)
            raise unreadable(path if PARTIAL in refused else refused, error) from None


def _copied(original: BinaryIO, path: Path, size: int) -> str:
    """Write the first `size` bytes of `original` and return the sha256 of what can be read back."""
    left = size
    with path.open("x+b", buffering=0) as copy:
        while left and (block := original.read(min(left, _BLOCK))):
            left -= len(block)
            rest = memoryview(block)
            while rest:
                rest = rest[copy.write(rest) :]
        copy.seek(0)
        return file_digest(copy, sha256).hexdigest()


def _flush(path: Path) -> None:
    """Have the disk keep a file, or the names in a directory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
