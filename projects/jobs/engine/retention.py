"""Directories of jobs that ended long ago, or before the server started, are removed; rows stay."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, one_line
from projects.jobs.model import identity, moment
from projects.jobs.model.states import State, is_final

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from projects.jobs.store.store import Store

EVERY = 3600.0
"""Seconds between two looks for what has expired."""

DAY = 86400 * moment.SECOND

SHARE = 0.1
"""So much of the time is worked, so that jobs have the processors and the disk."""

BATCH = 100
"""Directories between two pauses."""

_log = logging.getLogger(__name__)


class _Pace:
    """Pauses after each piece of work, nine times as long as that took."""

    def __init__(self, wait: Callable[[float], bool], clock: Callable[[], float]) -> None:
        self._wait = wait
        self._clock = clock
        self._began = clock()

    def stops(self) -> bool:
        """Pause; return whether to leave the rest for later."""
        worked = self._clock() - self._began
        stopped = self._wait(worked * (1 / SHARE - 1))
        self._began = self._clock()
        return stopped


def expire(
    store: Store,
    logs: Path,
    days: float,
    wait: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Remove the directories of jobs that ended `days` ago, and archive the jobs; return how many.

    Both in batches, with a pause after each: `wait` waits for so many seconds, or until the rest is
    to be left for later, and returns whether it is.
    """
    pace = _Pace(wait, clock)
    before = moment.now() - round(days * DAY)
    count = after = 0
    while not pace.stops():
        jobs = store.expired(before, after=after, limit=BATCH)
        if not jobs:
            break
        after = jobs[-1].number
        gone = [
            job.number
            for job in jobs
            if _has_expired(store, job.number, before) and remove(logs, job.id)
        ]
        count += store.archive(
            gone, at=moment.now(), reason=f"its logs were kept for {days:g} days"
        )
    return count


def _has_expired(store: Store, number: int, before: int) -> bool:
    """Look once more: it may have been retried while the directories of others were removed."""
    job = store.job(number)
    return job is not None and job.state == State.DONE and (job.finished or 0) < before


def clear_finished(  # noqa: PLR0917  (called in one place)
    store: Store,
    logs: Path,
    spared: Container[int],
    before: int,
    wait: Callable[[float], bool],
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Remove the directories of jobs that ended before a moment, except `spared`; return how many.

    What isn't the directory of a job that the store knows is left alone. Pauses as `expire` does.
    """
    pace = _Pace(wait, clock)
    count = 0
    with os.scandir(logs) as entries:
        for seen, entry in enumerate(entries):
            if seen % BATCH == 0 and pace.stops():
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
