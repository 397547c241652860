"""What goes: old runs, exports that were given up, and contents that no file has any more."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.hub.artifacts import records
from projects.jobs.model import moment

if TYPE_CHECKING:
    from projects.hub.artifacts.artifacts import Artifacts

_DAY = 86_400 * moment.SECOND
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Removed:
    """What went: runs, contents, and their bytes."""

    runs: int = 0
    contents: int = 0
    bytes: int = 0


def clean(artifacts: Artifacts) -> Removed:
    """Remove what may go; to be called now and then, while exports are on, too."""
    runs = expire(artifacts)
    removed = collect(artifacts)
    if runs or removed.contents:
        _logger.info(
            "artifacts: %d runs, %d contents (%d bytes) removed",
            runs,
            removed.contents,
            removed.bytes,
        )
    return Removed(runs, removed.contents, removed.bytes)


def expire(artifacts: Artifacts) -> int:
    """Remove old runs, and give up what was begun and not touched; return how many runs went."""
    policy, now = artifacts.retention, artifacts.clock()
    gone = 0
    with artifacts.database.write(durable=True) as connection:
        for run in records.begun_before(connection, now - round(policy.session_days * _DAY)):
            if run.published is None:
                records.remove_run(connection, run)
                gone += 1
            else:
                records.remove_tree(connection, run.draft)
                records.change_run(connection, run.number, draft=None, draft_bytes=0)
    if policy.days is None:
        return gone
    before = now - round(policy.days * _DAY)
    with artifacts.database.read() as connection:
        projects = records.projects(connection)
    for project in projects:
        with artifacts.database.write(durable=True) as connection:
            old = records.published_before(connection, project, before, policy.keep_last)
            for run in old:
                records.remove_run(connection, run)
            gone += len(old)
    return gone


def collect(artifacts: Artifacts) -> Removed:
    """Remove the contents that no file names, published or announced, and uploads of nobody.

    A content is removed in a transaction that finds that nobody names it. Writers take turns:
    who names it afterwards is told that it has to be sent, who has sent it looks, in a transaction,
    whether it is still there.
    """
    count = size = 0
    for digests in artifacts.blobs.walk():
        with artifacts.database.read() as connection:
            named = records.named(connection, digests)
        unnamed = [digest for digest in digests if digest not in named]
        if not unnamed:
            continue
        with artifacts.database.write(durable=False) as connection:
            named = records.named(connection, unnamed)
            for digest in unnamed:
                if digest not in named:
                    size += artifacts.blobs.remove(digest)
                    count += 1
    for id_ in artifacts.blobs.uploads():
        with artifacts.database.write(durable=False) as connection:
            run = records.run_of(connection, id_)
            if run is None or run.draft is None:
                artifacts.blobs.give_up(id_)
    return Removed(0, count, size)
