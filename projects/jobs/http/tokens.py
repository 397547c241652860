"""Tokens: random texts that open the server; only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Literal, get_args

from projects.jobs.model import identity, moment
from projects.jobs.model.entities import Token

if TYPE_CHECKING:
    from collections.abc import Sequence

Scope = Literal["read", "submit", "admin", "satellite"]
"""What a token opens; of the first three each includes the one before it.

`satellite`: it registers, and sends results; nothing else.
"""

Wanted = Literal["read", "submit", "admin", "satellite", "upload"]
"""What a route needs; `upload` is open to all who send results."""

SCOPES: tuple[Scope, ...] = get_args(Scope)
ENOUGH: dict[Wanted, frozenset[str]] = {
    "read": frozenset({"read", "submit", "admin"}),
    "submit": frozenset({"submit", "admin"}),
    "admin": frozenset({"admin"}),
    "satellite": frozenset({"satellite", "admin"}),
    "upload": frozenset({"submit", "satellite", "admin"}),
}
"""The scopes that open what needs a key of this."""

PREFIX = "tg_"
"""Lets scanners of secrets recognise a token, and people too."""


def digest(text: str) -> str:
    """Return what is kept of a token: SHA-256, hexadecimal.

    A plain hash is enough: 32 random bytes can't be guessed, however fast the hash.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def issue(
    owner: str, scopes: Sequence[Scope], *, label: str = "", lifetime: float | None = None
) -> tuple[str, Token]:
    """Return the text of a new token, which nobody can show again, and what is to be kept of it.

    Parameters
    ----------
    lifetime
        Seconds after which it opens nothing any more; None: it doesn't expire.
    """
    text = PREFIX + secrets.token_urlsafe(32)
    now = moment.now()
    return text, Token(
        id=identity.new(),
        hash=digest(text),
        owner=owner,
        label=label,
        scopes=tuple(scopes),
        created=now,
        expires=None if lifetime is None else now + round(lifetime * moment.SECOND),
    )


def includes(scopes: Sequence[str], wanted: Wanted) -> bool:
    """Return whether one of `scopes` is `wanted` or a greater one; unknown ones count nothing."""
    return not ENOUGH[wanted].isdisjoint(scopes)


def is_good(token: Token, now: int) -> bool:
    """Return whether a token is neither revoked nor expired."""
    return token.revoked is None and (token.expires is None or now < token.expires)
