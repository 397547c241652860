"""What a server does first: bring together what the store believes and what the backend knows."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from projects.jobs.engine.live import Live
from projects.jobs.model import moment
from projects.jobs.model.states import State, is_final
from projects.jobs.process.orders import Started, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects.jobs.engine.backend import Backend
    from projects.jobs.engine.backlog import Backlog, Line
    from projects.jobs.engine.work import Work
    from projects.jobs.model.entities import Job
    from projects.jobs.process.orders import Report
    from projects.jobs.store.store import Store

_log = logging.getLogger(__name__)

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def read_boot_id() -> str:
    """Return the id of this boot (Linux, random(4))."""
    with open(BOOT_ID, encoding="ascii") as file:
        return file.read().strip()


class Recovery:
    """Done once, by the engine's thread, before anything is started."""

    def __init__(
        self, store: Store, backend: Backend, backlog: Backlog, work: Work, boot_id: str
    ) -> None:
        self._store = store
        self._backend = backend
        self._backlog = backlog
        self._work = work
        self._boot_id = boot_id
        self._lives: dict[int, Live] = {}
        self.numbers: set[int] = set()
        """Jobs that were not over when the last server stopped, and those that ended since."""

    def run(self) -> None:
        """Take over what runs, end what has ended, decide about the rest; all of it recorded.

        Raises
        ------
        StoreError
            The store can't be read or written.
        """
        reports = self._backend.start()
        unfinished = {job.number: job for job in self._unfinished()}
        for report in reports:
            job = unfinished.get(report.number) or self._store.job(report.number)
            if job is None or is_final(job.state) or job.attempt != report.attempt:
                self._disown(report)
            else:
                unfinished.pop(job.number, None)
                self._take_over(job, report)
        for job in unfinished.values():
            self._missing(job)
        self._lives.clear()
        notes, self._work.notes = self._work.notes, []
        if notes:
            refused = self._store.record([note.change for note in notes], durable=True)
            self._work.recorded(notes, refused)

    def _take_over(self, job: Job, report: Report) -> None:
        live = self._lives.get(job.number) or self._adopt(job)  # it may have ended just now
        self._work.take(report)
        if live.stop is not None and isinstance(report, Started):
            self._backend.stop(job.number, job.attempt, live.stop)

    def _missing(self, job: Job) -> None:
        """Decide about a job that is on its way in the store, and that the backend never saw.

        Within one boot nothing that the backend wrote is lost: then it never was a process.
        """
        same_boot = job.boot_id == self._boot_id
        never = False if job.state == State.STARTING and same_boot else None
        why = (
            "the server ended before it was started"
            if never is False
            else ("nothing is known of its process")
        )
        live = self._adopt(job)
        self._work.interrupted(live, Unknown(job.number, job.attempt, never, why, moment.now()))

    def _adopt(self, job: Job) -> Live:
        self.numbers.add(job.number)
        stop = job.reason if job.state == State.STOPPING else None
        live = Live(job, self._line(job), job.state, launched=True, stop=stop)
        self._lives[job.number] = live
        self._work.adopt(live)
        return live

    def _line(self, job: Job) -> Line:
        submission = self._store.submission(job.submission)
        assert submission is not None  # noqa: S101  (a foreign key)
        return self._backlog.adopt(submission)

    def _disown(self, report: Report) -> None:
        """Acknowledge the end of an attempt that doesn't count any more; stop one that runs."""
        if isinstance(report, Started):
            _log.warning("job %s, attempt %s runs without right", report.number, report.attempt)
            self._backend.stop(report.number, report.attempt, "the store knows nothing of it")
        else:
            self._backend.settled([(report.number, report.attempt)])

    def _unfinished(self) -> Iterator[Job]:
        after = 0
        while jobs := self._store.unfinished(after=after):
            yield from jobs
            after = jobs[-1].number
