"""Submitting from inside a job: the server learns of it, so that the two don't wait in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.jobs.library.client import Client

HEADER = "Topgallant-Parent"
VARIABLE = "JOB_ID"
_ID_LENGTH = 22


def parent_in(environ: Mapping[str, str]) -> str | None:
    """Return the id of the job in which this runs; None: in none, or in one of something else."""
    given = environ.get(VARIABLE, "")
    is_ours = len(given) == _ID_LENGTH and given.isascii() and given.isprintable()
    return given if is_ours else None


def headers_for(client: Client, *, detached: bool = False) -> dict[str, str]:
    """Return what says to the server of `client` from inside which job a submission is sent.

    `detached`: nothing; it waits for its turn as any other, and outlives the job.
    """
    parent = None if detached else parent_in(client.environ)
    return {HEADER: parent} if parent else {}
