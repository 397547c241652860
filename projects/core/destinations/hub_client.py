"""The connection to a hub: token, requests, and what its errors mean for people."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from projects.core.errors import InfrastructureError
from projects.core.secrets.masking import mask, register

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

ATTEMPTS = 5
SECONDS = 60
_SLOWEST_HASH = 50 << 20
"""Bytes a second that a server is expected to take and compare at least."""

_BLOCK = 1 << 20
_LARGEST_ANSWER = 256 << 20
_OK, _WRONG, _UNAUTHORIZED = 200, 400, 401
_AGAIN = {409, 422}
"""What a content is answered with that isn't what was said, or is being sent already."""

PASSING = {408, 429, 502, 503, 504}
"""What goes by: the same may be asked again a moment later."""


class Refused(InfrastructureError):
    """The hub says no; `status` is that of HTTP, `said` its words, `fields` what it says apart."""

    def __init__(self, message: str, status: int, said: str, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status, self.said, self.fields = status, said, dict(fields)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub has answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return its values."""
        return json.loads(self.body)


def token_for(base: str, environ: Mapping[str, str]) -> str:
    """Return the token for a hub: TOPGALLANT_TOKEN, else what a server on this machine has left.

    That is `$XDG_STATE_HOME/topgallant/tokens/HOST_PORT`, `~/.local/state` by default. Empty: none.
    """
    if token := environ.get("TOPGALLANT_TOKEN", "").strip():
        return token
    url = urlsplit(base)
    port = url.port or (443 if url.scheme == "https" else 80)
    home = environ.get("HOME") or os.path.expanduser("~")
    state = environ.get("XDG_STATE_HOME") or os.path.join(home, ".local", "state")
    path = Path(state) / "topgallant" / "tokens" / f"{(url.hostname or '').lower()}_{port}"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8").strip()
    return ""


class Client:
    """Asks one hub, from several threads at once."""

    def __init__(self, base: str, token: str | None = None) -> None:
        self.base = base
        self._token = token_for(base, os.environ) if token is None else token
        if self._token:
            register(self._token, "hub token")
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._tls: ssl.SSLContext | None = None

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        body: bytes = b"",
        media: str = "application/json",
    ) -> Answer:
        """Return the answer to a request that may be made twice; the body of it all.

        Raises
        ------
        Refused
            The hub says no.
        InfrastructureError
            It doesn't answer, after ATTEMPTS.
        """
        headers = {"Content-Type": media} if body else {}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._once(method, path, query, body, headers)
            except (OSError, http.client.HTTPException) as error:
                if attempt == ATTEMPTS:
                    raise self._broken(error) from None
            else:
                if answer.status not in PASSING or attempt == ATTEMPTS:
                    return self._checked(answer)
            if attempt > 1:  # the first one often is a connection that was closed as nobody spoke
                time.sleep(0.1 * 2**attempt)
        raise AssertionError  # the last attempt has returned or raised

    def send(self, path: str, query: Mapping[str, str | int], content: BinaryIO, size: int) -> int:
        """Send `size` bytes of `content` once; return the status, or 0 if the connection broke."""
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        timeout = SECONDS + size / _SLOWEST_HASH
        try:
            answer = self._once("PUT", path, query, _Part(content, size), headers, timeout=timeout)
        except (OSError, http.client.HTTPException):
            return 0
        if answer.status in _AGAIN | PASSING:
            return answer.status
        self._checked(answer)
        return answer.status

    def open(self, path: str) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        """Return an answer that is read bit by bit, and its connection, to be closed."""
        connection = self._new(SECONDS)
        try:
            connection.request("GET", path, headers=self._headers({}))
            response = connection.getresponse()
            if response.status != _OK:
                body = response.read(_BLOCK)
                connection.close()
                self._checked(Answer(response.status, dict(response.getheaders()), body))
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._broken(error) from None
        return response, connection

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __del__(self) -> None:
        self.close()

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: bytes | _Part,
        headers: Mapping[str, str],
        *,
        timeout: float = SECONDS,
    ) -> Answer:
        with self._lock:
            connection = self._idle.pop() if self._idle else self._new(timeout)
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        target = path + (f"?{urlencode(query)}" if query else "")
        is_done = False
        try:
            # A server that refuses before all has come says why, if one listens.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.request(method, target, body or None, self._headers(headers))
                is_done = True
            response = connection.getresponse()
            content = response.read(_LARGEST_ANSWER)
            is_done = is_done and response.isclosed() and not response.will_close
        except BaseException:
            connection.close()
            raise
        if is_done:
            with self._lock:
                self._idle.append(connection)
        else:
            connection.close()
        return Answer(response.status, dict(response.getheaders()), content)

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        url = urlsplit(self.base)
        host = url.hostname or ""
        if url.scheme != "https":
            return http.client.HTTPConnection(host, url.port, timeout=timeout, blocksize=_BLOCK)
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
        return http.client.HTTPSConnection(
            host, url.port, timeout=timeout, blocksize=_BLOCK, context=self._tls
        )

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        known = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return {"Accept": "application/json", **known, **more}

    def _broken(self, error: Exception) -> InfrastructureError:
        said = mask(str(error)) or type(error).__name__
        return InfrastructureError(f"{self.base}: the hub doesn't answer: {said}")

    def _checked(self, answer: Answer) -> Answer:
        if answer.status < _WRONG:
            return answer
        said, fields = "", {}
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            error = answer.json()["error"]
            said, fields = mask(str(error["message"])), dict(error.get("fields") or {})
        said = said or f"HTTP status {answer.status}"
        advice = ""
        if answer.status == _UNAUTHORIZED:
            advice = "; set TOPGALLANT_TOKEN, or name a file in secrets.hub_token"
        raise Refused(f"{self.base}: {said}{advice}", answer.status, said, fields)


class _Part:
    """The next `size` bytes of a file, for http.client to read."""

    def __init__(self, content: BinaryIO, size: int) -> None:
        self._content, self._left = content, size

    def read(self, size: int = _BLOCK) -> bytes:
        """Return what comes next; less than was announced breaks the connection."""
        data = self._content.read(min(size, self._left))
        if not data and self._left:
            raise OSError("the file has become shorter while it was sent")
        self._left -= len(data)
        return data


def quoted(path: str) -> str:
    """Return a path for an address; bytes that are no UTF-8 as they are."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")
