"""How server, spawner and runners speak: one JSON object a line, over UNIX sockets.

The same lines are kept in the journals, whose readers ignore fields and types that they don't know.
Each `hello` says its `version`: after an upgrade the server hears old runners out, and asks new
ones for new jobs.

To a runner: `hello`, `launch` (an order), `stop`, `settled`, `leave`. From it: the lines of its
journal (`intent`, `start`, `end`), `hello`, which ends the greeting, and `back`: it won't begin
the order that was to follow.
To the spawner: `hello`, `fork`, `leave`. From it: `hello`, `forked`, `gone`, `end`.
"""

from __future__ import annotations

import functools
import json
import os
import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

LONGEST = 8 << 20
"""Bytes of a message: more than the kernel takes as arguments and environment of a program."""

LONGEST_SENT = LONGEST - (1 << 16)
"""Characters of a message: with what may have come together with it no more than `LONGEST`."""

_NEWLINE = "\n"
_PORTION = 16384  # what malloc has at hand: a larger buffer would be mapped anew each time

encode = json.JSONEncoder(separators=(",", ":")).encode
decode = json.JSONDecoder().decode
_quoted = json.encoder.encode_basestring_ascii


@functools.cache
def version() -> str:
    """Return what this room's sources are: no two that differ take orders from each other.

    It is read once: who began before an upgrade goes on saying what it is.
    """
    return digest(os.path.dirname(__file__))


def digest(folder: str) -> str:
    """Return a digest of the sources in a folder."""
    import hashlib

    found = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            with open(os.path.join(folder, name), "rb") as source:
                found.update(source.read())
    return found.hexdigest()[:16]


def word(value: str | float | None) -> str:
    """Return a text, a finite number or null as JSON, faster than `encode`."""
    if isinstance(value, str):
        return _quoted(value)
    return "null" if value is None else repr(value)


class Closed(Exception):
    """The other side is gone."""


class Channel:
    """One connection: lines in, lines out, never blocking.

    What the socket doesn't take at once is kept in `unsent`; call `flush` when it is writable.
    """

    __slots__ = ("_partial", "sock", "unsent")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.unsent = b""
        self._partial = b""

    def fileno(self) -> int:
        """Return the descriptor, for poll."""
        return self.sock.fileno()

    def send(self, line: str) -> None:
        """Send a line, as much of it as fits now."""
        data = line.encode() + b"\n"
        if self.unsent:
            self.unsent += data
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # reading will tell
        if sent < len(data):
            self.unsent = data[sent:]

    def flush(self) -> None:
        """Send more of what is unsent."""
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self.unsent = b""

    def has_news(self) -> bool:
        """Return whether there is something to receive, be it that the other side is gone."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have come.

        Raises
        ------
        Closed
            There will be no more, all were returned before; or the other side sends nonsense.
        """
        try:
            data = self.sock.recv(_PORTION)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            raise Closed
        if self._partial:
            data = self._partial + data
        if len(data) > LONGEST:
            raise Closed
        whole, _, self._partial = data.rpartition(b"\n")
        if not whole:
            return []
        try:  # a line has no newline but its last: all of them are one array
            messages = decode(f"[{whole.decode().replace(_NEWLINE, ',')}]")
        except (ValueError, RecursionError):
            raise Closed from None
        return [message for message in messages if isinstance(message, dict)]

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def listen(directory: str, name: str) -> socket.socket:
    """Make a socket at `directory/name` that only this user may connect to."""
    sock = socket.socket(socket.AF_UNIX)
    with _Short(directory, name) as path:
        sock.bind(path)
        os.chmod(path, 0o600)
    sock.listen(8)
    sock.setblocking(False)
    return sock


def connect(directory: str, name: str) -> Channel | None:
    """Connect to `directory/name`; None when nobody listens there."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        with _Short(directory, name) as path:
            sock.settimeout(1)
            sock.connect(path)
    except OSError:
        sock.close()
        return None
    return Channel(sock)


class _Short:
    """A path through an open directory: a socket's own may have no more than 107 bytes."""

    def __init__(self, directory: str, name: str) -> None:
        self._directory = directory
        self._name = name
        self._descriptor = -1

    def __enter__(self) -> str:
        self._descriptor = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._descriptor}/{self._name}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
