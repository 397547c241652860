"""The kinds of destinations, by the scheme of their address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from projects.core.destinations.folder import Folder
from projects.core.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.core.destinations.destination import Destination


def _open_path(address: str) -> Destination:
    return Folder(Path(address).expanduser())


def _open_file(address: str) -> Destination:
    """Open `file:///path` (RFC 8089)."""
    url = urlsplit(address)
    if url.netloc not in {"", "localhost"}:
        raise UsageError(f"{address} names the host {url.netloc}: write file:///path")
    if not url.path.startswith("/") or url.query or url.fragment:
        raise UsageError(f"{address} is no absolute path: write file:///path, ? and # as %3F, %23")
    return Folder(Path(unquote(url.path, errors="surrogateescape")))


def _open_s3(address: str) -> Destination:
    """Open `s3://bucket/prefix` with the usual credentials and endpoint."""
    from projects.core.destinations.s3 import S3

    return S3(address)


def _open_hub(address: str) -> Destination:
    """Open `hub://host/place`, with the token of the environment or of this machine."""
    from projects.core.destinations.hub import Hub

    return Hub(address)


OPENERS: dict[str, Callable[[str], Destination]] = {
    "": _open_path,
    "file": _open_file,
    "s3": _open_s3,
    "hub": _open_hub,
    "hub+http": _open_hub,
    "hub+https": _open_hub,
}
"""One line per kind; the empty scheme is a path."""


def open_destination(address: str) -> Destination:
    """Return the destination at `address`: a path, `file:///path`, `s3://bucket/prefix`, or a hub.

    Nothing is made and nobody is asked yet.

    Errors
    ------
    UsageError
        The address is empty or malformed, or its scheme is none that we know.
    """
    if not address:
        raise UsageError(
            "the address to export to is empty; give a path, file:///path, s3://bucket/prefix or"
            " hub://host"
        )
    scheme, separator, _ = address.partition("://")
    if not separator or "/" in scheme:
        scheme = ""
    opener = OPENERS.get(scheme.lower())
    if opener is None:
        known = [name for name in OPENERS if name]
        raise UsageError(f"{address}: {unknown('destination', scheme, [*known, '/path'])}")
    return opener(address)
