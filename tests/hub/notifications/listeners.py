"""Those who are told: a mail server and a web server, small and real, with moods."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Heard:
    """What came, and how it is answered: the first of `moods` as long as there are any."""

    address: tuple[str, int] = ("", 0)
    moods: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    refuses: Callable[[bytes], bool] = lambda _: False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address[1]}/hook"


@contextlib.contextmanager
def web_server(port: int = 0) -> Iterator[Heard]:
    """Serve; 200 unless it is in another mood."""
    heard = Heard()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.requests.append((self.path, dict(self.headers.items()), body))
            status, headers = heard.moods.pop(0) if heard.moods else (200, {})
            if heard.refuses(body):
                status = 500
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler), heard):
        yield heard


@contextlib.contextmanager
def mail_server(tls: ssl.SSLContext | None = None) -> Iterator[Heard]:
    """Take mails as RFC 5321 has it; in a mood it answers the recipient with that code.

    With `tls` it offers STARTTLS; who logs in is in `requests`.
    """
    heard = Heard()

    class Handler(_MailHandler):
        mine = heard
        context = tls

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), heard):
        yield heard


class _MailHandler(socketserver.BaseRequestHandler):
    mine: Heard
    context: ssl.SSLContext | None

    def handle(self) -> None:
        self.request.sendall(b"220 here\r\n")
        if not self.talk(self.request, secure=False) or self.context is None:
            return
        try:
            inside = self.context.wrap_socket(self.request, server_side=True)
        except ssl.SSLError:  # it doesn't trust us
            return
        with inside:
            self.talk(inside, secure=True)

    def talk(self, sock: Any, *, secure: bool) -> bool:
        """Answer until the end, or until TLS is wanted; return whether it is."""
        with sock.makefile("rb") as said:
            while line := said.readline():
                verb = line[:4].upper().strip()
                sock.sendall(self.answer(verb, line, secure=secure))
                if verb == b"DATA":
                    text = b""
                    while (part := said.readline()) not in (b".\r\n", b""):
                        text += part
                    self.mine.mails.append(text.decode())
                    sock.sendall(b"250 taken\r\n")
                if verb == b"STAR" and self.context is not None:
                    return True
        return False

    def answer(self, verb: bytes, line: bytes, *, secure: bool) -> bytes:
        if verb == b"AUTH":
            self.mine.requests.append(("AUTH", {}, line))
        if verb == b"RCPT" and self.mine.moods:
            return f"{self.mine.moods.pop(0)[0]} not now\r\n".encode()
        if verb == b"EHLO" and self.context is not None:
            return b"250-here\r\n250 " + (b"AUTH PLAIN" if secure else b"STARTTLS") + b"\r\n"
        known = {b"DATA": b"354 go on", b"STAR": b"220 go on", b"AUTH": b"235 welcome"}
        return known.get(verb, b"250 fine") + b"\r\n"


@contextlib.contextmanager
def _serving(server: Any, heard: Heard) -> Iterator[None]:
    heard.address = server.server_address
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
