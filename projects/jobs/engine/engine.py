"""The engine: what the rest of the house asks for submissions, cancels, retries and news."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from projects.core.errors import InfrastructureError, one_line
from projects.jobs.engine import retention
from projects.jobs.engine.backlog import Backlog
from projects.jobs.engine.claim_watch import ClaimWatch
from projects.jobs.engine.data_directory import DataDirectory
from projects.jobs.engine.families import Sweeper, place_below
from projects.jobs.engine.listeners import Listeners, News, news_of, news_of_job
from projects.jobs.engine.live import Found, Live
from projects.jobs.engine.loop import Loop
from projects.jobs.engine.orders import Orders
from projects.jobs.engine.recorder import Recorder
from projects.jobs.engine.recovery import Recovery, read_boot_id
from projects.jobs.engine.refusals import Conflict, NotFound
from projects.jobs.engine.requests import read_submission
from projects.jobs.engine.uploader import Uploader
from projects.jobs.engine.work import Work
from projects.jobs.model import identity, moment
from projects.jobs.model.states import QUEUED, is_final
from projects.jobs.tools.options import OptionProvider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.engine.backend import Backend
    from projects.jobs.engine.recorder import Note
    from projects.jobs.engine.settings import Settings
    from projects.jobs.model.entities import Job, Submission, Upload
    from projects.jobs.store.store import Store
    from projects.jobs.store.values import Refused, SubmissionView
    from projects.jobs.tools.catalog import Catalog

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted submission: on disk. `job_ids` are in the order of `job_specs`."""

    submission: Submission
    job_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine does its work, and what stands in its way."""

    ready: bool
    problems: Sequence[str] = ()


class Engine:
    """Takes submissions, runs their jobs, records what happens.

    All methods may be called from any thread; what is to be read is read from the store directly.
    The store is the caller's to open and to close. One start per engine.
    """

    def __init__(
        self,
        store: Store,
        backend: Backend,
        catalog: Catalog,
        settings: Settings,
        *,
        options: OptionProvider | None = None,
    ) -> None:
        self.store = store
        self.backend = backend
        self.catalog = catalog
        self.settings = settings
        self.options = options or OptionProvider()
        self._directory = DataDirectory(settings)
        self._listeners = Listeners()
        self._recorder = Recorder(store, self._recorded)
        self._uploader = Uploader(store, settings, self._collected, self._happened)
        live: dict[int, Live] = {}
        boot_id = read_boot_id()
        self._backlog = Backlog(store, settings.parallel_submissions, live)
        orders = Orders(catalog, self.options, settings, os.environ)
        self._sweeper = Sweeper(store, self.cancel_submission)
        self._work = Work(
            backend,
            self._backlog,
            orders,
            self._uploader,
            settings,
            live,
            boot_id,
            self._sweeper.look,
        )
        self._recovery = Recovery(store, backend, self._backlog, self._work, boot_id)
        self._loop = Loop(backend, self._work, self._recorder, self._recovery.run)
        self._watch = ClaimWatch(store, self._hold)
        self._began = 0
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep_house, name="retention", daemon=True)

    def start(self) -> None:
        """Take the lock of the data directory, recover, begin to work.

        Raises
        ------
        InfrastructureError
            Another server holds the data directory (the message names its pid) or works with the
            store, it can't be written, or the store can't be read.
        """
        self._directory.claim()
        try:
            self.store.claim()
        except BaseException:
            self._directory.release()
            raise
        self._began = moment.now()
        try:
            self._recorder.start()
            self._uploader.start()
            self._loop.start()
        except BaseException:
            self._let_go()
            raise
        self._watch.start()
        self._keeper.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Stop; running jobs go on for the next server unless `settings.stop_jobs`."""
        self._loop.stop()
        self._let_go()

    def submit(
        self,
        request: Any,
        owner: str,
        parent: Job | None = None,
        before: Callable[[str], None] | None = None,
    ) -> Submitted:
        """Check the whole request, store it durably, wake the loop.

        `request` is `{"parallel"?, "note"?, "priority"?, "job_specs": [{"name", "params"?,
        "timeout"?, "limits"?}]}`. `parent` is the running job from inside which it comes: it
        then runs beside that job whatever M says, and ends with it. `before` is called with the
        id of the submission once the request is found good, and before anybody can see it: for
        what is kept elsewhere with it.

        Raises
        ------
        InvalidRequest
            With `.fields`; nothing has been stored.
        TooLarge
            More jobs than a submission may have.
        Conflict, ParentOver
            The parent takes none.
        InfrastructureError
            The store can't take it now.
        """
        if not self._loop.alive:
            raise InfrastructureError("the engine doesn't run")
        new = read_submission(
            request,
            owner,
            self.catalog,
            self.options,
            created=moment.now(),
            ageing=self.settings.ageing,
        )
        if parent is not None:
            attempt = self._loop.ask(lambda: self._work.attempt_of(parent.number))
            new = place_below(self.store, new, parent, attempt)
        if before is not None:
            new = replace(new, id=identity.new())
            before(new.id)
        kept = self.store.submit(new)
        self._loop.post(lambda: self._add(kept.submission))
        return Submitted(kept.submission, kept.ids)

    def cancel(self, which: str | int, reason: str = "cancelled") -> Job:
        """End a waiting or running job as CANCELLED; durable when this returns.

        A running one is stopped (SIGTERM, grace, SIGKILL): the job returned is then not final yet.

        Raises
        ------
        NotFound, Conflict
            No such job; it has ended already.
        """
        job = self._job(which)
        submission = self._submission(job.submission)
        found = self._ask_to_cancel(job, reason)
        if found is Found.OVER:  # perhaps it waits for its next attempt since
            self._recorder.flush()
            job = self._job(job.number)
            found = self._ask_to_cancel(job, reason)
        if found is Found.LIVE:
            self._recorder.flush()
        elif found is Found.WAITING:
            self._cancel_waiting(job, submission, reason)
        else:
            raise Conflict(f"job {job.id} is ending already")
        return self._job(job.number)

    def cancel_submission(self, which: str | int, reason: str = "cancelled") -> SubmissionView:
        """Cancel all jobs of a submission that haven't ended; durable when this returns.

        Raises
        ------
        NotFound
            No such submission.
        """
        submission = self._submission(which)
        number = submission.number
        self._loop.ask(lambda: self._work.cancel_submission(number, reason))
        try:
            self._recorder.flush()  # the store then knows which jobs still wait
            gone = self.store.cancel_waiting(submission=number, reason=reason, at=moment.now())
        finally:
            self._loop.post(lambda: self._backlog.allow_submission(submission))
        self._tell_cancelled(gone)
        return self._submission(number)

    def retry(self, which: str | int) -> Job:
        """Run a job that has ended once more, as its next attempt; durable when this returns.

        What the attempts before left in the job's directory is moved to `_attempts/`.

        Raises
        ------
        NotFound, Conflict
            No such job; it hasn't ended yet.
        """
        number = self._job(which).number
        self._recorder.flush()
        submission = self._submission(self._job(number).submission)
        if not self.store.retry(number, reason="retried", at=moment.now()):
            job = self._job(number)
            raise Conflict(f"job {job.id} is {job.state.name}; only one that has ended is retried")
        self._loop.post(lambda: self._backlog.look_again(submission))
        return self._job(number)

    def why_waiting(self, which: str | int) -> str:
        """Return a sentence saying what a queued job waits for; empty when it isn't queued."""
        job = self._job(which)
        if job.state not in QUEUED:
            return ""
        return self._loop.ask(lambda: self._work.why_waiting(job.number))

    def subscribe(
        self, listener: Callable[[Sequence[News], int], None], *, most: int = 10_000
    ) -> Callable[[], None]:
        """Call `listener(news, missed)` from a thread for all that happens; return unsubscribe.

        Told is what the store has. A listener that is slow misses the oldest of more than `most`
        news, and is told how many; nobody else waits for it.
        """
        return self._listeners.subscribe(listener, most=most)

    def health(self) -> Health:
        """Return whether the engine is ready, and what is wrong."""
        said = (self._watch.problem, self._recorder.problem, self._loop.problem)
        problems = [problem for problem in said if problem]
        if not self._loop.alive:
            problems.insert(0, "the engine doesn't run")
        return Health(not problems, problems)

    @property
    def lost(self) -> str:
        """Why another server runs the jobs now; empty: none does. If so, stop."""
        return self._watch.lost

    def running(self) -> int:
        """Return how many jobs run now."""
        return self._work.running

    # What the parts tell each other.

    def _hold(self, held: bool) -> None:
        self._work.held = held
        self._loop.post(lambda: None)  # to look again

    def _add(self, submission: Submission) -> None:
        self._backlog.add(submission)
        if submission.below is not None and self._work.attempt_of(submission.below) is None:
            self._sweeper.look()  # its parent ended while it was stored

    def _recorded(self, notes: Sequence[Note], refused: Sequence[Refused]) -> None:
        self._loop.post(lambda: self._work.recorded(notes, refused))
        if any(note.change.uploads for note in notes):
            self._uploader.added()
        if self._listeners.wanted:
            self._listeners.tell([news_of(note) for note in notes if note.change.state is not None])

    def _collected(self, job: Job, uploads: Sequence[Upload], problems: Sequence[str]) -> None:
        self._loop.post(lambda: self._work.collected(job, uploads, problems))

    def _happened(self, number: int, message: str) -> None:
        job = self.store.job(number)
        if job is not None:
            self._loop.post(lambda: self._work.happened(job, message))

    def _ask_to_cancel(self, job: Job, reason: str) -> Found:
        if is_final(job.state):
            raise Conflict(f"job {job.id} has ended already: {job.outcome}")
        return self._loop.ask(lambda: self._work.cancel(job.number, job.submission, reason))

    def _cancel_waiting(self, job: Job, submission: Submission, reason: str) -> None:
        gone: list[int] = []
        try:
            gone = self.store.cancel_waiting([job.number], reason=reason, at=moment.now())
        finally:
            self._loop.post(lambda: self._allow(job, None if gone else submission))
        if not gone:
            raise Conflict(f"job {job.id} has ended already")
        self._tell_cancelled(gone)

    def _allow(self, job: Job, still_in: Submission | None) -> None:
        self._backlog.allow(job.number)
        if still_in is not None:
            self._backlog.look_again(still_in)

    def _tell_cancelled(self, numbers: Sequence[int]) -> None:
        if self._listeners.wanted:
            self._listeners.tell([news_of_job(job) for job in self.store.jobs_numbered(numbers)])

    def _job(self, which: str | int) -> Job:
        job = self.store.job(identity.parse(which) if isinstance(which, str) else which)
        if job is None:
            raise NotFound(f"there is no job {which}")
        return job

    def _submission(self, which: str | int) -> SubmissionView:
        key = identity.parse(which) if isinstance(which, str) else which
        submission = self.store.submission(key)
        if submission is None:
            raise NotFound(f"there is no submission {which}")
        return submission

    # Keeping house.

    def _keep_house(self) -> None:
        settings, wait = self.settings, self._closing.wait
        if settings.clear_logs_at_start:
            self._tidy(
                lambda: retention.clear_finished(
                    self.store,
                    settings.logs,
                    self._recovery.numbers,
                    self._began,
                    wait,
                )
            )
        while True:
            self._tidy(
                lambda: retention.expire(self.store, settings.logs, settings.expire_days, wait)
            )
            if self._closing.wait(retention.EVERY):
                return

    def _tidy(self, task: Callable[[], int]) -> None:
        try:
            count = task()
            if count:
                _log.info("removed the directories of %s jobs", count)
        except Exception as error:
            _log.warning("tidying up failed: %s", one_line(error))

    def _let_go(self) -> None:
        self._closing.set()
        self._watch.close()
        self._sweeper.close()
        self._uploader.close()
        if self._recorder.close():
            self._put_back_unbegun()
        # What runs here would run a second time there.
        self.backend.close(self.settings.stop_jobs or bool(self.lost))
        if self._keeper.is_alive():
            self._keeper.join()
        self.store.release()
        self._directory.release()

    def _put_back_unbegun(self) -> None:
        changes = self._work.unbegun()
        if not changes:
            return
        try:
            self.store.record(changes, durable=True)
        except InfrastructureError as error:  # the next server asks the backend
            _log.warning("%s jobs that were about to begin: %s", len(changes), one_line(error))
