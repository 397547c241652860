"""The socket of a server: bound first, so that a mistake costs nothing."""

from __future__ import annotations

import errno
import socket

from projects.core.errors import InfrastructureError, UsageError

MOST_PORT = 65535


def bind(host: str, port: int, patience: float) -> socket.socket:
    """Return a socket at `host`:`port` that doesn't listen yet; port 0 is one that is free.

    A client that takes nothing of what was sent for `patience` seconds loses its connection
    (TCP_USER_TIMEOUT of tcp(7), which accepted connections inherit), so that its buffers do, too.

    Raises
    ------
    UsageError
        The port is no port, or the host no name of this machine.
    InfrastructureError
        Another program listens there, or the user may not.
    """
    if not 0 <= port <= MOST_PORT:
        raise UsageError(f"--port={port}: a port is a number from 0 (one that is free) to 65535")
    try:
        found = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"--host={host}: there is no such name ({error})") from None
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(patience * 1000))
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise _refused(host, port, error) from None
    return sock


def _refused(host: str, port: int, error: OSError) -> InfrastructureError | UsageError:
    if error.errno == errno.EADDRINUSE:
        return InfrastructureError(
            f"another program listens at {host}:{port} already (a server, perhaps);"
            " stop it, or choose another port with --port (0: one that is free)"
        )
    if error.errno == errno.EACCES:
        return InfrastructureError(
            f"this user may not listen at port {port}: ports below 1024 belong to root"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return UsageError(f"--host={host}: this machine doesn't have this address")
    return InfrastructureError(f"{host}:{port}: {error.strerror}")
