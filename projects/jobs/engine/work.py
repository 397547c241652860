"""The jobs that are at work: started by plan, ended by reports, stopped by users, recovered."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from projects.core.errors import one_line
from projects.jobs.engine.live import Found, Live
from projects.jobs.engine.orders import NotRunnable
from projects.jobs.engine.outcomes import begins_unrecorded, end_of, interrupted_reason, runs_again
from projects.jobs.engine.recorder import Note
from projects.jobs.model import moment
from projects.jobs.model.states import Outcome, State
from projects.jobs.process.orders import Ended, Returned, Started, Unknown
from projects.jobs.scheduling.admission import keeps_places, plan, why_waiting
from projects.jobs.scheduling.view import Limits, View
from projects.jobs.store.values import Change, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.engine.backend import Backend
    from projects.jobs.engine.backlog import Backlog, Line, Ready
    from projects.jobs.engine.orders import Orders
    from projects.jobs.engine.settings import Settings
    from projects.jobs.engine.uploader import Uploader
    from projects.jobs.model.entities import Job, Upload
    from projects.jobs.process.orders import Order, Report
    from projects.jobs.store.values import Refused

SHORT = 0.005
"""Seconds: after a job that took less, next ones are handed over before there is a place."""

FOLLOWERS = 6
"""So many at once at most: what has come since and goes first waits for them."""

_log = logging.getLogger(__name__)


class Work:
    """Belongs to the engine's thread. What is to be recorded gathers in `notes`.

    `live` has the jobs by number; the backlog uses it to leave out what isn't waiting any more.
    `left_over` is called when the store knows the end of a job that has sent others.
    """

    def __init__(  # noqa: PLR0917  (made in one place)
        self,
        backend: Backend,
        backlog: Backlog,
        orders: Orders,
        uploader: Uploader,
        settings: Settings,
        live: dict[int, Live],
        boot_id: str,
        left_over: Callable[[], None],
    ) -> None:
        self._left_over = left_over
        self._backend = backend
        self._backlog = backlog
        self._orders = orders
        self._uploader = uploader
        self._live = live
        self._limits = Limits(
            settings.parallel_submissions, settings.parallel_jobs, settings.capacity
        )
        self._taken: dict[str, int] = {}
        self._boot_id = boot_id
        self._leaders: list[Live] = []
        self._recorded_starts: list[Live] = []
        self.held = False
        """Nothing is started: perhaps another server does. Others' to set."""
        self.running = 0
        self.notes: list[Note] = []

    # Starting.

    def start_jobs(self) -> int:
        """Start what may start now; return how many were."""
        if self.held:
            return 0
        recorded, self._recorded_starts = self._recorded_starts, []
        for live in recorded:
            self._start_is_recorded(live)
        view = self._view()
        starts = plan(view)
        for start in starts:
            line: Line = start.turn  # type: ignore[assignment]
            ready: Ready = start.job  # type: ignore[assignment]
            self._backlog.take(line, ready)
            self._start(Live(ready.job, line))
        leaders, self._leaders = self._leaders, []
        for leader in leaders:
            if not leader.over and keeps_places(view, leader.line):
                self._let_follow(leader)
        return len(starts)

    def _let_follow(self, leader: Live) -> None:
        """Hand over the jobs that are to start one after the other when a short one is over."""
        tail, places = leader, FOLLOWERS
        while tail.follower is not None:
            tail, places = tail.follower, places - 1
        orders: list[Order] = []
        for ready in self._backlog.followers(leader.line, places):
            tail = self._queue_behind(tail, ready, orders)
        if orders and not self._backend.follow(orders, leader.job.number, leader.job.attempt):
            for order in orders:
                self._returned(self._live[order.number])

    def _queue_behind(self, tail: Live, ready: Ready, orders: list[Order]) -> Live:
        """Let a job begin after another one; return after which the next one may."""
        live = Live(ready.job, tail.line, leader=tail)
        self._live[ready.number] = tail.follower = live
        self._guard(live, lambda: self._order_ahead(live, orders))
        return live if live.launched else tail

    def _order_ahead(self, live: Live, orders: list[Order]) -> None:
        try:
            order = self._orders.make(live.job)
        except NotRunnable:  # which `_launch` will find out
            self._returned(live)
            return
        live.launched = True
        orders.append(order)

    def _returned(self, live: Live) -> None:
        """Let a job wait again that was to follow another one."""
        if live.stop is not None:
            self._over(live)
            self._end(live, Outcome.CANCELLED, live.stop)
            return
        self._let_go(live)
        del self._live[live.job.number]
        self._backlog.put_back(live.job)

    def why_waiting(self, number: int) -> str:
        """Return what a waiting job waits for."""
        live = self._live.get(number)
        if live is not None and live.leader is None:
            begun = "It has begun, which isn't recorded yet."
            return begun if live.launched else "It is about to start."
        return why_waiting(self._view(), number)

    def adopt(self, live: Live) -> None:
        """Count a job that an earlier server has started; its line counts it already."""
        self._live[live.job.number] = live
        self.running += 1
        for name in live.job.resources:
            self._taken[name] = live.job.number

    def _view(self) -> View:
        turns = self._backlog.turns()
        lent = self._lent() if self._backlog.below else {}
        return View(turns, self._limits, self.running, self._taken, lent)

    def _lent(self) -> dict[int, bool]:
        return {
            number: any(line.running for line in lines)
            for number, lines in self._backlog.below.items()
            if self.attempt_of(number) is not None
        }

    def attempt_of(self, number: int) -> int | None:
        """Return the attempt of a job that runs and isn't being stopped, else None."""
        live = self._live.get(number)
        return None if live is None or live.over or live.stop is not None else live.job.attempt

    def _start(self, live: Live) -> None:
        self.adopt(live)
        if begins_unrecorded(live.job):
            self._guard(live, lambda: self._launch(live))
        else:
            self._note(live, State.STARTING, durable=True, boot_id=self._boot_id)

    def _launch(self, live: Live) -> None:
        try:
            order = self._orders.make(live.job)
        except NotRunnable as error:
            self._over(live)
            self._end(live, Outcome.FAILED, error.message)
            return
        live.launched = True
        self._backend.launch(order)
        self._leaders.append(live)

    # Ending.

    def take(self, report: Report) -> None:
        """Take news of a process.

        An attempt that doesn't count any more is stopped, its end only acknowledged.
        """
        live = self._live.get(report.number)
        if live is not None and live.job.attempt == report.attempt:
            if not live.over:
                self._guard(live, lambda: self._take(live, report))
        elif isinstance(report, Started):
            reason = "another attempt of this job counts"
            self._backend.stop(report.number, report.attempt, reason)
        elif not isinstance(report, Returned):
            self._backend.settled([(report.number, report.attempt)])

    def collected(self, job: Job, uploads: Sequence[Upload], problems: Sequence[str]) -> None:
        """Go on with a job whose results are in the outbox, or aren't."""
        live = self._live.get(job.number)
        if live is None or live.end is None:
            return
        for problem in problems:
            self._event(live.job, problem)
        outcome, reason, report = live.end
        live.end = None
        self._end(live, outcome, reason, report, uploads)

    def recorded(self, notes: Sequence[Note], refused: Sequence[Refused] = ()) -> None:
        """Take note that the store has these changes, but for those that it refused."""
        settled = []
        left_out = {id(each.change): each for each in refused}
        for note in notes:
            change = note.change
            why_not = left_out.get(id(change))
            live = self._live.get(change.number)
            if live is None or live.job.attempt != change.attempt:
                live = None
            if change.state == State.DONE or change.restart:
                if why_not is not None and why_not.why is Why.FAILED:
                    continue  # the next server hears of it again
                settled.append((change.number, change.attempt))
                if live is not None:
                    del self._live[change.number]
            elif note.durable and change.state == State.STARTING and live is not None:
                if why_not is None or _is_there_already(why_not):
                    self._start_is_recorded(live)
                else:
                    self._start_is_refused(live)
        if settled:
            self._backend.settled(settled)
        if self._backlog.below and any(
            note.change.number in self._backlog.below and _ends(note.change) for note in notes
        ):
            self._left_over()

    def _start_is_recorded(self, live: Live) -> None:
        if live.over:
            return
        if live.stop is None and self.held:
            self._recorded_starts.append(live)
        elif live.stop is None:
            self._guard(live, lambda: self._launch(live))
        else:
            self._over(live)
            self._end(live, Outcome.CANCELLED, live.stop)

    def _start_is_refused(self, live: Live) -> None:
        """Forget an attempt of which the store knows nothing: run, it would run once more some day.

        It hasn't begun. What the store has instead is taken up by the next server.
        """
        _log.error("job %s: the store refuses attempt %s", live.job.number, live.job.attempt)
        del self._live[live.job.number]
        if not live.over:
            self._over(live)

    def _take(self, live: Live, report: Report) -> None:
        if isinstance(report, Started):
            self._started(live, report)
        elif isinstance(report, Returned):
            self._returned(live)
        elif isinstance(report, Unknown) or (report.reason == "stopped" and live.stop is None):
            self.interrupted(live, report)
        else:
            self._ended(live, report)

    def _started(self, live: Live, report: Started) -> None:
        if live.state < State.RUNNING:
            self._note(
                live,
                State.RUNNING,
                at=report.at,
                started=report.at,
                pid=report.pid,
                start_ticks=report.start_ticks,
                boot_id=report.boot_id,
            )

    def _ended(self, live: Live, report: Ended) -> None:
        live.line.short = report.usage is not None and report.usage.wall < SHORT
        self._over(live)
        outcome, reason = end_of(report, live.stop)
        uploads = self._uploads(live.job) if report.reason == "exit" and live.stop is None else ()
        if uploads:
            live.end = (outcome, reason, report)
            self._uploader.collect(live.job, uploads)
        else:
            self._end(live, outcome, reason, report)

    def _uploads(self, job: Job) -> Sequence[Any]:
        try:
            return self._orders.tool(job).uploads
        except NotRunnable:
            return ()

    def interrupted(self, live: Live, report: Ended | Unknown | None) -> None:
        """End or begin again a job of which nobody saw the end."""
        reason = interrupted_reason(report)
        again = live.stop is None and runs_again(live.job, report)
        if again:  # before the line may be dropped
            job = live.job
            fresh = replace(job, attempt=job.attempt + 1, state=State.NEW)
            self._backlog.put_back(fresh)
        self._over(live)
        if again:
            change = Change(
                live.job.number,
                live.job.attempt,
                moment.now(),
                reason=f"it was interrupted and runs again: {reason}",
                restart=True,
            )
            self.notes.append(Note(change, live.job))
        elif live.stop is not None:
            self._end(live, Outcome.CANCELLED, live.stop)
        else:
            self._end(live, Outcome.LOST, reason)

    def _over(self, live: Live) -> None:
        """Give back what a running job had; its end is still to be recorded."""
        live.over = True
        follower = live.follower
        if follower is not None and live.leader is None:  # has started there already
            live.follower = None
            follower.leader = None
            self.running += 1
            self._backlog.started(follower.line)
            self._leaders.append(follower)
        self._let_go(live)

    def _let_go(self, live: Live) -> None:
        """Give back a place, if it has one yet."""
        if live.leader is not None:
            live.leader.follower = live.follower
            if live.follower is not None:
                live.follower.leader = live.leader
            live.leader = live.follower = None
            return
        self.running -= 1
        for name in live.job.resources:
            if self._taken.get(name) == live.job.number:
                del self._taken[name]
        self._backlog.ended(live.line)

    def _end(
        self,
        live: Live,
        outcome: Outcome,
        reason: str,
        report: Ended | None = None,
        uploads: Sequence[Upload] = (),
    ) -> None:
        at = moment.now()
        self._note(
            live,
            State.DONE,
            at=at,
            outcome=outcome,
            reason=reason,
            started=_began(report) if live.state < State.RUNNING else None,
            finished=report.at if report else at,
            return_code=report.exit_code if report else None,
            signal=report.signal if report else None,
            usage=report.usage if report else None,
            data={"notes": list(report.notes)} if report and report.notes else {},
            uploads=uploads,
        )

    def unbegun(self) -> list[Change]:
        """Return what is to be recorded of jobs whose start was, and that nobody will launch now.

        After a reboot nobody could tell any more that they never were a process.
        """
        reason = "the server was stopped before it was started"
        return [
            Change(live.job.number, live.job.attempt, moment.now(), reason=reason, restart=True)
            for live in self._live.values()
            if live.state == State.STARTING and not live.launched and not live.over
        ]

    # Cancelling.

    def cancel(self, number: int, submission: int, reason: str) -> Found:
        """Stop a job, or take it out of the backlog: it is withheld until `release`."""
        live = self._live.get(number)
        if live is None:
            self._backlog.withdraw(number, submission)
            return Found.WAITING
        if live.over:
            return Found.OVER
        self._stop(live, reason)
        return Found.LIVE

    def cancel_submission(self, submission: int, reason: str) -> None:
        """Stop what runs of a submission, withhold what waits."""
        self._backlog.withdraw_submission(submission)
        for live in list(self._live.values()):
            if live.job.submission == submission and not live.over:
                self._stop(live, reason)

    def _stop(self, live: Live, reason: str) -> None:
        if live.stop is not None:
            return
        live.stop = reason
        self._note(live, State.STOPPING, reason=reason, durable=True)
        if live.launched:
            self._backend.stop(live.job.number, live.job.attempt, reason)

    # Recording.

    def happened(self, job: Job, message: str) -> None:
        """Add an event to a job, whatever its state."""
        self._event(job, message)

    def _event(self, job: Job, message: str) -> None:
        change = Change(job.number, job.attempt, moment.now(), reason=message, type="upload")
        self.notes.append(Note(change, job))

    def _note(
        self, live: Live, state: State, *, at: int = 0, durable: bool = False, **more: Any
    ) -> None:
        live.state = state
        change = Change(live.job.number, live.job.attempt, at or moment.now(), state, **more)
        self.notes.append(Note(change, live.job, durable))

    def _guard(self, live: Live, call: Callable[[], None]) -> None:
        """Call; what goes wrong with one job ends that job only."""
        try:
            call()
        except Exception as error:
            _log.exception("job %s: handling it failed", live.job.number)
            if live.launched and not live.over:
                self._backend.stop(live.job.number, live.job.attempt, "the server stumbled over it")
            if not live.over:
                self._over(live)
            if live.state != State.DONE:
                self._end(live, Outcome.LOST, f"the server stumbled over it: {one_line(error)}")


def _ends(change: Change) -> bool:
    """Return whether an attempt is over by this, or will be soon."""
    return change.restart or (change.state is not None and change.state >= State.STOPPING)


def _is_there_already(refused: Refused) -> bool:
    """Return whether a start was recorded though the store, going away, didn't say so."""
    return refused.why is Why.LATE and refused.state in (State.STARTING, State.STOPPING)


def _began(report: Ended | None) -> int | None:
    """Return when a job began of which only the end is known."""
    if report is None or report.usage is None:
        return None
    return report.at - round(report.usage.wall * moment.SECOND)
