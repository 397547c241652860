"""Why a call is refused before anything is looked at: who asks, from where, with what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refusal(UsageError):
    """A call is refused; `headers` go with the answer, `fields` says what is wrong where."""

    def __init__(
        self,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.headers = dict(headers or {})
        self.fields = dict(fields or {})
        super().__init__(message)


class Invalid(Refusal):
    """A parameter or the body isn't what the route takes."""

    http_status = 422


class Unauthorized(Refusal):
    """No token, or none that opens anything."""

    http_status = 401


class Elsewhere(Refusal):
    """The browser is sent to the address in `Location` with GET: first log in."""

    http_status = 303


class Forbidden(Refusal):
    """The token is good, but not for this."""

    http_status = 403


class Absent(Refusal):
    """There is nothing of this name that the caller may see."""

    http_status = 404


class TooLarge(Refusal):
    """The body passes its bound."""

    http_status = 413


class WrongMedia(Refusal):
    """The body isn't said to be JSON."""

    http_status = 415


class BadRange(Refusal):
    """The bytes asked for aren't there."""

    http_status = 416


class TooManyAttempts(Refusal):
    """Too many wrong tokens came from one address."""

    http_status = 429


class Busy(InfrastructureError):
    """So many streams are open, or calls write, that no further one is begun."""
