"""Those who are told: a mail server and a web server, small and real, with moods."""

from __future__ import annotations

import contextlib
import http.server
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Heard:
    """What came, and how it is answered: the first of `moods` as long as there are any."""

    address: tuple[str, int] = ("", 0)
    moods: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)

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
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with _serving(http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler), heard):
        yield heard


@contextlib.contextmanager
def mail_server() -> Iterator[Heard]:
    """Take mails as RFC 5321 has it; in a mood it answers the recipient with that code."""
    heard = Heard()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                verb = line[:4].upper().strip()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b""
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        text += part
                    heard.mails.append(text.decode())
                    answer = "250 taken"
                elif verb == b"RCPT" and heard.moods:
                    answer = f"{heard.moods.pop(0)[0]} not now"
                else:
                    answer = "221 bye" if verb == b"QUIT" else "250 fine"
                self.wfile.write(f"{answer}\r\n".encode())
                if verb == b"QUIT":
                    return

    with _serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler), heard):
        yield heard


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
