"""Just enough of HTTP/1.1 for small requests whose answers have no body, sent in one piece.

What http.client and urllib3 do around a request costs more of the processor than all else of a
small upload. Anything in an answer that is not expected here ends the connection, and whoever asked
tries another way.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from projects.core.destinations.s3_client import CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

_LARGEST_HEAD = 64 * 1024
_OK, _NO_CONTENT = 200, 204
_END = b"\r\n\r\n"


class Unexpected(Exception):
    """An answer that only a complete implementation of HTTP understands."""


class Wire:
    """One connection; for one thread at a time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._socket = socket.create_connection((host, port), CONNECT_SECONDS)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=host)
            self._socket.settimeout(READ_SECONDS)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str]]:
        """Send a request and return status and headers, by names in lower case.

        Raises OSError, or Unexpected for an answer with a body; the connection is of no use then.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        if method == "PUT":
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join(lines).encode("ascii") + _END
        if len(body) < _LARGEST_HEAD:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)
        return self._answer(has_body=method != "HEAD")

    def _answer(self, *, has_body: bool) -> tuple[int, dict[str, str]]:
        received = b""
        while not received.endswith(_END):
            more = self._socket.recv(_LARGEST_HEAD)
            received += more
            if not more or len(received) > _LARGEST_HEAD:
                raise Unexpected
        first, *rest = received[: -len(_END)].decode("latin-1").split("\r\n")
        version, _, status = first.partition(" ")
        headers = {}
        for line in rest:
            name, colon, value = line.partition(":")
            if not colon or not name.strip() or name[0] in " \t":
                raise Unexpected
            headers[name.lower()] = value.strip()
        if version != "HTTP/1.1" or not status[:3].isdigit() or int(status[:3]) < _OK:
            raise Unexpected
        empty = headers.get("content-length") == "0" or int(status[:3]) == _NO_CONTENT
        if has_body and not empty:
            raise Unexpected
        if headers.get("connection", "").lower() == "close":
            raise Unexpected
        return int(status[:3]), headers
