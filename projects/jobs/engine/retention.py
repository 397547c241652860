"""Directories of jobs that ended long ago, or before the server started, are removed; rows stay."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, one_line
from projects.jobs.model import identity, moment
from projects.jobs.model.states import is_final

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from projects.jobs.store.store import Store

EVERY = 3600.0
"""Seconds between two looks for what has expired."""

DAY = 86400 * moment.SECOND

_log = logging.getLogger(__name__)


def expire(store: Store, logs: Path, days: float, stop: Callable[[], bool]) -> int:
    """Remove the directories of jobs that ended `days` ago, and archive the jobs; return how many.

    `stop` is asked now and then whether to leave the rest for later.
    """
    before = moment.now() - round(days * DAY)
    count = after = 0
    while not stop():
        jobs = store.expired(before, after=after)
        if not jobs:
            break
        after = jobs[-1].number
        gone = [job.number for job in jobs if remove(logs, job.id)]
        count += store.archive(
            gone, at=moment.now(), reason=f"its logs were kept for {days:g} days"
        )
    return count


def clear_finished(
    store: Store, logs: Path, spared: Container[int], before: int, stop: Callable[[], bool]
) -> int:
    """Remove the directories of jobs that ended before a moment, except `spared`; return how many.

    What isn't the directory of a job that the store knows is left alone.
    """
    count = 0
    with os.scandir(logs) as entries:
        for entry in entries:
            if stop():
                break
            with contextlib.suppress(UsageError):
                job = store.job(identity.parse(entry.name))
                if job is None or not is_final(job.state) or job.number in spared:
                    continue
                if (job.finished or 0) < before:
                    count += remove(logs, job.id)
    return count


def remove(logs: Path, job_id: str) -> bool:
    """Remove a job's directory with all that is in it; return whether nothing is left.

    Links are removed, not followed; a job's odd permissions are no hindrance.
    """
    path = os.path.join(logs, job_id)
    try:
        if os.path.islink(path) or not os.path.isdir(path):
            os.unlink(path)
        else:
            shutil.rmtree(path, onerror=_allow_and_try_again)
    except FileNotFoundError:
        return True
    except OSError as error:
        _log.warning("%s can't be removed: %s", path, one_line(error))
        return False
    return not os.path.lexists(path)


def _allow_and_try_again(function: Callable[..., object], path: str, _error: object) -> None:
    """Make the folder of what can't be removed writable, then try once more."""
    for each in (os.path.dirname(path), path):
        if os.path.isdir(each) and not os.path.islink(each):
            os.chmod(each, 0o700, follow_symlinks=True)
    if function in (os.unlink, os.rmdir):
        function(path)
    else:
        shutil.rmtree(path)
