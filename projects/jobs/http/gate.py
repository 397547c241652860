"""What stands before the application: the Host check, headers for every answer, counting."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import time
from typing import TYPE_CHECKING

from projects.jobs.http.failures import LOGGED, answer, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastapi import FastAPI
    from starlette.types import Message, Receive, Scope, Send

_logger = logging.getLogger(__name__)
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s\[\]/@:?#\\]+))(?::[0-9]{0,5})?")

_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)


class Broken(Exception):
    """An answer couldn't be finished; the reason is in the log already."""


class Gate:
    """Wraps `app` as an ASGI application; `hosts` are the names that it answers to.

    A page of another site that lets its name point at this machine (DNS rebinding) comes with
    that name in `Host`: it is refused. `hosts` None: any name, for a server that is not only on
    the loopback interface. `count` is called with method, route, status and seconds of each call.
    HEAD is answered wherever GET is.
    """

    def __init__(
        self,
        app: FastAPI,
        *,
        hosts: Iterable[str] | None,
        count: Callable[[str, str, int, float], None],
    ) -> None:
        self.app = app
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        complete = False

        async def send_on(message: Message) -> None:
            nonlocal status, complete
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                present = {name for name, _ in headers}
                message["headers"] = [
                    *headers,
                    *(header for header in _HEADERS if header[0] not in present),
                ]
            elif not message.get("more_body"):
                complete = True
            await send(message)

        method = scope["method"]
        if method == "HEAD":
            scope = {**scope, "method": "GET"}
            receive, answer_with = without_body(receive, send_on)
        else:
            answer_with = send_on
        try:
            if not self._is_for_us(scope):
                await self._misdirected(scope, receive, answer_with)
            else:
                await self.app(scope, receive, answer_with)
        except Exception as error:
            if LOGGED not in scope:  # it came while the answer was sent
                _logger.error(  # noqa: TRY400  (with the traceback, masked)
                    "%s %s broke off\n%s", method, scope["path"], traced(error)
                )
            # What was begun must not look as if it were whole: the connection is closed.
            if not complete:
                raise Broken from None
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._count(method, route, status, time.perf_counter() - began)

    def _is_for_us(self, scope: Scope) -> bool:
        if self._hosts is None:
            return True
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return name_of(host.decode("latin-1")) in self._hosts

    async def _misdirected(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = answer(
            self.app.state.error_forms,
            scope["path"],
            421,
            "this server doesn't answer to the name in the header Host;"
            " start it with --allowed_hosts to add a name",
        )
        await response(scope, receive, send)


def without_body(receive: Receive, send: Send) -> tuple[Receive, Send]:
    """Return what makes a GET the answer to a HEAD: the same head, and nothing after it.

    Whatever would stream for long is told that the client has gone.
    """
    begun = asyncio.Event()
    asked = False

    async def receive_once() -> Message:
        nonlocal asked
        if not asked:
            asked = True
            return await receive()
        await begun.wait()
        return {"type": "http.disconnect"}

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            begun.set()

    return receive_once, send_head


def name_of(host: str) -> str:
    """Return the name in a `Host` header, without port, in lower case; empty: it is none."""
    found = _HOST.fullmatch(host.strip().lower())
    return (found[1] or found[2]) if found else ""


def is_loopback(host: str) -> bool:
    """Return whether a server bound to `host` is reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def loopback_names(host: str) -> set[str]:
    """Return the names under which a server bound to the loopback address `host` is called."""
    return {"localhost", "127.0.0.1", "::1", host.strip("[]").lower()}
