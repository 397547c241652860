"""Just enough of HTTP/1.1 for requests whose answers are short.

What http.client and urllib3 do around a request costs more of the processor than all else of a
small upload. Anything in an answer that is not expected here ends the connection, and whoever asked
tries another way.
"""

from __future__ import annotations

import os
import re
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from projects.core.destinations.s3_client import CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

_LARGEST_HEAD = 64 * 1024
_BLOCK = 256 * 1024
_TIMEVAL = struct.pack("ll", READ_SECONDS, 0)
_NO_CONTENT = 204
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)(?: [^\r\n]*)?\r\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")


class Unexpected(Exception):
    """An answer that only a complete implementation of HTTP understands, or is too long."""


@dataclass(frozen=True, slots=True)
class Piece:
    """`size` bytes of an open file from `start`; several threads may send pieces of one file."""

    file: BinaryIO
    start: int
    size: int

    def __len__(self) -> int:
        """Return the bytes."""
        return self.size

    def read(self, size: int, start: int = 0) -> bytes:
        """Return `size` bytes from `start` of the piece, or less if the file has less."""
        return os.pread(self.file.fileno(), min(size, self.size - start), self.start + start)

    def content(self) -> bytes:
        """Return all of it, or less if the file has less."""
        body = bytearray()
        while len(body) < self.size and (block := self.read(self.size, len(body))):
            body += block
        return bytes(body)


class Wire:
    """One connection; for one thread at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection((host, port), CONNECT_SECONDS)
        self._is_plain = tls is None
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
                self._socket.settimeout(READ_SECONDS)
            else:
                # The kernel's own limits spare a poll(2) before every call.
                self._socket.settimeout(None)
                for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                    self._socket.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL)
            self._answers = self._socket.makefile("rb")
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._answers.close()
        self._socket.close()

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | Piece = b"",
        most: int = 0,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request; return status, headers by names in lower case, and the answer's body.

        Raises OSError, or Unexpected for an answer with a body of more than `most` bytes; the
        connection is of no use then.
        """
        length = f"content-length: {len(body)}\r\n" if method == "PUT" else ""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        head = f"{method} {target} HTTP/1.1\r\n{lines}{length}\r\n".encode("ascii")
        if isinstance(body, Piece):
            self._socket.sendall(head)
            self._send_piece(body)
        elif len(body) < _LARGEST_HEAD:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        return self._answer(0 if method == "HEAD" else most, has_body=method != "HEAD")

    def _send_piece(self, piece: Piece) -> None:
        """Send a piece of a file, without TLS from the system's cache of files directly."""
        sent = 0
        if self._is_plain:
            to, source = self._socket.fileno(), piece.file.fileno()
            while sent < piece.size and (
                count := os.sendfile(to, source, piece.start + sent, piece.size - sent)
            ):
                sent += count
        else:
            while sent < piece.size and (block := piece.read(_BLOCK, sent)):
                self._socket.sendall(block)
                sent += len(block)
        if sent < piece.size:
            raise Unexpected

    def _answer(self, most: int, *, has_body: bool) -> tuple[int, dict[str, str], bytes]:
        first = _STATUS.fullmatch(self._answers.readline(_LARGEST_HEAD))
        if first is None:
            raise Unexpected
        status, headers = int(first[1]), self._headers()
        if headers.get("connection", "").lower() == "close":
            raise Unexpected
        if not has_body or status == _NO_CONTENT:
            return status, headers, b""
        if headers.get("transfer-encoding") == "chunked" and most:
            return status, headers, self._chunks(most)
        length = headers.get("content-length", "")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > most:
            raise Unexpected
        return status, headers, self._read(int(length))

    def _headers(self) -> dict[str, str]:
        headers = {}
        left = _LARGEST_HEAD
        while (line := self._answers.readline(left)) != b"\r\n":
            left -= len(line)
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name.strip() or name[0] in " \t" or not value.endswith("\r\n"):
                raise Unexpected
            headers[name.lower()] = value.strip()
        return headers

    def _chunks(self, most: int) -> bytes:
        """Return a body that comes in chunks (RFC 9112, 7.1), without trailers."""
        received = []
        while size := self._chunk_size():
            most -= size
            if most < 0:
                raise Unexpected
            received.append(self._read(size))
            self._expect_end()
        self._expect_end()
        return b"".join(received)

    def _chunk_size(self) -> int:
        line = _CHUNK.fullmatch(self._answers.readline(_LARGEST_HEAD))
        if line is None:
            raise Unexpected
        return int(line[1], 16)

    def _expect_end(self) -> None:
        if self._answers.readline(_LARGEST_HEAD) != b"\r\n":
            raise Unexpected

    def _read(self, size: int) -> bytes:
        body = self._answers.read(size)
        if len(body) < size:
            raise Unexpected
        return body
