"""Connections that bring no call."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from projects.server.app.asgi import Connection

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    while scope["method"] == "POST" and (come := await receive()).get("more_body"):
        if come["body"].startswith(b"slow"):  # so long that the server stops reading, and longer
            await asyncio.sleep(0.6)
    length = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": length})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Where a server listens that waits for 0.2 s for a call."""
    config = uvicorn.Config(
        app,
        http=Connection,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=0.2,  # type: ignore[arg-type]
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join()


def answer(address: tuple[str, int], sent: bytes) -> bytes:
    """Return all that comes until the server closes the connection."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD, POST, POST + b"x" * 100_000])
def test_a_connection_without_a_whole_call_is_closed(address: tuple[str, int], sent: bytes) -> None:
    assert answer(address, sent) == b""


@pytest.mark.parametrize(("begin", "drop"), [(HEAD, b"x: y\r\n"), (POST, b"x")])
def test_drips_win_no_time(address: tuple[str, int], begin: bytes, drop: bytes) -> None:
    with socket.create_connection(address, timeout=30) as connection:
        stop = threading.Event()

        def drip() -> None:
            connection.sendall(begin)
            try:
                while not stop.wait(0.02):
                    connection.sendall(drop)
            except OSError:
                pass  # closed, as it should be

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert connection.recv(1) == b""
        except ConnectionResetError:
            pass  # a drip was on its way
        finally:
            stop.set()
            thread.join()


def test_a_body_that_the_server_is_slow_to_read_is_waited_for(address: tuple[str, int]) -> None:
    assert b"200 OK" in answer(address, POST + b"slow" + b"x" * 999_996)


def test_calls_are_answered_until_none_comes(address: tuple[str, int]) -> None:
    said = answer(address, (HEAD + b"\r\n") * 3)
    assert said.count(b"200 OK") == 3


def test_nobody_gets_another_protocol(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    wanted = b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert b"200 OK" in answer(address, HEAD + wanted)
    assert not caplog.records
