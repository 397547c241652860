"""A hub as the destination of an export."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
import time
from hashlib import sha256
from io import FileIO
from typing import TYPE_CHECKING, Any, BinaryIO, Self, cast

from projects.core.destinations import hub_address
from projects.core.destinations import manifest as manifests
from projects.core.destinations.holder import is_dead, this_process
from projects.core.destinations.hub_client import ATTEMPTS, PASSING, Client, Refused, quoted
from projects.core.destinations.source import SMALL, read_first
from projects.core.errors import InfrastructureError, UsageError, unreadable

if TYPE_CHECKING:
    import http.client
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from projects.core.destinations.manifest import File, Manifest

API = "/api/v1"
BEAT_SECONDS = 15
_BLOCK = 1 << 20
_BATCH = "application/x-topgallant-batch"
_BATCH_BYTES = 4 << 20
_BATCH_FILES = 1000
_FORBIDDEN, _ABSENT, _CONFLICT, _INVALID = 403, 404, 409, 422

_held: set[str] = set()
"""The exports of this process that are on, by their tokens."""


class Hub:
    """A run in a hub, which shows it when all of it is there.

    Before anything is sent, the hub is told what will come and answers what it doesn't have: only
    that is sent, small contents many at a time, large ones from where an earlier export broke off.
    """

    workers = 4
    overwrites = False

    def __init__(self, address: str, token: str | None = None) -> None:
        self._place = hub_address.parse(address)
        if not self._place.place:
            raise UsageError(f"{address}: give a place too, {address.rstrip('/')}/PLACE")
        self._client = Client(self._place.base, token)
        self._token = secrets.token_hex(16)
        self._said = this_process(self._token)
        self._holder = ""
        self._id = ""
        self._lock = threading.Lock()
        self._files: dict[str, File] = {}  # what is here, or will be
        self._announced: dict[str, File] | None = None
        self._missing: dict[str, int] = {}
        self._batch: dict[str, bytes] = {}
        self._batch_bytes = 0
        self._unknown: dict[str, File] = {}  # what waits and isn't announced
        self._sending: dict[str, threading.Lock] = {}

    @property
    def address(self) -> str:
        """The address of the page that shows the run."""
        if not self._id:
            self._begin()
        return hub_address.page_address(self._place.base, self._id)

    def part_size(self, size: int) -> int:  # noqa: ARG002
        """Return 0: a content is sent as a whole, from where it broke off."""
        return 0

    def refuse_source(self, root: Path) -> None:
        """Refuse nothing: no directory of this machine is in a hub."""

    @contextlib.contextmanager
    def reserve(self) -> Iterator[None]:
        """Keep others out; that of a killed export of this machine is taken over at once."""
        self._holder = json.dumps(self._said)
        _held.add(self._token)
        stop = threading.Event()
        beat = threading.Thread(target=self._keep, args=(stop,), name="export hub", daemon=True)
        try:
            self._begin()
            beat.start()
            yield
        finally:
            stop.set()
            if beat.ident is not None:
                beat.join()
                with contextlib.suppress(InfrastructureError):
                    self._lease(release=True)
            self._holder = ""
            _held.discard(self._token)
            self._client.close()

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(BEAT_SECONDS):
            with contextlib.suppress(InfrastructureError):
                self._lease(release=False)

    def _lease(self, *, release: bool) -> None:
        body = json.dumps({"holder": self._holder, "release": release}).encode()
        self._client.ask("PUT", f"{API}/artifacts/{self._id}/lease", body=body)

    def _begin(self, files: Iterable[File] | None = None, instead_of: str = "") -> None:
        wanted: dict[str, Any] = {"place": self._place.place, "holder": self._holder}
        if instead_of:
            wanted["instead_of"] = instead_of
        if files is not None:
            wanted["files"] = [_written(file) for file in files]
        try:
            found = self._client.ask("POST", f"{API}/artifacts", body=json.dumps(wanted).encode())
        except Refused as error:
            holder = error.fields.get("holder", "")
            if instead_of or not holder or not is_dead(_owner(holder), self._said, _held):
                raise self._explained(error) from None
            self._begin(files, holder)
            return
        run = found.json()
        self._id = str(run["id"])
        self._missing = {one["sha256"]: int(one["offset"]) for one in run["missing"]}

    def _explained(self, error: Refused) -> InfrastructureError:
        said = f"{self._place}: {error.said}"
        if holder := error.fields.get("holder", ""):
            owner = _owner(holder)
            said += f" (process {owner.get('pid')} on {owner.get('host')})"
            return InfrastructureError(said)
        return error

    def expect(self, manifest: Manifest) -> None:
        """Tell the hub what will come; what it has already is here from then on."""
        with self._lock:
            self._announce({file.path: file for file in manifest.files})
            for file in manifest.files:
                if file.sha256 not in self._missing:
                    self._files[file.path] = file

    def _announce(self, files: dict[str, File]) -> None:
        """Say what will come; with the lock."""
        self._begin(files.values())
        self._announced = files

    def read_manifest(self) -> Manifest | None:
        """Return the manifest; None without one, or if it is not for us to read it."""
        name = f"{self._place}/{manifests.NAME}"
        if manifests.NAME in self._files:
            with self.open_file(manifests.NAME) as content:
                return manifests.loads(content.read(), name)
        if not self._id:
            self._begin()
        try:
            text = self._client.ask("GET", f"{API}/artifacts/{self._id}/manifest").body
        except Refused as error:
            if error.status in (_FORBIDDEN, _ABSENT):
                return None
            raise
        return manifests.loads(text, name)

    def withdraw_manifest(self) -> None:
        """Do so with the whole run: it is not seen until it is complete again."""
        if not self._id:
            self._begin()
        self._client.ask("POST", f"{API}/artifacts/{self._id}/withdraw")

    def sizes(self) -> dict[str, int]:
        """Return the size of every file that is here."""
        self._flush()
        with self._lock:
            if self._announced is not None:
                return {path: file.size for path, file in self._files.items()}
        manifest = self.read_manifest()
        return {} if manifest is None else {file.path: file.size for file in manifest.files}

    def holds(self, file: File) -> bool:
        """Tell whether exactly this content is here: the hub has compared it with its hash."""
        self._flush()
        with self._lock:
            known = self._files.get(file.path)
        if known is None and self._announced is None:
            manifest = self.read_manifest()
            listed = () if manifest is None else manifest.files
            known = next((one for one in listed if one.path == file.path), None)
        return known is not None and known.sha256 == file.sha256 and known.size == file.size

    def put(self, file: File, source: Path) -> bool:
        """Send the content, if the hub doesn't have it; False if it changed."""
        try:
            with FileIO(source) as original:
                if not self._is_sent(file, cast("BinaryIO", original)):
                    return False
        except OSError as error:
            raise unreadable(source, error) from None
        with self._lock:
            self._files[file.path] = file
        return True

    def _is_sent(self, file: File, original: BinaryIO) -> bool:
        if file.size <= SMALL:
            body = read_first(cast("FileIO", original), file.size)
            if len(body) != file.size or sha256(body).hexdigest() != file.sha256:
                return False
            self._add(file, body)
            return True
        with self._lock:
            announced = self._announced or {}
            if announced.get(file.path) != file:
                self._announce({**announced, **self._files, file.path: file})
            is_missing = file.sha256 in self._missing
            sending = self._sending.setdefault(file.sha256, threading.Lock())
        if not is_missing:
            return _digest(original, file.size) == file.sha256
        with sending:  # another file may have the same content
            return self._send(file, original)

    def _add(self, file: File, body: bytes) -> None:
        """Let a small content wait for others; it may have to be announced with them."""
        with self._lock:
            is_known = (self._announced or {}).get(file.path) == file
            if not is_known:
                self._unknown[file.path] = file
            elif file.sha256 not in self._missing:
                return
            if file.sha256 not in self._batch:
                self._batch[file.sha256] = body
                self._batch_bytes += len(body)
            is_full = self._batch_bytes >= _BATCH_BYTES or len(self._batch) >= _BATCH_FILES
        if is_full:
            self._flush()

    def _flush(self) -> None:
        """Send the small contents that wait."""
        with self._lock:
            batch, self._batch, self._batch_bytes = self._batch, {}, 0
            unknown, self._unknown = self._unknown, {}
            if unknown:
                self._announce({**(self._announced or {}), **unknown})
            batch = {key: one for key, one in batch.items() if key in self._missing}
        if not batch:
            return
        body = b"".join(
            [b"%s %d\n%s" % (key.encode(), len(one), one) for key, one in batch.items()]
        )
        query = {"artifact": self._id}
        self._client.ask("POST", f"{API}/blobs", query, body=body, media=_BATCH)
        with self._lock:
            for key in batch:
                self._missing.pop(key, None)

    def _send(self, file: File, original: BinaryIO) -> bool:
        """Send a large content, and go on where it broke off as long as it gets on."""
        path, query = f"{API}/blobs/{file.sha256}", {"artifact": self._id}
        left, before = ATTEMPTS, -1
        while left:
            known = self._client.ask("GET", path, query).json()
            offset = int(known["offset"])
            if known["complete"]:
                with self._lock:
                    self._missing.pop(file.sha256, None)
                return True
            left = ATTEMPTS if offset > before else left
            before = max(before, offset)
            original.seek(offset)
            size = file.size - offset
            status = self._client.send(path, {**query, "offset": offset}, original, size)
            if status == _INVALID:
                return False  # it was thrown away: what is here isn't what was said
            if not status or status == _CONFLICT or status in PASSING:
                if os.fstat(original.fileno()).st_size < file.size:
                    return False  # it was cut meanwhile
                left -= 1
                time.sleep(0.2 * 2 ** (ATTEMPTS - left))
        raise InfrastructureError(f"{self._place}: the connection broke {ATTEMPTS} times")

    def open_file(self, path: str) -> BinaryIO:
        """Return the content of a file of the run; of one that isn't seen yet, what was sent."""
        self._flush()
        return open_file(self._client, self._published(path), path)

    def _published(self, path: str) -> str:
        if not self._id:
            self._begin()
        seen = path not in self._files
        return f"{API}/artifacts/{self._id}/{'files' if seen else 'draft'}/{quoted(path)}"

    def finish(self, manifest: Manifest) -> None:
        """Have the hub compare everything with the manifest and show the run."""
        self._flush()
        files = {file.path: file for file in manifest.files}
        with self._lock:
            if files != self._announced:
                self._announce(files)
        said = {"run_id": manifest.run_id, "created": manifest.created, "holder": self._holder}
        body = json.dumps(said).encode()
        try:
            self._client.ask("POST", f"{API}/artifacts/{self._id}/finish", body=body)
        except Refused as error:
            raise self._explained(error) from None
        with self._lock:
            self._files, self._announced, self._missing = {}, None, {}


