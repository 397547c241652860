"""One POST to an address that a user chose: to public addresses only, bounded, never redirected."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT = 10.0
"""Seconds that one attempt may take, from the connection to the answer."""

_ANSWER_BYTES = 2000
_LATER = frozenset({408, 425, 429})
_GOOD, _REDIRECT, _CLIENT, _SERVER = 200, 300, 400, 500
_FORBIDDEN = 403
_LONGEST = 86_400.0
_UNICAST = ipaddress.ip_network("2000::/3")
"""What the IPv6 Internet has (RFC 4291 §2.4, IANA); what else there is may lead to IPv4 inside."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt: `delivered`, `refused` for good, or neither: try again."""

    delivered: bool = False
    refused: bool = False
    error: str = ""
    after: float | None = None


class Refused(Exception):
    """The address is none that anything is sent to."""


def is_public(text: str) -> bool:
    """Return whether an IP address is one of the Internet, also behind IPv4 in IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """Return the IP address to connect to: looked up once, so that it is the one checked.

    Raises
    ------
    Refused
        It isn't public.
    OSError
        It isn't known.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise Refused("the name of the host is wrong") from None
    addresses = [str(each[4][0]) for each in found]
    if not allow_private and not all(map(is_public, addresses)):
        raise Refused("the address is private; allow_private in notifications.json allows those")
    return addresses[0]


def post(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> Result:
    """POST once; never raises for what the network does. Errors name the host, not the address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = resolve(host, port, allow_private=allow_private)
        connection = http.client.HTTPConnection(host, parts.port or port, timeout=TIMEOUT)
        sock: socket.socket = socket.create_connection((address, port), TIMEOUT)
    except Refused as error:
        return Result(refused=True, error=f"{host}: {error}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Result(error=f"{host}: {error}")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        sock = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    cut = threading.Timer(TIMEOUT, _cut, [sock])
    cut.daemon = True
    cut.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection.sock = sock
        # An explicit Host: the connection is to an IP address, and the port may be the usual one.
        connection.request("POST", path, body=body, headers={**headers, "Host": parts.netloc})
        return _meaning(host, connection.getresponse())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return Result(error=f"{host}: {error or type(error).__name__}")
    finally:
        cut.cancel()
        connection.close()
        sock.close()


def _cut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # below TLS, which another thread is in


def _meaning(host: str, response: http.client.HTTPResponse) -> Result:
    status = response.status
    response.read(_ANSWER_BYTES)  # not told: it may be of a page that isn't the user's to see
    if _GOOD <= status < _REDIRECT:
        return Result(delivered=True)
    error = f"{host} answered {status}"
    after = retry_after(response.headers.get("Retry-After"))
    if status < _CLIENT:
        return Result(refused=True, error=f"{error}; redirects are not followed")
    limited = status == _FORBIDDEN and after is not None  # GitHub says so
    if status < _SERVER and status not in _LATER and not limited:
        return Result(refused=True, error=error)
    return Result(error=error, after=after)


def retry_after(text: str | None) -> float | None:
    """Return seconds from a Retry-After header, a number or a date (RFC 9110 §10.2.3)."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return min(float(text), _LONGEST)
    import email.utils
    import time

    try:
        at = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - time.time(), 0.0), _LONGEST)
