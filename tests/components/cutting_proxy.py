"""A bad road: each connection breaks when so many bytes have gone one way."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator


class CuttingProxy:
    """Passes bytes on; of each connection at most `most` from the client, then it is reset.

    `cuts` counts those that were. It may be run as a program: ADDRESS-PORT MOST.
    """

    def __init__(self, port: int, most: int) -> None:
        self.to = ("127.0.0.1", port)
        self.most = most
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until it is closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.to) as server:
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            if _copy(client, server, self.most):
                self.cuts += 1
                for each in (client, server):
                    each.setsockopt(
                        socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                    )  # a reset, not an end
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RD)
                return
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            back.join()


def _copy(source: socket.socket, to: socket.socket, most: int | None = None) -> bool:
    """Copy until the end; return whether `most` bytes came before."""
    passed = 0
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 18):
            to.sendall(data)
            passed += len(data)
            if most is not None and passed >= most:
                return True
    return False


@contextlib.contextmanager
def cutting(port: int, most: int) -> Iterator[CuttingProxy]:
    """Run a proxy in a thread."""
    proxy = CuttingProxy(port, most)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


if __name__ == "__main__":
    made = CuttingProxy(int(sys.argv[1]), int(sys.argv[2]))
    print(made.url, flush=True)
    made.serve()
