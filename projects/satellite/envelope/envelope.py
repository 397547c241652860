"""Every answer of the satellite: when it was given, by which version, and what it says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Mapping


def local(at: int | None) -> str | None:
    """Return a moment as the satellite writes it, in the local time of this machine, naive.

    `2020-05-26 17:07:22.844929`
    """
    if at is None:
        return None
    seconds, micros = divmod(at, moment.SECOND)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(seconds))}.{micros:06d}"


def enveloped(data: Any, version: str) -> dict[str, Any]:
    """Return `data` in the envelope."""
    return {"timestamp": local(moment.now()), "version": version, "data": data}


def error_form(version: str) -> Any:
    """Return what puts an error, `{"error": {…}}`, into the envelope."""

    def form(error: Mapping[str, Any]) -> dict[str, Any]:
        return enveloped(dict(error), version)

    return form
