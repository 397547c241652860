"""The HTTP client of a server: finds its token, tells in one message what is in the way.

Only the standard library: satctl has to start as quickly as Python itself.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from projects.core.errors import InfrastructureError, TopgallantError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:8001"
URL_VARIABLE = "SATELLITE_URL"
TOKEN_VARIABLE = "TOPGALLANT_TOKEN"  # noqa: S105  (its name)

TIMEOUT = 60.0
"""Seconds without a byte after which a server counts as gone; streams have heartbeats of 15 s."""

_PIECE = 64 << 10
_GOOD = range(200, 300)


class Away(InfrastructureError):
    """No server answers at the address, or it went away before its answer was complete."""


class Refused(TopgallantError):
    """The server's answer is an error: `status` of HTTP, `answer` as it came."""

    def __init__(self, message: str, status: int, answer: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.http_status = status
        self.answer = answer


class Address(NamedTuple):
    """Where a server is; `prefix` is the path in front of its routes, mostly empty."""

    url: str
    scheme: str
    host: str
    port: int
    prefix: str


def address_of(url: str) -> Address:
    """Return the parts of a server's address.

    Raises
    ------
    UsageError
        It is none.
    """
    from urllib.parse import urlsplit

    wanted = f"an address looks like {DEFAULT_URL}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r}: {error}; {wanted}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no address of a server; {wanted}")
    if parts.username or parts.query or parts.fragment:
        raise UsageError(f"an address has neither user nor query; {wanted}")
    port = port or (443 if parts.scheme == "https" else 80)
    prefix = parts.path.rstrip("/")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        f"{parts.scheme}://{host}:{port}{prefix}", parts.scheme, parts.hostname, port, prefix
    )


class _Answer(NamedTuple):
    """What came back so far, and the connection that has to be closed in the end."""

    connection: http.client.HTTPConnection
    response: http.client.HTTPResponse


class Client:
    """Calls the server at `url`: $SATELLITE_URL, else this machine's.

    The token is $TOPGALLANT_TOKEN, else one in a file: see `token_files.find`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self.address = address_of(url or self._environ.get(URL_VARIABLE) or DEFAULT_URL)
        self._timeout = timeout

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables that it was made with."""
        return self._environ

    def get(self, path: str, **query: object) -> bytes:
        """Return the body of an answer; parameters that are None are left out.

        Raises
        ------
        Away, Refused
            Nobody answers; the answer is an error.
        """
        return _whole(self._call("GET", _with_query(path, query)), self.address)

    def get_json(self, path: str, **query: object) -> Any:
        """Return the value that `get` brings."""
        return self._read(self.get(path, **query))

    def post(
        self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Send a body of JSON, or none, and return that of the answer."""
        return _whole(self._call("POST", path, body, headers), self.address)

    def post_json(
        self, path: str, value: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Send a value, or none, and return that of the answer."""
        body = None if value is None else json.dumps(value).encode()
        return self._read(self.post(path, body, headers))

    def send_json(self, method: str, path: str, value: Any = None) -> Any:
        """Call with another method; return the value of the answer, None if it has none."""
        body = None if value is None else json.dumps(value).encode()
        answered = _whole(self._call(method, path, body), self.address)
        return self._read(answered) if answered else None

    def send(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> bytes:
        """Send bytes of any kind, which `headers` say; return the body of the answer."""
        return self.send_and_hear(method, path, body, headers, **query)[0]

    def send_and_hear(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> tuple[bytes, http.client.HTTPMessage]:
        """Send as `send` does; return the body of the answer, and its headers."""
        answered = self._call(method, _with_query(path, query), body, headers)
        return _whole(answered, self.address), answered.response.headers

    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, **query: object
    ) -> Iterator[bytes]:
        """Yield an answer in pieces as they come; raises as `get` does, also in between."""
        response = self._call("GET", _with_query(path, query), headers=headers)
        return _pieces(response, self.address)

    def _read(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except ValueError:
            raise Away(f"what answers at {self.address.url} is no server of ours") from None

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        token = self._token()
        sent = {"Accept": "*/*", "Connection": "close", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self._connection()
        try:
            return self._exchange(connection, method, path, body, sent)
        except BaseException:
            connection.close()
            raise

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        sent: Mapping[str, str],
    ) -> _Answer:
        try:
            connection.request(method, self.address.prefix + path, body, sent)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it may have answered before it had all of our body
        except OSError as error:
            raise self._away(error) from None
        except (ValueError, http.client.HTTPException) as error:
            raise UsageError(f"{method} {path[:200]}: {error}") from None
        try:
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._away(error, asked=method) from None
        answer = _Answer(connection, response)
        if response.status not in _GOOD:
            raise self._refused(answer, known="Authorization" in sent)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        address = self.address
        if address.scheme == "https":
            return http.client.HTTPSConnection(address.host, address.port, timeout=self._timeout)
        return http.client.HTTPConnection(address.host, address.port, timeout=self._timeout)

    def _token(self) -> str | None:
        given = self._environ.get(TOKEN_VARIABLE, "").strip()
        if given:
            if not given.isascii() or not given.isprintable():
                raise UsageError(f"{TOKEN_VARIABLE} holds characters that no token has")
            return given
        from projects.jobs.http import token_files

        return token_files.read(self._token_file())

    def _token_file(self) -> Path:
        from projects.jobs.http import token_files

        return token_files.find(self.address.host, self.address.port, self._environ)

    def _away(self, error: Exception, asked: str = "") -> Away:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if asked == "POST":
            said = "look first whether it took what was sent"
            return Away(f"{self.address.url} didn't answer in full ({reason}): {said}")
        start = (
            f"start one with bin/satellite or ./run_toolbox.py server serve, or set {URL_VARIABLE}"
        )
        return Away(
            f"no server answers at {self.address.url} ({reason}): {start} to where one runs"
        )

    def _refused(self, answered: _Answer, *, known: bool) -> Refused:
        answer, response = _whole(answered, self.address), answered.response
        message = _message_in(answer) or f"{response.status} {response.reason}"
        if response.status == http.client.UNAUTHORIZED and not known:
            message = (
                f"{self.address.url} wants a token, and {self._token_file()} has none. A server"
                " writes it for its user on its own machine; anywhere else set"
                f" {TOKEN_VARIABLE}"
            )
        return Refused(message, response.status, answer)


def _with_query(path: str, query: Mapping[str, object]) -> str:
    given = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in query.items()
        if value is not None
    }
    if not given:
        return path
    from urllib.parse import urlencode

    return f"{path}?{urlencode(given)}"


def part(text: str) -> str:
    """Return `text` as one part of a path, whatever is in it."""
    from urllib.parse import quote

    quoted = quote(text, safe="")
    return quoted.replace(".", "%2E") if not quoted.strip(".") else quoted


def _whole(answer: _Answer, address: Address) -> bytes:
    return b"".join(_pieces(answer, address))


def _pieces(answer: _Answer, address: Address) -> Iterator[bytes]:
    connection, response = answer
    try:
        with contextlib.closing(connection), response:
            while piece := response.read1(_PIECE):
                yield piece
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise Away(f"the server at {address.url} went away before it was done ({reason})") from None


def _message_in(answer: bytes) -> str:
    """Return the message of an error, in the form of `/api/v1` or within an envelope."""
    try:
        value = json.loads(answer)
        error = value["data"]["error"] if "data" in value else value["error"]
        return str(error["message"])
    except (ValueError, LookupError, TypeError):
        return ""
