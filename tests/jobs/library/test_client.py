"""The client against servers that answer in every way they can."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from projects.core.errors import UsageError
from projects.jobs.http import token_files
from projects.jobs.library.client import Away, Client, Refused, address_of, part


class Canned:
    """Answers the first call with given bytes, keeps what was sent."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.heard = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while not self._is_whole():
                self.heard += connection.recv(65536)
            connection.sendall(self._answer)

    def _is_whole(self) -> bool:
        head, end, body = self.heard.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return bool(end) and len(body) >= (int(length[1]) if length else 0)

    def close(self) -> None:
        self._thread.join()
        self._socket.close()


Answering = Callable[[bytes], Canned]


@pytest.fixture
def answering() -> Iterator[Answering]:
    begun = []

    def begin(answer: bytes) -> Canned:
        begun.append(Canned(answer))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


def client(port: int, home: Path, **environ: str) -> Client:
    return Client(f"http://127.0.0.1:{port}", environ={"HOME": str(home), **environ}, timeout=10)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://host", "http://host:80"),
        ("https://HOST/x/", "https://host:443/x"),
        ("http://[::1]:8001", "http://[::1]:8001"),
    ],
)
def test_addresses_are_read(text: str, url: str) -> None:
    assert address_of(text).url == url


@pytest.mark.parametrize(
    "text", ["", "host:8001", "ftp://h", "http://", "http://h:x", "http://u:p@h", "http://h/?a"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        address_of(text)


def test_the_token_is_the_given_one_else_that_of_the_server_s_file(
    answering: Answering, tmp_path: Path
) -> None:
    server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    environ = {"HOME": str(tmp_path)}
    token_files.write(token_files.path_for("127.0.0.1", server.port, environ), "from-the-file")
    assert client(server.port, tmp_path).get_json("/x", a=None, b=True, c="ä&") == {}
    assert b"GET /x?b=true&c=%C3%A4%26 HTTP/1.1" in server.heard
    assert b"Authorization: Bearer from-the-file" in server.heard
    server = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    client(server.port, tmp_path, TOPGALLANT_TOKEN="given").post_json("/x", {"a": 1})
    assert b"Authorization: Bearer given" in server.heard
    assert server.heard.endswith(b'{"a": 1}')


def test_a_token_with_a_line_break_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="TOPGALLANT_TOKEN"):
        client(9, tmp_path, TOPGALLANT_TOKEN="a\r\nX: b").get("/")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no"}}', "no"),
        (b'{"data": {"error": {"message": "no"}}}', "no"),
        (b"<html>", "409 Conflict"),
        (b"[]", "409 Conflict"),
        (b'{"error": "x"}', "409 Conflict"),
    ],
)
def test_a_refusal_has_its_message_in_either_form(
    answering: Answering, tmp_path: Path, body: bytes, said: str
) -> None:
    server = answering(b"HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n" + body)
    with pytest.raises(Refused) as caught:
        client(server.port, tmp_path).get("/")
    assert (str(caught.value), caught.value.status, caught.value.answer) == (said, 409, body)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<htm>",
    ],
)
def test_half_an_answer_and_nonsense_mean_that_no_server_of_ours_is_there(
    answering: Answering, tmp_path: Path, answer: bytes
) -> None:
    with pytest.raises(Away):
        client(answering(answer).port, tmp_path).get_json("/")


def test_after_a_post_that_broke_off_it_says_to_look(answering: Answering, tmp_path: Path) -> None:
    with pytest.raises(Away, match="look first whether it took what was sent"):
        client(answering(b"").port, tmp_path).post("/x", b"{}")


def test_parts_of_paths_stay_parts() -> None:
    assert part("a/b c%?#") == "a%2Fb%20c%25%3F%23"
    assert part("..") == "%2E%2E"
    assert part("a.b") == "a.b"
