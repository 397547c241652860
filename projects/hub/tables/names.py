"""Names of tables in addresses: both percent-encoded, each one part of the path, slashes included.

A server gets the path decoded, where `%2F` looks like any other slash. `WholeNames` reads it as it
was sent, and lets a sign stand for a slash within a name until a route has its parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import BeforeValidator

from projects.hub.tables.columns import MOST_NAME
from projects.jobs.http.refusals import Invalid

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PREFIXES = ("/api/v1/tables/", "/tables/")
"""The addresses below which names of tables are."""

_SLASH = "\ue02f"
"""Not printable (it is for private use), so in no name."""

_ENCODED = b"%2f"


class WholeNames:
    """Middleware that keeps a slash within a name from being taken for the end of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIXES):
            raw = scope["raw_path"].partition(b"?")[0]
            if _ENCODED in raw.lower():
                scope["path"] = _marked(raw.decode("latin-1"))
        await self.app(scope, receive, send)


def _marked(raw: str) -> str:
    return "/".join(unquote(part).replace("/", _SLASH) for part in raw.split("/"))


def unmarked(name: object) -> object:
    """Return a parameter of a route as it was sent."""
    return name.replace(_SLASH, "/") if isinstance(name, str) else name


System = Annotated[
    str, BeforeValidator(unmarked), Path(description="the test system", max_length=300)
]
Test = Annotated[
    str, BeforeValidator(unmarked), Path(description="the name of the test", max_length=300)
]


def address(test_system: str, test_name: str) -> str:
    """Return the end of the addresses of a table: both names, encoded."""
    return f"{quote(test_system, safe='')}/{quote(test_name, safe='')}"


def check_name(name: str, what: str) -> None:
    """Refuse a name that no table can have.

    Raises
    ------
    Invalid
        It is too long, has characters that aren't printable, or is `.` or `..`, which browsers
        and other clients take out of addresses however they are encoded (WHATWG URL, RFC 3986).
    """
    said = ""
    if not name.strip() or len(name) > MOST_NAME or not name.isprintable():
        said = f"1 to {MOST_NAME} printable characters are one, not {name[:60]!r}"
    elif name in (".", ".."):
        said = f"{name!r} can't be part of an address: choose another"
    if said:
        raise Invalid(f"{what}: {said}", fields={what: said})
