"""A place in an S3 bucket as the destination of an export."""

from __future__ import annotations

import contextlib
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from projects.core.destinations import manifest as manifests
from projects.core.destinations import s3_keys
from projects.core.destinations.s3_client import Access, Connection, error_code, explained
from projects.core.destinations.source import read_first
from projects.core.errors import ExportRefused, InfrastructureError, UsageError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.destinations.manifest import File, Manifest
    from projects.core.destinations.s3_lock import Lock
    from projects.core.destinations.s3_multipart import Multipart
    from projects.core.destinations.s3_put import Sender

LARGEST_MANIFEST = 1024**3
"""Bytes; some five million files."""

_SHA256 = "x-amz-meta-sha256"
_PAGE_MARK = "x-amz-meta-topgallant-page"
_BLOCK = 1024 * 1024


class S3:
    """Objects below a prefix of a bucket, private: no ACL is set, the bucket's own rules count.

    An object becomes visible when all of it is stored. Its metadata `sha256` is what the server
    has checked the content against, so an export that goes on needs not read it back.
    """

    workers = 16
    overwrites = True

    def __init__(self, address: str, access: Access | None = None) -> None:
        self.place = s3_keys.parse(address)
        if not self.place.prefix:
            raise UsageError(f"{address}: give a prefix too, s3://bucket/prefix")
        self._connection = Connection(self.place, access or Access(), self.workers)
        self._sender_of_region: Sender | None = None
        self._multipart: Multipart | None = None
        self._lock: Lock | None = None

    @property
    def address(self) -> str:
        """The address of the page that shows the export."""
        return s3_keys.browse_address(self._connection.endpoint, self.place)

    def part_size(self, size: int) -> int:
        """Return the bytes of each part of a large file."""
        from projects.core.destinations.s3_multipart import PART, part_size

        return part_size(size) if size > PART else 0

    def refuse_source(self, root: Path) -> None:
        """Refuse nothing: no directory of this machine is in a bucket."""

    @contextlib.contextmanager
    def reserve(self) -> Iterator[None]:
        """Check the bucket and lock the place; abort what a killed export has begun."""
        from projects.core.destinations.s3_lock import locked
        from projects.core.destinations.s3_multipart import Multipart

        self._connection.check()
        with locked(self._connection) as lock:
            self._lock = lock
            self._multipart = Multipart(self._connection, self._sender)
            try:
                self._multipart.abort_left_over()
                yield
            finally:
                self._multipart.close()
                self._multipart = self._lock = None

    @property
    def _sender(self) -> Sender:
        from projects.core.destinations.s3_put import Sender

        if self._sender_of_region is None:
            self._sender_of_region = Sender(self._connection)
        return self._sender_of_region

    def expect(self, manifest: Manifest) -> None:
        """Do nothing: each object is asked for by itself."""

    def read_manifest(self) -> Manifest | None:
        """Return the manifest, or None without one."""
        content = self._open(manifests.NAME)
        if content is None:
            return None
        with content, explained(str(self.place)):
            text = content.read(LARGEST_MANIFEST + 1)
        name = f"{self.place}/{manifests.NAME}"
        if len(text) > LARGEST_MANIFEST:
            raise ExportRefused(f"{name} has more than {LARGEST_MANIFEST} bytes")
        return manifests.loads(text, name)

    def withdraw_manifest(self) -> None:
        """Delete the manifest."""
        with explained(str(self.place)):
            self._connection.client.delete_object(
                Bucket=self.place.bucket, Key=self.place.key_of(manifests.NAME)
            )

    def sizes(self) -> dict[str, int]:
        """Return the size of every object that is a file of an export."""
        from projects.core.destinations.s3_list import objects

        found = {}
        for key, size, _ in objects(self._connection, self._sender):
            path = self.place.path_of(key)
            if path is not None:
                found[path] = size
        return found

    def holds(self, file: File) -> bool:
        """Tell whether exactly this content is here: by what it was checked against, or by it."""
        key = self.place.key_of(file.path)
        headers = self._sender.head(key)
        if headers is None or headers.get("content-length") != str(file.size):
            return False
        if _SHA256 in headers:
            return headers[_SHA256] == file.sha256
        digest = sha256()
        with self.open_file(file.path) as content, explained(f"s3://{self.place.bucket}/{key}"):
            while block := content.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest() == file.sha256

    def put(self, file: File, source: Path) -> bool:
        """Store the content; False if it changed."""
        from projects.core.destinations.s3_multipart import PART

        key = self.place.key_of(file.path)
        if len(key.encode()) > s3_keys.LONGEST_KEY:
            raise InfrastructureError(
                f"{source}: its key in the bucket would have {len(key.encode())} bytes, "
                f"S3 takes {s3_keys.LONGEST_KEY}"
            )
        headers = {"content-type": s3_keys.content_type(file.path), _SHA256: file.sha256}
        try:
            with FileIO(source) as original:
                if file.size > PART and self._multipart is not None:
                    return self._multipart.put(key, file, cast("BinaryIO", original), headers)
                body = read_first(original, file.size)
        except OSError as error:
            raise unreadable(source, error) from None
        if len(body) != file.size or sha256(body).hexdigest() != file.sha256:
            return False
        self._sender.put(key, body, file.sha256, headers)
        return True

    def open_file(self, path: str) -> BinaryIO:
        """Return the content of an object."""
        content = self._open(path)
        if content is None:
            raise InfrastructureError(f"{self.place}: there is no {path!r}")
        return content

    def _open(self, path: str) -> BinaryIO | None:
        from botocore.exceptions import ClientError

        key = self.place.key_of(path)
        with explained(f"s3://{self.place.bucket}/{key}"):
            try:
                answer = self._connection.client.get_object(Bucket=self.place.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in {"NoSuchKey", "404"}:
                    return None
                raise
        return cast("BinaryIO", answer["Body"])

    def finish(self, manifest: Manifest) -> None:
        """Store the page that shows exports, then the manifest, if the place is still ours."""
        with contextlib.suppress(InfrastructureError):  # it may be for others to say what is there
            self._store_page()
        if self._lock is not None:
            self._lock.require()
        body = manifests.dumps(manifest).encode()
        digest = sha256(body).hexdigest()
        headers = {"content-type": "application/json", _SHA256: digest}
        self._sender.put(self.place.key_of(manifests.NAME), body, digest, headers)

    def _store_page(self) -> None:
        """Store `index.html` at the top of the bucket, unless it is there or is somebody else's."""
        body = Path(__file__).with_name("browse.html").read_bytes()
        digest = sha256(body).hexdigest()
        there = self._sender.head(s3_keys.PAGE)
        if there is not None and there.get(_PAGE_MARK, digest) == digest:
            return
        headers = {"content-type": s3_keys.content_type(s3_keys.PAGE), _PAGE_MARK: digest}
        self._sender.put(s3_keys.PAGE, body, digest, headers)
