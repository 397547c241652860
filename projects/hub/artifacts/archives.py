"""A tree as one file, made while it is sent: a compressed tar, or a zip."""

from __future__ import annotations

import os
import tarfile
import time
import zipfile
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from projects.core.errors import InfrastructureError
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.hub.artifacts.trees import Entry, Tree

Kind = Literal["tar.gz", "zip"]
BLOCK = 256 << 10
_LEVEL = 3
"""Of compression: half as fast is one tenth smaller."""

_GZIP = 31
_TAR_BLOCK = 512
_ZIP_BEGINS, _ZIP_ENDS = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
_ZIP_LARGE = 1 << 31
MEDIA: dict[Kind, str] = {"tar.gz": "application/gzip", "zip": "application/zip"}


def archive(tree: Tree, top: str, kind: Kind) -> Iterator[bytes]:
    """Yield the archive of all files, in the folder `top`; memory doesn't grow with it."""
    return _zip(tree, top) if kind == "zip" else _tar(tree, top)


def _tar(tree: Tree, top: str) -> Iterator[bytes]:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    for entry in tree.walk():
        info = tarfile.TarInfo(f"{top}/{entry.path}")
        info.size, info.mtime, info.mode = entry.size, entry.modified // moment.SECOND, 0o644
        yield packer.compress(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        for block in _content(tree, entry):
            yield packer.compress(block)
        yield packer.compress(bytes(-entry.size % _TAR_BLOCK))
    yield packer.compress(bytes(2 * _TAR_BLOCK))
    yield packer.flush()


class _Pipe:
    """Takes what an archive writes, and gives it away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: it is taken by whoever sends it."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def _zip(tree: Tree, top: str) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packer:  # type: ignore[call-overload]
        for entry in tree.walk():
            made = time.gmtime(entry.modified // moment.SECOND)[:6]
            moved = min(max(made, _ZIP_BEGINS), _ZIP_ENDS)  # seven bits hold the year
            info = zipfile.ZipInfo(_zip_name(f"{top}/{entry.path}"), moved)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            with packer.open(info, "w", force_zip64=entry.size >= _ZIP_LARGE) as to:
                for block in _content(tree, entry):
                    to.write(block)
                    yield pipe.take()
            yield pipe.take()
    yield pipe.take()


def _zip_name(path: str) -> str:
    """Return a name that a zip can have; what has to be changed is told apart by a hash."""
    raw = path.encode("utf-8", "surrogateescape")
    # A zip has no other slash; programs of Windows take the other one for it.
    name = raw.decode("utf-8", "replace").replace("\\", "_")
    if name == path:
        return name
    stem, ending = os.path.splitext(name)
    return f"{stem}~{sha256(raw).hexdigest()[:8]}{ending}"


def _content(tree: Tree, entry: Entry) -> Iterator[bytes]:
    """Yield exactly as many bytes as were announced; an archive that can't have them breaks off."""
    file = tree.open(entry.path)
    try:
        at = 0
        while at < entry.size:
            block = os.pread(file.descriptor, min(BLOCK, entry.size - at), at)
            if not block:
                raise InfrastructureError(f"{entry.path}: it has become shorter meanwhile")
            at += len(block)
            yield block
    finally:
        file.close()
