"""Large files stored in parts that go up side by side and count only when all are there."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO

from projects.core.destinations import manifest as manifests
from projects.core.destinations.s3_client import explained
from projects.core.destinations.s3_put import Sender, as_arguments
from projects.core.destinations.s3_wire import Piece

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from projects.core.destinations.manifest import File
    from projects.core.destinations.s3_client import Connection

PART = 8 * 1024 * 1024
"""Bytes; smaller files are stored whole. S3 takes parts of 5 MiB or more."""

MOST_PARTS = 10_000
AT_ONCE = 8
"""Parts under way at a time, of all files together."""


def part_size(size: int) -> int:
    """Return the bytes of each part of a file of `size` bytes."""
    return max(PART, -(-size // MOST_PARTS))


def _parts(file: File, original: BinaryIO) -> tuple[str, ...]:
    """Return the hashes of the parts, or none if the content is not what was said."""
    size = part_size(file.size)
    whole, parts = sha256(), []
    for start in range(0, file.size, size):
        piece = Piece(original, start, min(size, file.size - start))
        body = piece.content()
        if len(body) < len(piece):
            return ()
        whole.update(body)
        parts.append(sha256(body).hexdigest())
    return tuple(parts) if whole.hexdigest() == file.sha256 else ()


def _is_still(file: File, original: BinaryIO) -> bool:
    """Tell whether a file is what it was when it was examined, for servers that don't compare."""
    if manifests.mtime_of(os.fstat(original.fileno())) == file.mtime:
        return True
    return _parts(file, original) == file.parts


class Multipart:
    """Stores large files of one bucket; called from several threads at once."""

    def __init__(self, connection: Connection, sender: Sender) -> None:
        self._connection = connection
        self._sender = sender
        self._bucket = connection.place.bucket
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export part")

    def put(self, key: str, file: File, original: BinaryIO, headers: Mapping[str, str]) -> bool:
        """Store the first `file.size` bytes of `original`; nothing, and False, if they changed."""
        if not file.parts:
            file = replace(file, parts=_parts(file, original))
            if not file.parts:
                return False
        client = self._connection.client
        with explained(f"s3://{self._bucket}/{key}"):
            begun = client.create_multipart_upload(
                Bucket=self._bucket, Key=key, **as_arguments(headers)
            )
            upload = str(begun["UploadId"])
            try:
                etags = self._send(key, upload, file, original)
                if etags is None:
                    self._abort(key, upload)
                    return False
                client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={
                        "Parts": [
                            {"PartNumber": number, "ETag": etag}
                            for number, etag in enumerate(etags, 1)
                        ]
                    },
                )
            except BaseException:
                self._abort(key, upload)
                raise
        return True

    def _send(self, key: str, upload: str, file: File, original: BinaryIO) -> list[str] | None:
        """Send the parts; return their ETags, or None if the content is not what was said."""
        size = part_size(file.size)
        sent: list[Future[str]] = []
        try:
            for number, digest in enumerate(file.parts):
                start = number * size
                piece = Piece(original, start, min(size, file.size - start))
                sent.append(
                    self._pool.submit(self._sender.put_part, key, upload, number + 1, piece, digest)
                )
            etags = [future.result() for future in sent]
        finally:
            # Parts that arrive after the end of an upload would be kept, and paid for, for ever.
            for future in sent:
                if not future.cancel():
                    future.exception()
        return etags if all(etags) and _is_still(file, original) else None

    def _abort(self, key: str, upload: str) -> None:
        with contextlib.suppress(Exception):  # the next export tries again
            self._connection.client.abort_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload
            )

    def abort_left_over(self) -> None:
        """Abort what exports that were killed have begun here; for the owner of the lock."""
        pages = self._connection.client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=self._connection.place.folder
        )
        found: list[dict[str, Any]] = []
        # Not everybody may list them; then they stay until the bucket's rules remove them.
        with contextlib.suppress(Exception):
            for page in pages:
                found += page.get("Uploads", ())
        for one in found:
            self._abort(one["Key"], one["UploadId"])

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)
