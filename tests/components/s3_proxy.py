"""A proxy in front of the S3 server: it writes down what is stored, and ends an upload half-way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import unquote, urlsplit

from projects.bench.library.radosgw import Server

OWN = "/.topgallant-export/"
"""What is in the key of an object that is for the export itself, not of the directory."""

_NOT_FORWARDED = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


class Proxy(ThreadingHTTPServer):
    """Forwards requests; writes go one after another, so exactly `limit` files are stored.

    `stored` has the keys of the files that the server took since `begin`, in their order.
    """

    def __init__(self, server: Server) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.to = urlsplit(server.endpoint).netloc
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.stored: list[str] = []
        self.writing = threading.Lock()
        self._limit: int | None = None
        self._at_limit: Callable[[], object] | None = None

    def begin(self, limit: int | None = None, at_limit: Callable[[], object] | None = None) -> None:
        """Write down anew; when `limit` files are stored, call `at_limit` and answer no more."""
        with self.writing:
            self.stored = []
            self._limit = limit
            self._at_limit = at_limit

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self._limit is not None and len(self.stored) >= self._limit

    def write_down(self, key: str) -> None:
        """Take down that a file is stored; called with `writing` held."""
        if OWN in key:
            return
        self.stored.append(key)
        if self.is_over and self._at_limit:
            self._at_limit()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _read(self) -> None:
        self._forward(b"")

    def _write(self) -> None:
        proxy = cast("Proxy", self.server)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with proxy.writing:
            if not proxy.is_over:
                self._forward(body)
        if proxy.is_over:
            self.close_connection = True

    do_GET = do_HEAD = _read  # noqa: N815 - the library's names
    do_PUT = do_POST = do_DELETE = _write  # noqa: N815

    def _forward(self, body: bytes) -> None:
        """Have the server answer, and pass it on unless that was the last write."""
        proxy = cast("Proxy", self.server)
        connection = HTTPConnection(proxy.to, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _NOT_FORWARDED:
                connection.putheader(name, value)
        if self.command in {"PUT", "POST"}:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if self.command == "PUT" and answer.status == HTTPStatus.OK:
            proxy.write_down(unquote(urlsplit(self.path).path).split("/", 2)[2])
            if proxy.is_over:
                return
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_FORWARDED:
                self.send_header(name, value)
        length = answer.getheader("content-length") if self.command == "HEAD" else None
        self.send_header("content-length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxied(server: Server) -> Iterator[Proxy]:
    """Run a proxy while the context lasts."""
    with Proxy(server) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
