"""The process backend: jobs as processes of this machine that outlive the server."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from projects.jobs.process import kernel, wire
from projects.jobs.process.arrival import Arrival
from projects.jobs.process.assignments import Assignments
from projects.jobs.process.connections import Connections
from projects.jobs.process.crew import Crew
from projects.jobs.process.hearing import Hearing
from projects.jobs.process.losses import Losses
from projects.jobs.process.remains import Graveyard

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.jobs.process.links import Key
    from projects.jobs.process.orders import Order, Report


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
        place = os.path.abspath(run_directory)
        runners = os.path.join(place, "runners")
        boot_id = boot_id or kernel.boot_id()
        self._connections = links = Connections(runners)
        self._assignments = assignments = Assignments()
        self._crew = crew = Crew(place, boot_id, idle_seconds, links, assignments)
        self._graveyard = graveyard = Graveyard(runners, boot_id, links.epoll)
        self._losses = losses = Losses(place, links, assignments, crew, graveyard)
        self._hearing = Hearing(links, assignments, crew, graveyard, losses)
        self._arrival = Arrival(place, links, self._hearing, graveyard, losses)

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
        self._arrival.take_over()
        if self._crew.spawner is None:
            self._crew.new_spawner()
        self._crew.look_after()
        self._losses.settle()
        self._crew.starting = False
        return self._assignments.collected()

    def launch(self, order: Order) -> None:
        """Have an attempt started; never blocks and never fails: `wait` tells how it went."""
        key = (order.number, order.attempt)
        self._assignments.orders[key] = order
        self._crew.launch(key)

    def follow(self, orders: Sequence[Order], number: int, attempt: int) -> bool:
        """Have attempts started by the runner of another one, one after the other, when it is over.

        Saves the way there and back between short jobs. Only while those before take a few
        milliseconds each: else, or when it is stopped before it begins, one is `Returned`. False:
        none of them can be.
        """
        return self._crew.follow(orders, (number, attempt))

    def stop(self, number: int, attempt: int, reason: str) -> None:
        """SIGTERM to the job's process group, SIGKILL after its grace; unknown ones: no effect.

        The `Ended` that follows has reason `stopped` and `reason` among its notes, unless the
        job had ended before.
        """
        key = (number, attempt)
        link = self._crew.busy.get(key) or self._crew.followers.get(key)
        if link is not None:
            line = wire.encode({"t": "stop", "n": number, "a": attempt, "why": reason})
            self._connections.send(link, line)
            self._assignments.stops[key] = reason
        elif key not in self._assignments.orders:
            self._losses.stop(key, reason)
        elif not self._assignments.withdraw(key, reason):
            self._assignments.stops[key] = reason  # its runner has just died: see `queue_again`

    def wait(self, timeout: float | None) -> list[Report]:
        """Return what has happened; [] after `timeout` seconds or `wake` (0: only look).

        A short job's `Started` and `Ended` may come together. An `Ended` or `Unknown` may be
        repeated after a restart until it is `settled`, never otherwise.
        """
        now = time.monotonic()
        deadline = float("inf") if timeout is None else now + timeout
        while not self._assignments.reports:
            due = min(deadline, self._graveyard.due())
            if self._crew.idle:
                due = min(due, self._crew.housekeeping)
            pause = None if due == float("inf") else max(0.0, due - now)
            woken = self._hearing.handle(pause)
            now = time.monotonic()
            if now >= self._crew.housekeeping:
                self._crew.look_after()
            if self._graveyard.due() <= now:
                self._graveyard.tick(now)
                self._losses.settle()
            if woken or now >= deadline:
                break
        return self._assignments.collected()

    def wake(self) -> None:
        """Let `wait` return; from any thread, also from a signal handler."""
        self._connections.wake()

    def settled(self, attempts: Iterable[Key]) -> None:
        """Forget the ends of these (number, attempt): the database has them."""
        for key in self._crew.settle(attempts):
            self._graveyard.settle(key)

    def close(self, stop_jobs: bool = False) -> None:
        """Let go of runners and spawner; jobs go on and are found by the next `start`.

        Runners and spawner end when nothing is left for them to do. With `stop_jobs` every job
        is stopped first, and its end kept for the next `start`.
        """
        if stop_jobs:
            for key in [*self._crew.busy, *self._assignments.orders, *self._graveyard.living()]:
                self.stop(*key, "the server was stopped")
            while self._crew.busy or self._graveyard.living():
                self.wait(1.0)
        self._graveyard.close()
        self._connections.close()
