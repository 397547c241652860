"""Where files are fetched from: what is there, and what is in it."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Protocol

from projects.core.destinations import manifest as manifests
from projects.core.destinations.hub import API, open_file
from projects.core.destinations.hub_client import Client, quoted
from projects.core.destinations.s3 import LARGEST_MANIFEST
from projects.core.destinations.s3_client import Access, Connection, error_code, explained
from projects.core.destinations.s3_keys import LOCK
from projects.core.destinations.s3_list import objects
from projects.core.destinations.s3_put import Sender
from projects.core.errors import ExportRefused, InfrastructureError, UsageError, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from projects.core.destinations.hub_address import HubRun
    from projects.matrix_benchmarking.replot.source import Bucket, Directory

_log = logging.getLogger(__name__)

WORKERS = 16
MOST_FILES = 2_000_000
SMALL = 1024 * 1024
"""Bytes of a file that is fetched in one piece, without boto3, which takes a millisecond for it."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file that is there: path relative to the source, bytes, and what identifies its content.

    `sha256` is what a manifest says, else empty; `etag` is the server's, else empty.
    """

    path: str
    size: int
    sha256: str = ""
    etag: str = ""


class Origin(Protocol):
    """The files of one source; `open_file` is called from several threads at once."""

    def files(self) -> list[Remote]:
        """Return what is there, the manifests included."""

    def open_file(self, path: str) -> tuple[BinaryIO, str]:
        """Return the content of a file, and its sha256 where the server knows it."""


class Folder:
    """The files below a directory of this machine; links are not followed."""

    def __init__(self, source: Directory) -> None:
        self.root = source.path
        if not self.root.is_dir():
            what = "is no directory" if self.root.exists() else "does not exist"
            raise UsageError(f"{source.given} {what}")

    def files(self) -> list[Remote]:
        """Return the regular files."""
        found = []
        for directory, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isfile(path) and not os.path.islink(path):
                    found.append(Remote(os.path.relpath(path, self.root), os.path.getsize(path)))
        return sorted(found, key=lambda one: one.path)

    def open_file(self, path: str) -> tuple[BinaryIO, str]:
        """Return the content of a file."""
        try:
            return (self.root / path).open("rb"), ""
        except OSError as error:
            raise unreadable(self.root / path, error) from None


class Exported:
    """The objects below a prefix of a bucket, as their manifests say, else as they are listed."""

    def __init__(self, source: Bucket, access: Access) -> None:
        endpoint = source.endpoint or access.endpoint
        self.place = source.place
        self._given = source.given
        self._connection = Connection(
            source.place, Access(access.credentials_file, endpoint, anonymous=True), WORKERS
        )
        self._sizes: dict[str, int] = {}

    @cached_property
    def _sender(self) -> Sender:
        return Sender(self._connection)

    def files(self) -> list[Remote]:
        """Return the files of the manifest at the top; without one, all objects.

        A listing takes the SHA-256 of files from the manifests that it finds on its way. What an
        earlier export to the same place has left, and a manifest does not list, is not returned.

        Errors
        ------
        InfrastructureError
            No such bucket, no right, nobody answers, more than MOST_FILES; an export to it is on,
            or was killed: there would be results, but not all of them.
        ExportRefused
            A manifest is none, or a key would lead out of the directory it is fetched to.
        UsageError
            There is nothing below the prefix.
        """
        found = self._found()
        self._sizes = {one.path: one.size for one in found}
        return found

    def _found(self) -> list[Remote]:
        top = self._manifest("")
        if top is not None:
            return [*_listed("", top), Remote(manifests.NAME, -1)]
        self._connection.check()
        found = self._objects()
        if not found:
            raise UsageError(f"{self._given}: there is nothing below {self.place}")
        nested = [p.removesuffix(manifests.NAME) for p in found if p.endswith(f"/{manifests.NAME}")]
        if not nested:
            _log.warning(
                "%s has no %s: files are taken as they are listed, some may be missing",
                self.place,
                manifests.NAME,
            )
        with ThreadPoolExecutor(WORKERS) as pool:
            for folder, manifest in zip(nested, pool.map(self._manifest, nested), strict=True):
                for one in _listed(folder, manifest) if manifest else ():
                    old = found.get(one.path)
                    if old is None or old.size != one.size:
                        raise ExportRefused(
                            f"{self.place}: {one.path!r} is not what {folder}manifest.json says"
                        )
                    found[one.path] = Remote(one.path, one.size, one.sha256, old.etag)
        return list(found.values())

    def _refuse_unfinished(self, folders: Iterable[str], found: Mapping[str, Remote]) -> None:
        for folder in folders:
            if folder + manifests.NAME not in found:
                place = f"{self.place}/{folder}".rstrip("/")
                raise InfrastructureError(
                    f"{place}: its export has not ended; export it again, it goes on"
                )

    def _objects(self) -> dict[str, Remote]:
        found: dict[str, Remote] = {}
        locked = []
        for key, size, etag in objects(self._connection, self._sender):
            path = self.place.path_of(key)
            if key.endswith("/"):  # how some tools write that there is a directory
                continue
            if key.endswith(f"/{LOCK}"):
                locked.append(key.removeprefix(self.place.folder).removesuffix(LOCK))
                continue
            if path is None or not manifests.is_inside(path):
                if path is None and ".topgallant-export/" in key:
                    continue
                raise ExportRefused(f"{self.place}: the key {key!r} leads out of the directory")
            found[path] = Remote(path, size, etag=etag.strip('"'))
            if len(found) > MOST_FILES:
                raise InfrastructureError(f"{self.place}: more than {MOST_FILES} files")
        self._refuse_unfinished(locked, found)
        return found

    def _manifest(self, folder: str) -> manifests.Manifest | None:
        key = self.place.key_of(folder + manifests.NAME)
        name = f"s3://{self.place.bucket}/{key}"
        content = self._get(key)
        if content is None:
            return None
        with content[0] as body, explained(name):
            text = body.read(LARGEST_MANIFEST + 1)
        if len(text) > LARGEST_MANIFEST:
            raise ExportRefused(f"{name} has more than {LARGEST_MANIFEST} bytes")
        return manifests.loads(text, name)

    def open_file(self, path: str) -> tuple[BinaryIO, str]:
        """Return the content of an object, and the sha256 that it was stored with."""
        is_small = 0 <= self._sizes.get(path, -1) <= SMALL
        content = self._get(self.place.key_of(path), is_small=is_small)
        if content is None:
            raise InfrastructureError(
                f"{self.place}: {path!r} is not there, though it was listed; export again"
            )
        return content

    def _get(self, key: str, *, is_small: bool = False) -> tuple[BinaryIO, str] | None:
        from botocore.exceptions import ClientError

        answer = self._sender.get(key, SMALL) if is_small else None
        if answer is not None:
            return BytesIO(answer[0]), answer[1].get("x-amz-meta-sha256", "")
        client = self._connection.client
        with explained(f"s3://{self.place.bucket}/{key}"):
            try:
                answer = client.get_object(Bucket=self.place.bucket, Key=key)
            except ClientError as error:
                if error_code(error) in {"NoSuchKey", "404"}:
                    return None
                if error_code(error) == "AccessDenied" and self._connection.credentials() is None:
                    raise InfrastructureError(
                        f"{self.place}: it is not public, and there are no credentials; name a "
                        "file in secrets.aws_credentials, or set AWS_ACCESS_KEY_ID and "
                        "AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE"
                    ) from None
                raise
        return answer["Body"], str(answer.get("Metadata", {}).get("sha256", ""))


class InHub:
    """The files of a run in a hub, as its manifest lists them."""

    def __init__(self, source: HubRun) -> None:
        self._address = f"{API}/artifacts/{source.id}"
        self._given = source.given
        self._client = Client(source.base)

    def files(self) -> list[Remote]:
        """Return the files, and the manifest.

        Errors
        ------
        InfrastructureError
            There is no such run, or not for us; it isn't complete; nobody answers.
        ExportRefused
            The manifest is none.
        """
        text = self._client.ask("GET", f"{self._address}/manifest").body
        manifest = manifests.loads(text, f"{self._given}: {manifests.NAME}")
        return [*_listed("", manifest), Remote(manifests.NAME, -1)]

    def open_file(self, path: str) -> tuple[BinaryIO, str]:
        """Return the content of a file; the hub has compared it when it came."""
        if path == manifests.NAME:
            return BytesIO(self._client.ask("GET", f"{self._address}/manifest").body), ""
        return open_file(self._client, f"{self._address}/files/{quoted(path)}", path), ""


def _listed(folder: str, manifest: manifests.Manifest) -> Iterable[Remote]:
    return [Remote(folder + one.path, one.size, one.sha256) for one in manifest.files]
