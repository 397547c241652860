"""Why a request is refused: each with its HTTP status, all mistakes at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SHOWN = 20
"""So many mistakes of one request are listed; the message counts the rest."""


class InvalidRequest(UsageError):
    """A submission has mistakes; `fields` maps `job_specs[3].params.a` to what is wrong with it."""

    http_status = 422

    def __init__(self, fields: Mapping[str, str], *, count: int | None = None) -> None:
        self.fields = dict(list(fields.items())[:MOST_SHOWN])
        self.count = len(fields) if count is None else count
        lines = [f"{where}: {what}" for where, what in self.fields.items()]
        if self.count > len(lines):
            lines.append(f"… {self.count - len(lines)} more")
        super().__init__("; ".join(lines))


class TooLarge(UsageError):
    """A submission passes one of the bounds; the message has the number."""

    http_status = 413


class NotFound(UsageError):
    """There is no job or submission of this id."""

    http_status = 404


class Conflict(UsageError):
    """The job's state doesn't allow it: a retry before the end, a cancel after it."""

    http_status = 409
