"""The runners of a server and the spawner that forks them: who rests, who has which attempt."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError
from projects.jobs.process import wire
from projects.jobs.process.links import launch_line, start_spawner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from projects.jobs.process.assignments import Assignments
    from projects.jobs.process.connections import Connections
    from projects.jobs.process.links import Key, RunnerLink, SpawnerLink
    from projects.jobs.process.orders import Order

TROUBLE = 3
"""Spawners in a row that may die without having forked, before orders are refused."""


class Crew:
    """Gives waiting orders to idle runners, and has as many forked as are missing.

    Attributes
    ----------
    spawner
        Who forks runners; None while there is none.
    idle
        The runners without an attempt, the longest idle one first.
    busy, followers
        By attempt, the runner that has it, or has it for after the one it is busy with.
    holders
        By attempt that is over, who has its end in its journal, and under which number.
    starting
        No spawner is started for what waits: the living ones have not all been asked.
    housekeeping
        When `look_after` must be called, on the monotonic clock.
    """

    def __init__(
        self,
        run_directory: str,
        boot_id: str,
        idle_seconds: float,
        connections: Connections,
        assignments: Assignments,
    ) -> None:
        self._run_directory = run_directory
        self._boot_id = boot_id
        self.idle_seconds = idle_seconds
        self._connections = connections
        self._assignments = assignments
        self.spawner: SpawnerLink | None = None
        self.idle: list[RunnerLink] = []
        self.busy: dict[Key, RunnerLink] = {}
        self.followers: dict[Key, RunnerLink] = {}
        self.holders: dict[Key, tuple[RunnerLink, int]] = {}
        self.starting = True
        self.housekeeping = 0.0
        self._forks = 0
        self._deaths = 0

    # -- handing over ---------------------------------------------------------------------------

    def launch(self, key: Key) -> None:
        """Give an order to a runner now, or as soon as there is one."""
        if self.idle:
            self._hand_over(self.idle.pop(), key)
        else:
            self._assignments.waiting.append(key)
            self.want_runners()

    def _hand_over(self, link: RunnerLink, key: Key) -> None:
        line = launch_line(self._assignments.orders[key], link.settled)
        if len(line) > wire.LONGEST_SENT:  # who hangs up on it would take the order along
            why = "its arguments and environment are larger than any may be"
            self._assignments.not_started(key, why)
            self.free(link)
            return
        link.job = key
        self.busy[key] = link
        link.told = link.settled
        self._connections.send(link, line)

    def free(self, link: RunnerLink) -> None:
        """Give an idle runner its next job, or let it rest; one that can't stay is sent home."""
        if link.leaving or self.spawner is None or link.spawner != self.spawner.name:
            self._send_home(link)
        elif self._assignments.waiting:
            self._hand_over(link, self._assignments.waiting.popleft())
        elif link not in self.idle:
            link.idle_since = time.monotonic()
            self.idle.append(link)

    def call_on_idle(self) -> None:
        """Let somebody take what was put back into the queue."""
        if self.idle:
            self.free(self.idle.pop())
        self.want_runners()

    def _send_home(self, link: RunnerLink) -> None:
        link.leaving = True
        self._connections.send(link, '{"t":"leave"}')

    # -- following ------------------------------------------------------------------------------

    def follow(self, orders: Sequence[Order], leader: Key) -> bool:
        """Hand over what is to begin when `leader` is over; False: its runner can't take it."""
        link = self.busy.get(leader)
        if link is None or link.leaving:
            return False
        lines = "\n".join(launch_line(order, link.settled) for order in orders)
        if len(lines) > wire.LONGEST_SENT:
            return False
        for order in orders:
            key = (order.number, order.attempt)
            self._assignments.orders[key] = order
            self.followers[key] = link
            link.followers.append(key)
        link.told = link.settled
        self._connections.send(link, lines)
        return True

    def go_on(self, link: RunnerLink) -> None:
        """Take note that a runner has begun what was to follow; else it is free."""
        if not link.followers:
            link.job = None
            self.free(link)
            return
        key = link.job = link.followers.popleft()
        del self.followers[key]
        self.busy[key] = link

    def came_back(self, link: RunnerLink, key: Key) -> None:
        """Take note that a runner won't begin what was to follow."""
        if key in link.followers:
            link.followers.remove(key)
            del self.followers[key]
            self._assignments.come_back(key)

    # -- ends -----------------------------------------------------------------------------------

    def hold(self, link: RunnerLink, key: Key, sequence: int) -> None:
        """Keep in mind whose journal has the end of an attempt until it is settled."""
        link.ended(sequence, key)
        self.holders[key] = (link, sequence)

    def settle(self, attempts: Iterable[Key]) -> list[Key]:
        """Let runners forget these ends; return those that none of them has."""
        unknown = []
        touched = set()
        for key in attempts:
            holder = self.holders.pop(key, None)
            if holder is None:
                unknown.append(key)
                continue
            link, sequence = holder
            link.settle(sequence)
            if link.job is None:
                touched.add(link)
        for link in touched:
            link.tell_settled()
        return unknown

    def lose_runner(self, link: RunnerLink) -> None:
        """Forget a dead runner; what it had for later is for others to find out."""
        if link in self.idle:
            self.idle.remove(link)
        if link.job is not None:
            self.busy.pop(link.job, None)
        for key in link.open.values():
            self.holders.pop(key, None)

    # -- numbers --------------------------------------------------------------------------------

    def want_runners(self) -> None:
        """Have as many runners forked as are missing."""
        if self.spawner is None and self._assignments.waiting and not self.starting:
            self._replace_spawner()  # it could not be had when the one before was lost
        if self.spawner is None:
            return
        least = 0 if self.idle or self.busy else 1
        missing = max(len(self._assignments.waiting), least) - self._forks
        for _ in range(missing):
            self._forks += 1
            self._connections.send(self.spawner, '{"t":"fork"}')

    def forked(self) -> None:
        """Take note that the spawner has forked one of those that were asked for."""
        self._forks = max(0, self._forks - 1)
        self._deaths = 0

    def refused(self, why: str) -> None:
        """Take note that the spawner can't fork any."""
        self._forks = 0
        self._assignments.refuse_waiting(why)

    def look_after(self) -> None:
        """Send runners home that have been idle for long, all but one."""
        now = time.monotonic()
        self.housekeeping = now + min(1.0, self.idle_seconds)
        while len(self.idle) > 1 and now - self.idle[0].idle_since >= self.idle_seconds:
            self._send_home(self.idle.pop(0))
        self.want_runners()

    # -- the spawner ----------------------------------------------------------------------------

    def new_spawner(self) -> None:
        """Start a spawner and connect to it.

        Raises
        ------
        InfrastructureError
            It didn't come up.
        """
        link = start_spawner(self._run_directory, self._boot_id)
        self.spawner = link
        self._connections.add(link)

    def lose_spawner(self, link: SpawnerLink) -> None:
        """Replace ours; its runners are sent home when they have nothing to do."""
        if link is not self.spawner:
            return
        self.spawner = None
        # Killed while it had nothing to do, it is no worse than the next one.
        self._deaths = self._deaths + 1 if self._forks or not link.greeted else 0
        self._forks = 0
        for idle in self.idle:
            self._send_home(idle)
        self.idle.clear()
        self._replace_spawner()
        self.want_runners()

    def _replace_spawner(self) -> None:
        """Start another spawner; where that fails what waits is refused, the next order tries."""
        try:
            if self._deaths > TROUBLE:
                self._deaths = TROUBLE
                raise InfrastructureError("the process that starts jobs dies again and again")
            self.new_spawner()
        except InfrastructureError as error:
            self._assignments.refuse_waiting(str(error))
