"""What runners and spawners say, and what a server does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.jobs.process import history, wire
from projects.jobs.process.links import RunnerLink

if TYPE_CHECKING:
    from typing import Any

    from projects.jobs.process.assignments import Assignments
    from projects.jobs.process.connections import Connections, Link
    from projects.jobs.process.crew import Crew
    from projects.jobs.process.links import SpawnerLink
    from projects.jobs.process.losses import Losses
    from projects.jobs.process.remains import Graveyard


class Hearing:
    """Takes the messages of all connections, and the ends of processes that are watched."""

    def __init__(
        self,
        connections: Connections,
        assignments: Assignments,
        crew: Crew,
        graveyard: Graveyard,
        losses: Losses,
    ) -> None:
        self._connections = connections
        self._assignments = assignments
        self._crew = crew
        self._graveyard = graveyard
        self._losses = losses

    def handle(self, timeout: float | None) -> bool:
        """Take what comes, or has come; return whether the server was woken."""
        woken, speaking, ended = self._connections.poll(timeout)
        for link in speaking:
            if link in self._connections:  # else it was heard out with other news
                self._listen(link)
        for descriptor in ended:
            self._graveyard.ready(descriptor)
            self._losses.settle()
        return woken

    def _listen(self, link: Link) -> None:
        try:
            messages = link.channel.receive()
        except wire.Closed:
            self._losses.lose(link)
            return
        for message in messages:
            if isinstance(link, RunnerLink):
                self._hear_runner(link, message)
            else:
                self._hear_spawner(link, message)

    # -- runners --------------------------------------------------------------------------------

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
                start = history.started({**message, **message["start"]})
                self._assignments.reports.append(start)
            self._end_of_job(link, message)
            self._crew.go_on(link)
        elif kind == "back":
            self._crew.came_back(link, (message["n"], message["a"]))

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
            self._crew.free(link)

    def _start_of_job(self, link: RunnerLink, message: dict[str, Any]) -> None:
        key = (message["n"], message["a"])
        self._assignments.began(key)
        link.job = key
        self._crew.busy[key] = link
        self._assignments.reports.append(history.started(message))

    def _end_of_job(self, link: RunnerLink, message: dict[str, Any]) -> None:
        key = (message["n"], message["a"])
        self._crew.hold(link, key, message["q"])
        self._crew.busy.pop(key, None)
        self._assignments.began(key)
        self._assignments.stops.pop(key, None)
        self._assignments.reports.append(history.ended(message))

    # -- spawners -------------------------------------------------------------------------------

    def _hear_spawner(self, link: SpawnerLink, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if kind == "hello":
            self._greeted_by_spawner(link, message)
        elif kind == "forked":
            self._crew.forked()
            self._greet_forked(message["id"])
        elif kind == "refused":
            self._crew.refused(message.get("why", ""))
        elif kind == "orphan":
            self._hear_out(message["id"])
            self._graveyard.guarded(message["id"])
            self._losses.bury(message["id"])
        elif kind == "gone":
            self._hear_out(message["id"])
            self._graveyard.released(message["id"])
            self._losses.bury(message["id"])

    def _greeted_by_spawner(self, link: SpawnerLink, message: dict[str, Any]) -> None:
        link.greeted = True
        if message.get("v") == wire.version() and self._crew.spawner is None:
            self._crew.spawner = link
        elif link is not self._crew.spawner:
            self._connections.send(link, '{"t":"leave"}')

    def _greet_forked(self, name: str) -> None:
        forked = self._connections.find_runner(name)
        if forked is None:
            self._crew.want_runners()
            return
        forked.greeted = True  # it has nothing to tell
        self._crew.free(forked)

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
                self._losses.lose(link)
