"""What was fetched before, by its content, and what was where; shared by all runs of a user."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from projects.core.errors import InfrastructureError, unreadable
from projects.matrix_benchmarking.replot.origin import Remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_BYTES = 10 * 1024**3
"""What the cache holds at most after a fetch; what was not used for longest goes first."""

_BLOCK = 1024 * 1024
_SCHEMA = 1
_LARGEST_LISTING = 1024**3
_ABANDONED_SECONDS = 24 * 3600


def default_root(environ: Mapping[str, str]) -> Path:
    """Return `$XDG_CACHE_HOME/topgallant/replot` (XDG Base Directory Specification)."""
    given = environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if os.path.isabs(given) else Path.home() / ".cache"
    return base / "topgallant" / "replot"


class Cache:
    """Contents by SHA-256 below `root/contents`, listings by address below `root/listings`.

    A content is written under another name and renamed when it is complete and its hash is known;
    it is hashed again when it is used. So several processes may use the cache at once, any of them
    may be killed at any time, and damage is found and repaired by fetching again.
    """

    def __init__(self, root: Path, most_bytes: int = MOST_BYTES) -> None:
        self.root = root
        self._most = most_bytes
        self._contents = root / "contents"
        self._listings = root / "listings"

    def prepare(self) -> None:
        """Make the directories, readable by nobody else."""
        with self._explained():
            for path in (self.root, self._contents, self._listings):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read_listing(self, address: str) -> list[Remote] | None:
        """Return the files of a source as they were when it was last listed; None if never."""
        path = self._listing_path(address)
        try:
            with path.open("rb") as file:
                content = json.loads(file.read(_LARGEST_LISTING))
            if content["schema"] != _SCHEMA or content["address"] != address:
                return None
            return [Remote(*one) for one in content["files"]]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(path, error) from None
        except (ValueError, KeyError, TypeError):
            return None

    def write_listing(self, address: str, files: Iterable[Remote]) -> None:
        """Keep what is there, with the hashes that are known now."""
        rows = [(one.path, one.size, one.sha256, one.etag) for one in files]
        content: dict[str, Any] = {"schema": _SCHEMA, "address": address, "files": rows}
        with self._writing(self._listings) as (file, path):
            file.write(json.dumps(content).encode("ascii"))
            file.flush()
            path.replace(self._listing_path(address))

    def _listing_path(self, address: str) -> Path:
        return (
            self._listings / f"{sha256(address.encode(errors='surrogateescape')).hexdigest()}.json"
        )

    def copy_to(self, target: Path, digest: str) -> bool:
        """Write the content with this sha256 to `target`; False if it isn't here, undamaged."""
        path = self._path(digest)
        try:
            content = path.open("rb")
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unreadable(path, error) from None
        with content:
            if copy(content, target) != digest:
                target.unlink()
                path.unlink(missing_ok=True)
                return False
        with contextlib.suppress(OSError):  # somebody may just be removing it
            os.utime(path)
        return True

    def add(self, source: Path, digest: str) -> None:
        """Keep the content of `source`, whose sha256 is `digest`."""
        target = self._path(digest)
        if target.exists():
            return
        with self._writing(self._contents) as (_, path), source.open("rb") as content:
            if copy(content, path) == digest:
                target.parent.mkdir(mode=0o700, exist_ok=True)
                path.replace(target)

    def shrink(self) -> None:
        """Remove what was not used for longest until MOST_BYTES are left, and what was abandoned.

        A content that is removed while another process reads it stays until that one closes it.
        """
        with self._explained(), (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # somebody else is at it
            kept = sorted(self._walk())
            total = sum(size for _, size, _ in kept)
            for _, size, path in kept:
                if total <= self._most:
                    break
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                total -= size

    def _walk(self) -> Iterator[tuple[float, int, str]]:
        """Yield time of last use, bytes and path of every content."""
        oldest = time.time() - _ABANDONED_SECONDS
        for directory, _, names in os.walk(self._contents):
            for name in names:
                path = os.path.join(directory, name)
                with contextlib.suppress(FileNotFoundError):
                    status = os.stat(path)
                    if not name.startswith("new-"):
                        yield status.st_mtime, status.st_size, path
                    elif status.st_mtime < oldest:
                        os.unlink(path)

    def _path(self, digest: str) -> Path:
        return self._contents / digest[:2] / digest

    @contextlib.contextmanager
    def _writing(self, directory: Path) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a new file; whoever wants to keep it renames it within the context."""
        with self._explained():
            descriptor, name = tempfile.mkstemp(prefix="new-", dir=directory)
            try:
                with open(descriptor, "wb") as file:
                    yield file, Path(name)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            refused = error.filename or self.root
            raise InfrastructureError(f"{refused}: {error.strerror or error}") from None

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.root, ignore_errors=True)


def copy(content: BinaryIO, target: Path, most: int | None = None) -> str:
    """Write `content` to `target` and return its sha256; stop after more than `most` bytes."""
    digest = sha256()
    left = -1 if most is None else most
    with target.open("wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
            if most is not None:
                left -= len(block)
                if left < 0:
                    break
    return digest.hexdigest()
