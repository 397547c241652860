"""Runners and spawners that a server loses: what they had is found out, and goes on elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from projects.jobs.process import history, journal
from projects.jobs.process.links import SpawnerLink
from projects.jobs.process.orders import Started

if TYPE_CHECKING:
    from projects.jobs.process.assignments import Assignments
    from projects.jobs.process.connections import Connections, Link
    from projects.jobs.process.crew import Crew
    from projects.jobs.process.links import Key, RunnerLink
    from projects.jobs.process.remains import Graveyard


class Losses:
    """Buries the dead, and passes on what the graveyard finds out about their attempts."""

    def __init__(
        self,
        run_directory: str,
        connections: Connections,
        assignments: Assignments,
        crew: Crew,
        graveyard: Graveyard,
    ) -> None:
        self._runners_directory = os.path.join(run_directory, "runners")
        self._spawners_directory = os.path.join(run_directory, "spawners")
        self._connections = connections
        self._assignments = assignments
        self._crew = crew
        self._graveyard = graveyard

    def lose(self, link: Link) -> None:
        """Take note that a connection has ended, and so who was there."""
        self._connections.drop(link)
        if isinstance(link, SpawnerLink):
            self._lose_spawner(link)
        else:
            self._lose_runner(link)

    def bury(self, name: str) -> None:
        """Read what a dead runner left, as far as that is possible now."""
        self._graveyard.bury(name)
        self.settle()

    def stop(self, key: Key, reason: str) -> None:
        """Stop an attempt that no living runner has, if it runs, now or when that is known."""
        if not self._graveyard.stop(key, reason) and self._graveyard.unread():
            self._assignments.stops[key] = reason  # what became of it is about to be known

    def settle(self) -> None:
        """Pass on what the graveyard has found out."""
        for key in self._graveyard.never_started():
            if self._assignments.queue_again(key):
                self._crew.call_on_idle()
        for report in self._graveyard.reports():
            ours = self._assignments.began((report.number, report.attempt))
            if ours or self._crew.starting or not isinstance(report, Started):
                self._assignments.reports.append(report)
        self._stop_found()

    def _stop_found(self) -> None:
        """Stop what was to be stopped, where it is known by now; forget it where it is over."""
        stops = self._assignments.stops
        for key, reason in list(stops.items()):
            if key in self._assignments.orders or key in self._crew.busy:
                continue
            if self._graveyard.stop(key, reason) or not self._graveyard.unread():
                del stops[key]

    def _lose_runner(self, link: RunnerLink) -> None:
        link.channel.close()
        if link.followers:
            self._lose_followers(link)
        self._crew.lose_runner(link)
        self._graveyard.expect(link.name, link.open.values(), link.job)
        if link.spawner not in self._connections.spawners():
            self.bury(link.name)
        # else the spawner, its parent, knows first what has become of the job, and tells

    def _lose_followers(self, link: RunnerLink) -> None:
        path = os.path.join(self._runners_directory, link.name + ".journal")
        begun = history.fold(journal.peek(path))
        for key in list(link.followers):
            if key in begun:
                assert link.job is not None  # noqa: S101  (what it followed)
                self._crew.busy.pop(link.job, None)  # it is over, as the journal will tell
                self._crew.go_on(link)
            else:
                self._crew.came_back(link, key)

    def _lose_spawner(self, link: SpawnerLink) -> None:
        link.close()
        journal.remove(self._spawners_directory, link.name)
        for name in self._graveyard.of_spawner(link.name):
            self._graveyard.released(name)
            self.bury(name)
        self._crew.lose_spawner(link)
