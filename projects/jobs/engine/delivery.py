"""One attempt to bring a result to the hub, and what its answer means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse
    from pathlib import Path

    from projects.jobs.model.entities import Upload

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 3600.0
"""Seconds between two attempts: doubled each time, up to an hour."""

_ANSWER_BYTES = 2000
_GOOD = range(200, 300)
_REFUSED = range(400, 500)
_TRY_AGAIN = frozenset({401, 403, 407, 408, 421, 425, 429})
"""Answers that say nothing about this content: our token, our haste, the hub's state."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an attempt: `delivered`, `refused` for good, or neither: try again."""

    delivered: bool = False
    refused: bool = False
    error: str = ""
    after: float | None = None
    """Seconds that the hub asks us to wait."""
    away: bool = False
    """Nobody answered: other uploads would fare the same."""


def post(  # noqa: PLR0917  (what, from where, to where)
    upload: Upload, file: Path, hub: str, token: str | None, timeout: float, job: str = ""
) -> Answer:
    """POST a result to its table of the hub; never raises for what the network does.

    The upload's id goes with it as `Idempotency-Key`: a hub that has it already says so without
    adding a row. `job` is the id of the job that measured it, for the hub to link to.
    """
    import http.client
    from urllib.parse import quote, urlsplit

    parts = urlsplit(hub)
    table = f"{quote(upload.test_system, safe='')}/{quote(upload.test_name, safe='')}"
    path = f"{parts.path.rstrip('/')}/api/v1/tables/{table}/rows"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except (ValueError, http.client.HTTPException) as error:
        return Answer(error=f"{hub}: {error}", away=True)
    try:
        return _exchange(connection, path, file, _headers(upload, token, job))
    except FileNotFoundError:
        return Answer(refused=True, error="the file is gone from the outbox")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(error=f"{hub}: {error or type(error).__name__}", away=True)
    finally:
        connection.close()


def _headers(upload: Upload, token: str | None, job: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": upload.id}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if job:
        headers["Topgallant-Job"] = job
    return headers


def _exchange(connection: HTTPConnection, path: str, file: Path, headers: dict[str, str]) -> Answer:
    with open(file, "rb") as body:
        headers["Content-Length"] = str(file.stat().st_size)
        connection.request("POST", path, body=body, headers=headers)
        return _meaning(connection.getresponse())


def _meaning(response: HTTPResponse) -> Answer:
    text = response.read(_ANSWER_BYTES).decode("utf-8", "replace").strip()
    if response.status in _GOOD:
        return Answer(delivered=True)
    error = f"{response.status} {response.reason}: {text[:200]}".rstrip(": ")
    if response.status in _REFUSED and response.status not in _TRY_AGAIN:
        return Answer(refused=True, error=error)
    return Answer(error=error, after=_retry_after(response.headers.get("Retry-After")))


def _retry_after(text: str | None) -> float | None:
    """Return seconds from a Retry-After header, a number or a date (RFC 9110 §10.2.3)."""
    if text is None:
        return None
    if text.strip().isdigit():
        return min(float(text), LONGEST_PAUSE)
    import email.utils
    import time

    try:
        at = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
    return min(max(at - time.time(), 0.0), LONGEST_PAUSE)


def pause(attempts: int, jitter: float, after: float | None = None) -> float:
    """Return seconds until the next attempt after `attempts` of them; `jitter` is from [0, 1).

    Between half of and the whole of an exponentially growing time, at least what the hub asks.
    """
    longest = min(FIRST_PAUSE * 2.0 ** min(max(attempts - 1, 0), 20), LONGEST_PAUSE)
    return max(longest * (0.5 + jitter / 2), after or 0.0)
