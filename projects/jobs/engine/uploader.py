"""The thread that fills the outbox from jobs that ended, and empties it to the hub."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
from collections import deque
from typing import TYPE_CHECKING

from projects.core.errors import one_line
from projects.jobs.engine import delivery
from projects.jobs.engine.outbox import NoResult, collect
from projects.jobs.model import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.engine.settings import Settings
    from projects.jobs.model.entities import Job, Upload
    from projects.jobs.store.store import Store
    from projects.jobs.tools.tool import UploadSpec

_log = logging.getLogger(__name__)

_AWAY_PAUSE = 300.0
"""Seconds, at most, until one upload probes a hub that did not answer."""


class Uploader:
    """Collects and delivers, one after the other, each in a thread of its own.

    Parameters
    ----------
    collected
        Called with a job, its uploads, and sentences about those that there are none of.
    happened
        Called with the number of a job and a sentence, for events.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        collected: Callable[[Job, Sequence[Upload], Sequence[str]], None],
        happened: Callable[[int, str], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._collected = collected
        self._happened = happened
        self._ended: deque[tuple[Job, Sequence[UploadSpec]]] = deque()
        self._to_collect = threading.Semaphore(0)
        self._due = threading.Event()
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._away = 0

    def start(self) -> None:
        """Begin: what an earlier server left undelivered comes first."""
        self._begin(self._collect_all, "collector")
        if self._settings.hub_url:
            self._begin(self._deliver_all, "uploader")

    def collect(self, job: Job, specs: Sequence[UploadSpec]) -> None:
        """Take the results of a job that has ended; `collected` follows."""
        self._ended.append((job, specs))
        self._to_collect.release()

    def added(self) -> None:
        """Look for uploads: the store has new ones."""
        self._due.set()

    def close(self, timeout: float = 2.0) -> None:
        """End the threads; an attempt that is under way is made again by the next server."""
        self._closing = True
        self._to_collect.release()
        self._due.set()
        for thread in self._threads:
            thread.join(timeout)

    def _begin(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _collect_all(self) -> None:
        while True:
            self._to_collect.acquire()
            if self._closing:
                return
            job, specs = self._ended.popleft()
            uploads, problems = self._collect(job, specs)
            self._collected(job, uploads, problems)

    def _collect(self, job: Job, specs: Sequence[UploadSpec]) -> tuple[list[Upload], list[str]]:
        uploads, problems = [], []
        for number, spec in enumerate(specs):
            where = f"no upload to {spec.test_system}/{spec.test_name}"
            try:
                logs, outbox = self._settings.logs, self._settings.outbox
                uploads.append(collect(job, number, spec, logs, outbox))
            except NoResult as error:
                problems.append(f"{where}: {error}")
            except Exception as error:
                _log.exception("collecting results of job %s failed", job.number)
                problems.append(f"{where}: {one_line(error)}")
        return uploads, problems

    def _deliver_all(self) -> None:
        while not self._closing:
            self._due.clear()
            try:
                wait = self._deliver_due()
            except Exception as error:  # the store is away: it says so elsewhere
                _log.warning("uploads wait: %s", one_line(error))
                wait = 10.0
            self._due.wait(wait)

    def _deliver_due(self) -> float | None:
        """Deliver what is due; return the seconds until there is more to do, None: until told."""
        for upload in self._store.uploads_due(moment.now()):
            if self._closing:
                return 0.0
            if not self._deliver(upload):  # nobody there: don't try the others as well
                self._away += 1
                return min(delivery.pause(self._away, random.random()), _AWAY_PAUSE)  # noqa: S311
            self._away = 0
        due = self._store.next_upload()
        return None if due is None else max((due - moment.now()) / moment.SECOND, 0.0)

    def _deliver(self, upload: Upload) -> bool:
        """Try once; return whether somebody answered."""
        settings = self._settings
        file = settings.outbox / os.path.basename(upload.file)
        job = self._store.job(upload.job)
        answer = delivery.post(
            upload,
            file,
            settings.hub_url or "",
            settings.hub_token,
            settings.upload_timeout,
            job.id if job else "",
        )
        where = f"{upload.test_system}/{upload.test_name}"
        if answer.delivered:
            self._store.upload_done(upload.id, at=moment.now())
            with contextlib.suppress(OSError):
                os.unlink(file)
            self._happened(upload.job, f"uploaded to {where}")
        elif answer.refused:
            self._store.upload_failed(upload.id, next_at=None, error=answer.error)
            self._happened(upload.job, f"upload to {where} given up: {answer.error}")
        else:
            wait = delivery.pause(upload.attempts + 1, random.random(), answer.after)  # noqa: S311
            at = moment.now() + round(wait * moment.SECOND)
            self._store.upload_failed(upload.id, next_at=at, error=answer.error)
        return not answer.away
