"""The process backend: jobs as processes of this machine that outlive the server."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError
from projects.jobs.model import moment
from projects.jobs.process import history, journal, kernel, wire
from projects.jobs.process.connections import Connections
from projects.jobs.process.links import RunnerLink, SpawnerLink, launch_line, start_spawner
from projects.jobs.process.orders import Ended, Returned, Started, Unknown
from projects.jobs.process.remains import Graveyard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from projects.jobs.process.connections import Link
    from projects.jobs.process.links import Key
    from projects.jobs.process.orders import Order, Report

_GREETING = 2.0
"""Seconds for living runners and spawners to answer at the start; who doesn't is ended."""

_READING = 2.0
"""Seconds for the journals of dead runners to become free at the start; who holds one longer is
ended."""

_ENDING = 20.0
"""Seconds for what was ended to be gone, and for what it left to be known."""

_OURS = ("job-runner", "job-spawner")

_TROUBLE = 3
"""Spawners in a row that may die without having forked, before orders are refused."""


_log = logging.getLogger(__name__)


class ProcessBackend:
    """Hands orders to runners and tells what became of them.

    All methods but `wake` belong to one thread (the engine's). One backend at a time per run
    directory: whoever makes it holds the lock of the data directory.

    Parameters
    ----------
    run_directory
        Made with mode 0700 when missing; holds sockets and journals. Any length of path.
    idle_seconds
        After how long an unused runner ends; one is kept.
    boot_id
        That of this boot; given by tests that want a reboot.
    """

    def __init__(
        self, run_directory: str, idle_seconds: float = 60.0, boot_id: str | None = None
    ) -> None:
        self._directory = os.path.abspath(run_directory)
        self._runners_directory = os.path.join(self._directory, "runners")
        self._spawners_directory = os.path.join(self._directory, "spawners")
        self._idle_seconds = idle_seconds
        self._boot_id = boot_id or kernel.boot_id()
        self._connections = Connections()
        self._spawner: SpawnerLink | None = None
        self._idle: list[RunnerLink] = []
        self._orders: dict[Key, Order] = {}
        self._waiting: deque[Key] = deque()
        self._holders: dict[Key, tuple[RunnerLink, int]] = {}
        self._busy: dict[Key, RunnerLink] = {}
        self._followers: dict[Key, RunnerLink] = {}
        self._stops: dict[Key, str] = {}
        self._forks = 0
        self._deaths = 0
        self._reports: list[Report] = []
        self._housekeeping = 0.0
        self._starting = True
        self._graveyard = Graveyard(self._runners_directory, self._boot_id, self._connections.epoll)

    # -- the engine's calls ---------------------------------------------------------------------

    def start(self) -> list[Report]:
        """Find or start the spawner, greet runners, absorb what dead ones left.

        Returns everything that is known of attempts whose end was not yet `settled`: `Started`
        for what still runs, `Ended`, `Unknown`. An attempt that is not mentioned never was a
        process, and never will be: its order can be launched again under the same number.

        Raises
        ------
        InfrastructureError
            The directory can't be made, or the spawner doesn't come up.
        """
        self._make_directories()
        for name in _names(self._spawners_directory):
            self._find_spawner(name)
        self._await_greetings(self._spawners_directory)  # they know which runners are dead
        dead = [name for name in _names(self._runners_directory) if not self._find_runner(name)]
        self._await_greetings(self._runners_directory)
        for name in dead:
            self._bury(name)
        self._await_readings()
        if self._spawner is None:
            self._new_spawner()
        self._look_after_runners()
        self._settle_graveyard()
        self._starting = False
        return self._collected()

    def launch(self, order: Order) -> None:
        """Have an attempt started; never blocks and never fails: `wait` tells how it went."""
        key = (order.number, order.attempt)
        self._orders[key] = order
        if self._idle:
            self._hand_over(self._idle.pop(), key)
        else:
            self._waiting.append(key)
            self._want_runners()

    def follow(self, order: Order, number: int, attempt: int) -> bool:
        """Have an attempt started by the runner of another one, when that is over; False: it can't.

        Saves the way there and back between short jobs. Only while that other one runs for a few
        milliseconds: then, or when it is stopped before it begins, it is `Returned`.
        """
        link = self._busy.get((number, attempt))
        if link is None or link.follower is not None or link.leaving:
            return False
        line = launch_line(order, link.settled)
        if len(line) > wire.LONGEST_SENT:
            return False
        key = (order.number, order.attempt)
        self._orders[key] = order
        self._followers[key] = link
        link.follower = key
        link.told = link.settled
        self._connections.send(link, line)
        return True

    def stop(self, number: int, attempt: int, reason: str) -> None:
        """SIGTERM to the job's process group, SIGKILL after its grace; unknown ones: no effect.

        The `Ended` that follows has reason `stopped` and `reason` among its notes, unless the
        job had ended before.
        """
        key = (number, attempt)
        link = self._busy.get(key) or self._followers.get(key)
        if link is not None:
            self._connections.send(
                link, wire.encode({"t": "stop", "n": number, "a": attempt, "why": reason})
            )
            self._stops[key] = reason
        elif key in self._orders:
            if key in self._waiting:
                self._waiting.remove(key)
                self._never_began(key, reason)
            else:
                self._stops[key] = reason  # its runner has just died: see `_requeue`
        elif not self._graveyard.stop(key, reason) and self._graveyard.unread():
            self._stops[key] = reason  # what became of it is about to be known

    def wait(self, timeout: float | None) -> list[Report]:
        """Return what has happened; [] after `timeout` seconds or `wake` (0: only look).

        A short job's `Started` and `Ended` may come together. An `Ended` or `Unknown` may be
        repeated after a restart until it is `settled`, never otherwise.
        """
        now = time.monotonic()
        deadline = float("inf") if timeout is None else now + timeout
        while not self._reports:
            due = min(deadline, self._graveyard.due())
            if self._idle:
                due = min(due, self._housekeeping)
            pause = None if due == float("inf") else max(0.0, due - now)
            woken = self._handle(pause)
            now = time.monotonic()
            if now >= self._housekeeping:
                self._look_after_runners()
            if self._graveyard.due() <= now:
                self._graveyard.tick(now)
                self._settle_graveyard()
            if woken or now >= deadline:
                break
        return self._collected()

    def wake(self) -> None:
        """Let `wait` return; from any thread, also from a signal handler."""
        self._connections.wake()

    def settled(self, attempts: Iterable[tuple[int, int]]) -> None:
        """Forget the ends of these (number, attempt): the database has them."""
        touched = set()
        for key in attempts:
            holder = self._holders.pop(key, None)
            if holder is None:
                self._graveyard.settle(key)
                continue
            link, sequence = holder
            link.settle(sequence)
            if link.job is None:
                touched.add(link)
        for link in touched:
            link.tell_settled()

    def close(self, stop_jobs: bool = False) -> None:
        """Let go of runners and spawner; jobs go on and are found by the next `start`.

        Runners and spawner end when nothing is left for them to do. With `stop_jobs` every job
        is stopped first, and its end kept for the next `start`.
        """
        if stop_jobs:
            for key in [*self._busy, *self._orders, *self._graveyard.living()]:
                self.stop(*key, "the server was stopped")
            while self._busy or self._graveyard.living():
                self.wait(1.0)
        self._graveyard.close()
        self._connections.close()

    # -- starting -------------------------------------------------------------------------------

    def _make_directories(self) -> None:
        for path in (self._directory, self._runners_directory, self._spawners_directory):
            try:
                os.makedirs(path, mode=0o700, exist_ok=True)
                os.chmod(path, 0o700)
            except OSError as error:
                raise InfrastructureError(f"{path} can't be made: {error.strerror}") from error

    def _find_spawner(self, name: str) -> None:
        channel = wire.connect(self._spawners_directory, name + ".sock")
        if channel is None:  # dead, or not up when its server was killed
            self._end_holders(self._spawners_directory, name)
            journal.remove(self._spawners_directory, name)
        else:
            self._connections.add(SpawnerLink(name, channel))

    def _find_runner(self, name: str) -> RunnerLink | None:
        channel = wire.connect(self._runners_directory, name + ".sock")
        if channel is None:
            return None
        link = RunnerLink(name, channel)
        self._connections.add(link)
        return link

    def _await_greetings(self, directory: str) -> None:
        """Wait until all that we are connected to have said hello.

        Who is silent is ended: an order of the server before may lie unread in its socket, and
        would be obeyed some day, after it was given to somebody else.
        """
        silent = self._connections.silent
        self._handle_while(silent, _GREETING)
        for name in silent():
            _log.warning("%s doesn't answer, and is ended", name)
            self._end_holders(directory, name)
        self._handle_while(silent, _ENDING)
        if left := silent():
            raise InfrastructureError(f"processes can't be ended: those of {', '.join(left)}")

    def _await_readings(self) -> None:
        """Wait until it is known of every attempt what became of it."""
        self._handle_while(self._graveyard.unread, _READING)
        for name in self._graveyard.unread():
            if self._end_holders(self._runners_directory, name):
                _log.warning("%s held its journal for too long, and was ended", name)
        self._handle_while(self._graveyard.unread, _ENDING)
        if left := self._graveyard.unread():
            raise InfrastructureError(f"the journals of {', '.join(left)} can't be taken over")

    @staticmethod
    def _end_holders(directory: str, name: str) -> list[int]:
        return kernel.end_holders(os.path.join(directory, name + ".journal"), _OURS)

    def _handle_while(self, condition: Callable[[], object], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while condition() and time.monotonic() < deadline:
            self._handle(0.01)
            self._graveyard.tick(time.monotonic())

    def _new_spawner(self) -> None:
        link = start_spawner(self._directory, self._boot_id)
        self._spawner = link
        self._connections.add(link)

    # -- hearing --------------------------------------------------------------------------------

    def _handle(self, timeout: float | None) -> bool:
        """Take what comes, or has come; return whether `wake` was called."""
        woken, speaking, ended = self._connections.poll(timeout)
        for link in speaking:
            if link in self._connections:  # else it was heard out with other news
                self._listen(link)
        for descriptor in ended:
            self._graveyard.ready(descriptor)
            self._settle_graveyard()
        return woken

    def _listen(self, link: Link) -> None:
        try:
            messages = link.channel.receive()
        except wire.Closed:
            self._lose(link)
            return
        for message in messages:
            if isinstance(link, RunnerLink):
                self._hear_runner(link, message)
            else:
                self._hear_spawner(link, message)

    def _hear_runner(self, link: RunnerLink, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind == "hello":
            self._greeted(link, message)
        elif not link.greeted:
            link.lines.append(message)
        elif kind == "start":
            self._start_of_job(link, message)
        elif kind == "end":
            if "start" in message:  # it was over before its start was told
                self._reports.append(history.started({**message, **message["start"]}))
            self._end_of_job(link, message)
            self._go_on(link)
        elif kind == "back":
            self._came_back(link)

    def _go_on(self, link: RunnerLink) -> None:
        """Take note that a runner has begun what was to follow; else it is free."""
        key = link.job = link.follower
        if key is None:
            self._free(link)
        else:
            link.follower = None
            del self._followers[key]
            self._busy[key] = link

    def _came_back(self, link: RunnerLink) -> None:
        """Tell that what was to follow is not going to."""
        key, link.follower = link.follower, None
        if key is None:
            return
        del self._followers[key]
        if key in self._stops:
            self._never_began(key, self._stops.pop(key))
        else:
            del self._orders[key]
            self._reports.append(Returned(*key))

    def _start_of_job(self, link: RunnerLink, message: dict[str, Any]) -> None:
        key = (message["n"], message["a"])
        self._orders.pop(key, None)
        link.job = key
        self._busy[key] = link
        self._reports.append(history.started(message))

    def _end_of_job(self, link: RunnerLink, message: dict[str, Any]) -> None:
        key = (message["n"], message["a"])
        link.ended(message["q"], key)
        self._holders[key] = (link, message["q"])
        self._orders.pop(key, None)
        self._stops.pop(key, None)
        self._busy.pop(key, None)
        self._reports.append(history.ended(message))

    def _greeted(self, link: RunnerLink, message: dict[str, Any]) -> None:
        """Take over a runner with everything that it has written down."""
        if link.greeted:
            return
        link.greeted = True
        link.leaving = message.get("v") != wire.version()
        for known in history.fold(link.lines).values():
            if known.end is not None:
                self._end_of_job(link, known.end)
            elif known.start is not None:
                self._start_of_job(link, known.start)
        link.lines = []
        if link.job is None:
            self._free(link)

    def _hear_spawner(self, link: SpawnerLink, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind == "hello":
            link.greeted = True
            if message.get("v") == wire.version() and self._spawner is None:
                self._spawner = link
            elif link is not self._spawner:
                self._connections.send(link, '{"t":"leave"}')
        elif kind == "forked":
            self._forks = max(0, self._forks - 1)
            self._deaths = 0
            forked = self._find_runner(message["id"])
            if forked is not None:
                forked.greeted = True  # it has nothing to tell
                self._free(forked)
            else:
                self._want_runners()
        elif kind == "refused":
            self._forks = 0
            self._refuse(message.get("why", ""))
        elif kind == "orphan":
            self._hear_out(message["id"])
            self._graveyard.guarded(message["id"])
            self._bury(message["id"])
        elif kind == "gone":
            self._hear_out(message["id"])
            self._graveyard.released(message["id"])
            self._bury(message["id"])

    def _hear_out(self, name: str) -> None:
        """Take the last words of a runner that is dead, and its orders, before its journal is read.

        They lie in its socket still when the news of its death comes with them. Later nobody would
        ask again what has become of an order that it had.
        """
        for link in self._connections:
            if link.name != name:
                continue
            while link in self._connections and link.channel.has_news():
                self._listen(link)
            if link in self._connections:  # a child between fork and exec has its end, too
                self._lose(link)

    # -- runners --------------------------------------------------------------------------------

    def _hand_over(self, link: RunnerLink, key: Key) -> None:
        line = launch_line(self._orders[key], link.settled)
        if len(line) > wire.LONGEST_SENT:  # who hangs up on it would take the order along
            self._not_started(key, "its arguments and environment are larger than any may be")
            self._free(link)
            return
        link.job = key
        self._busy[key] = link
        link.told = link.settled
        self._connections.send(link, line)

    def _free(self, link: RunnerLink) -> None:
        """Give an idle runner its next job, or let it rest; one that can't stay is sent home."""
        if link.leaving or self._spawner is None or link.spawner != self._spawner.name:
            link.leaving = True
            self._connections.send(link, '{"t":"leave"}')
        elif self._waiting:
            self._hand_over(link, self._waiting.popleft())
        elif link not in self._idle:
            link.idle_since = time.monotonic()
            self._idle.append(link)

    def _want_runners(self) -> None:
        if self._spawner is None and self._waiting and not self._starting:
            self._replace_spawner()  # it could not be had when the one before was lost
        if self._spawner is None:
            return
        missing = max(len(self._waiting), 0 if self._idle or self._busy else 1) - self._forks
        for _ in range(missing):
            self._forks += 1
            self._connections.send(self._spawner, '{"t":"fork"}')

    def _look_after_runners(self) -> None:
        now = time.monotonic()
        self._housekeeping = now + min(1.0, self._idle_seconds)
        while len(self._idle) > 1 and now - self._idle[0].idle_since >= self._idle_seconds:
            link = self._idle.pop(0)
            link.leaving = True
            self._connections.send(link, '{"t":"leave"}')
        self._want_runners()

    # -- losses ---------------------------------------------------------------------------------

    def _lose(self, link: Link) -> None:
        self._connections.drop(link)
        if isinstance(link, SpawnerLink):
            self._lose_spawner(link)
        else:
            self._lose_runner(link)

    def _lose_runner(self, link: RunnerLink) -> None:
        link.channel.close()
        if link in self._idle:
            self._idle.remove(link)
        if link.follower is not None:
            self._lose_follower(link)
        if link.job is not None:
            self._busy.pop(link.job, None)
        for key in link.open.values():
            self._holders.pop(key, None)
        self._graveyard.expect(link.name, link.open.values(), link.job)
        if link.spawner not in self._connections.spawners():
            self._bury(link.name)
        # else the spawner, its parent, knows first what has become of the job, and tells

    def _lose_follower(self, link: RunnerLink) -> None:
        path = os.path.join(self._runners_directory, link.name + ".journal")
        if link.follower in history.fold(journal.peek(path)):
            assert link.job is not None  # noqa: S101  (what it followed)
            self._busy.pop(link.job, None)  # it is over, as the journal will tell
            self._go_on(link)
        else:
            self._came_back(link)

    def _lose_spawner(self, link: SpawnerLink) -> None:
        link.close()
        journal.remove(self._spawners_directory, link.name)
        for name in self._graveyard.of_spawner(link.name):
            self._graveyard.released(name)
            self._bury(name)
        if link is not self._spawner:
            return
        self._spawner = None
        # Killed while it had nothing to do, it is no worse than the next one.
        self._deaths = self._deaths + 1 if self._forks or not link.greeted else 0
        self._forks = 0
        for idle in self._idle:
            idle.leaving = True
            self._connections.send(idle, '{"t":"leave"}')
        self._idle.clear()
        self._replace_spawner()
        self._want_runners()

    def _replace_spawner(self) -> None:
        """Start another spawner; where that fails what waits is refused, the next order tries."""
        try:
            if self._deaths > _TROUBLE:
                self._deaths = _TROUBLE
                raise InfrastructureError("the process that starts jobs dies again and again")
            self._new_spawner()
        except InfrastructureError as error:
            self._refuse(str(error))

    def _bury(self, name: str) -> None:
        self._graveyard.bury(name)
        self._settle_graveyard()

    def _settle_graveyard(self) -> None:
        """Pass on what the graveyard has found out."""
        for key in self._graveyard.never_started():
            self._requeue(key)
        for report in self._graveyard.reports():
            key = (report.number, report.attempt)
            ours = self._orders.pop(key, None) is not None
            if ours or self._starting or not isinstance(report, Started):
                self._reports.append(report)
        for key, reason in list(self._stops.items()):
            if key in self._orders or key in self._busy:
                continue
            if self._graveyard.stop(key, reason) or not self._graveyard.unread():
                del self._stops[key]

    def _requeue(self, key: Key) -> None:
        """Hand an order to another runner: the one that had it died before it began."""
        if key not in self._orders:
            text = "its runner was killed before the process was started"
            self._reports.append(Unknown(*key, started=False, reason=text, at=moment.now()))
        elif key in self._stops:
            self._never_began(key, self._stops.pop(key))
        else:
            self._waiting.append(key)
            if self._idle:
                self._free(self._idle.pop())
            self._want_runners()

    def _never_began(self, key: Key, reason: str) -> None:
        del self._orders[key]
        text = "stopped"
        self._reports.append(
            Ended(*key, None, None, text, moment.now(), None, (reason, "it had not begun"))
        )

    def _refuse(self, why: str) -> None:
        for key in self._waiting:
            self._not_started(key, why)
        self._waiting.clear()

    def _not_started(self, key: Key, why: str) -> None:
        del self._orders[key]
        self._reports.append(Ended(*key, None, None, f"not started: {why}", moment.now(), None, ()))

    def _collected(self) -> list[Report]:
        reports, self._reports = self._reports, []
        return reports


def _names(directory: str) -> list[str]:
    """Return the ids of runners or spawners that have left a trace."""
    found = set()
    for name in os.listdir(directory):
        stem, _, ending = name.partition(".")
        if ending in ("journal", "sock"):
            found.add(stem)
    return sorted(found)