def open_file(client: Client, address: str, path: str) -> BinaryIO:
    """Return the content at an address of the hub, to be read bit by bit."""
    response, connection = client.open(address)
    return cast("BinaryIO", _Content(response, connection, f"{client.base}: {path}"))


class _Content:
    """The content of an answer; less than was announced is an error."""

    def __init__(
        self,
        response: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        what: str,
    ) -> None:
        self._response, self._connection, self._what = response, connection, what
        length = response.headers.get("Content-Length")
        self._left = None if length is None else int(length)  # None: a proxy sends it in pieces

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, all that is left by default; empty at the end."""
        import http.client

        try:
            data = self._response.read(None if size < 0 else size)
        except (OSError, http.client.HTTPException) as error:
            raise InfrastructureError(f"{self._what}: the connection broke: {error}") from None
        if self._left is None:
            return data
        self._left -= len(data)
        if self._left and not data and size:
            raise InfrastructureError(f"{self._what}: the connection broke")
        return data

    def close(self) -> None:
        """Close the connection."""
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _written(file: File) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "sha256": file.sha256, "mtime": file.mtime}


def _owner(holder: str) -> dict[str, Any]:
    try:
        said = json.loads(holder)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _digest(original: BinaryIO, size: int) -> str:
    digest = sha256()
    while size and (block := original.read(min(size, _BLOCK))):
        size -= len(block)
        digest.update(block)
    return digest.hexdigest()
