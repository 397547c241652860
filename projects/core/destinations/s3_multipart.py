"""Large files stored in parts that go up side by side and count only when all are there."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, BinaryIO

from projects.core.destinations.s3_client import explained
from projects.core.destinations.s3_put import Sender, as_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future

    from projects.core.destinations.manifest import File
    from projects.core.destinations.s3_client import Connection

PART = 8 * 1024 * 1024
"""Bytes; smaller files are stored whole. S3 takes parts of 5 MiB or more."""

MOST_PARTS = 10_000
AT_ONCE = 8
"""Parts in memory at a time, of all files together."""


def part_size(size: int) -> int:
    """Return the bytes of each part of a file of `size` bytes."""
    return max(PART, -(-size // MOST_PARTS))


class Multipart:
    """Stores large files of one bucket; called from several threads at once."""

    def __init__(self, connection: Connection, sender: Sender) -> None:
        self._connection = connection
        self._sender = sender
        self._bucket = connection.place.bucket
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="export part")
        self._slots = BoundedSemaphore(AT_ONCE)

    def put(self, key: str, file: File, original: BinaryIO, headers: Mapping[str, str]) -> bool:
        """Store the first `file.size` bytes of `original`; nothing, and False, if they changed."""
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
        digest = sha256()
        left = file.size
        sent: list[Future[str]] = []
        try:
            while left:
                self._slots.acquire()
                body = original.read(min(left, part_size(file.size)))
                if not body:
                    self._slots.release()
                    return None
                left -= len(body)
                future = self._pool.submit(self._sender.put_part, key, upload, len(sent) + 1, body)
                future.add_done_callback(lambda _: self._slots.release())
                sent.append(future)
                digest.update(body)
                del body
            if digest.hexdigest() != file.sha256:
                return None
            return [future.result() for future in sent]
        finally:
            # Parts that arrive after the end of an upload would be kept, and paid for, for ever.
            for future in sent:
                if not future.cancel():
                    future.exception()

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
