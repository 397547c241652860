"""The lock that keeps two exports from one place in a bucket: an object, kept fresh by a thread."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from projects.core.destinations.holder import is_dead, this_process
from projects.core.destinations.s3_client import error_code, explained
from projects.core.destinations.s3_keys import LOCK
from projects.core.errors import InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.core.destinations.s3_client import Connection

FRESH_SECONDS = 60
"""A lock that was not written for so long belongs to an export that is dead."""

BEAT_SECONDS = 15
_LARGEST = 4096

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_UNCONDITIONAL = {"NotImplemented", "501"}

_held: set[str] = set()
"""The locks that this process holds, by their tokens."""


@contextlib.contextmanager
def locked(connection: Connection) -> Iterator[Lock]:
    """Hold the lock of the place while the context lasts.

    An export that was killed leaves its lock. It is taken over at once if its process was one of
    this machine, else when nobody has written it for FRESH_SECONDS.

    Errors
    ------
    InfrastructureError
        Another export is on.
    """
    lock = Lock(connection)
    lock.take()
    stop = threading.Event()
    beat = threading.Thread(target=lock.keep, args=(stop,), name="export lock", daemon=True)
    beat.start()
    try:
        yield lock
    finally:
        stop.set()
        beat.join()
        lock.release()


class Lock:
    """The object that says who exports to a place now; `locked` takes and releases it."""

    def __init__(self, connection: Connection) -> None:
        self._client = connection.client
        self._where: dict[str, Any] = {
            "Bucket": connection.place.bucket,
            "Key": connection.place.key_of(LOCK),
        }
        self._place = str(connection.place)
        self._token = secrets.token_hex(16)
        self._said = this_process(self._token)

    def take(self) -> None:
        """Write the lock, or raise InfrastructureError if it is another's."""
        with explained(self._place):
            if not self._write(IfNoneMatch="*"):
                self._take_over()
        # A server that ignores conditions has let both of two write: the last one has it.
        self.require()
        _held.add(self._token)

    def require(self) -> None:
        """Raise InfrastructureError unless the lock is ours."""
        with explained(self._place):
            if not self._is_ours():
                raise InfrastructureError(f"{self._place}: another export to it is on")

    def _is_ours(self) -> bool:
        found = self._read()
        return found is not None and found[0].get("token") == self._token

    def _take_over(self) -> None:
        found = self._read()
        if found is None:  # released just now; if it is taken again, `require` finds that
            self._write(IfNoneMatch="*")
            return
        owner, age = found
        if age < FRESH_SECONDS and not is_dead(owner, self._said, _held):
            who = f"process {owner.get('pid')} on {owner.get('host')}"
            raise InfrastructureError(
                f"{self._place}: another export to it is on ({who}); if it was killed, export "
                f"again in {FRESH_SECONDS - age:.0f} s"
            )
        # Of two that take over at once the later one has it; `require` stops the other.
        self._client.delete_object(**self._where)
        self._write(IfNoneMatch="*")

    def _write(self, **condition: str) -> bool:
        """Write the lock and tell whether the condition held."""
        from botocore.exceptions import ClientError

        body = json.dumps(self._said).encode()
        try:
            self._client.put_object(**self._where, Body=body, **condition)
        except ClientError as error:
            code = error_code(error)
            if code in _TAKEN:
                return False
            if code in _UNCONDITIONAL and self._read() is None:
                self._client.put_object(**self._where, Body=body)
                return True
            raise
        return True

    def _read(self) -> tuple[dict[str, Any], float] | None:
        """Return what the lock says and its age in seconds by the server's clock."""
        from botocore.exceptions import ClientError

        try:
            answer = self._client.get_object(**self._where)
        except ClientError as error:
            if error_code(error) in {"NoSuchKey", "404"}:
                return None
            raise
        try:
            said = json.loads(answer["Body"].read(_LARGEST))
        except ValueError:
            said = {}
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (now - answer["LastModified"]).total_seconds()
        return said if isinstance(said, dict) else {}, age

    def keep(self, stop: threading.Event) -> None:
        """Write the lock again and again until `stop`."""
        while not stop.wait(BEAT_SECONDS):
            # Whoever took it over must keep it; a server that is away says so to the export.
            with contextlib.suppress(Exception):
                if self._is_ours():
                    self._write()

    def release(self) -> None:
        """Remove the lock if it is still ours; what cannot be removed expires."""
        _held.discard(self._token)
        with contextlib.suppress(Exception):
            if self._is_ours():
                self._client.delete_object(**self._where)
