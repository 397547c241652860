"""The address under which the hub is to call this satellite."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from urllib.parse import urlsplit

EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104  (compared with, not bound to)


def url(scheme: str, host: str, port: int, export_host: str, hub: str) -> str:
    """Return the address: with `export_host` if it is given, else with one that is found.

    A server that listens at one address is reached there; of one that listens everywhere it is
    the address from which this machine's packets to the hub come, else the machine's name.
    """
    name = export_host or (host if host not in EVERYWHERE else _own_address(hub))
    if ":" in name:
        name = f"[{name.strip('[]')}]"
    return f"{scheme}://{name}:{port}"


def warning(host: str, export_host: str) -> str:
    """Return what is to be said when a hub can't come in; empty when it can."""
    if not export_host or host in EVERYWHERE or not _is_loopback(host):
        return ""
    if _is_loopback(export_host):
        return ""
    return (
        f"-e {export_host} is told to the hub, but only this machine reaches {host}: add"
        " --host=0.0.0.0 (and --tls_certificate, as tokens come over the network)"
    )


def _own_address(hub: str) -> str:
    parts = urlsplit(hub)
    with contextlib.suppress(OSError):
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.connect(address)  # of UDP: nothing is sent
            return str(sock.getsockname()[0])
    return socket.gethostname()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return False
