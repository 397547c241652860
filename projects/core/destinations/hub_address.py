"""The addresses of a hub: what people configure, what an export leads to; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from projects.core.errors import UsageError

SCHEMES = {"hub": "https", "hub+http": "http", "hub+https": "https"}
_PAGE = re.compile(r"(https?://[^/?#]+)/artifacts/([A-Za-z0-9_-]{22})(?:/[^?#]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A place in a hub: `base` is `http://host:port`, `place` what the run is called there."""

    base: str
    place: str

    def __str__(self) -> str:
        """Return it as it is configured."""
        return f"hub+{self.base}/{self.place}"


@dataclass(frozen=True, slots=True)
class HubRun:
    """A run in a hub: what `base`/artifacts/`id` is the page of; `given` is what it was called."""

    given: str
    base: str
    id: str


def parse(address: str) -> HubPlace:
    """Return the place that `hub://host[:port]/place` names; that is https, hub+http is http.

    Errors
    ------
    UsageError
        There is no host, or something that no place has: a user, a question mark, a fragment.
    """
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        raise UsageError(f"{address}: {error}; write hub://HOST[:PORT]") from None
    scheme = SCHEMES.get(url.scheme.lower(), "")
    if not scheme or not url.hostname or url.query or url.fragment:
        raise UsageError(f"{address}: write hub://HOST[:PORT], or hub+http:// without TLS")
    if url.username is not None:
        raise UsageError(f"{url.hostname}: a hub takes a token, no user in its address")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    where = f"{scheme}://{host}" + (f":{port}" if port is not None else "")
    return HubPlace(where, unquote(url.path, errors="surrogateescape").strip("/"))


def parse_page(address: str) -> HubRun | None:
    """Return the run that the address of a page means; None: it isn't one of a hub's runs."""
    found = _PAGE.fullmatch(address.strip())
    return HubRun(address, found[1], found[2]) if found else None


def page_address(base: str, id_: str) -> str:
    """Return the address of the page of a run."""
    return f"{base}/artifacts/{id_}"
