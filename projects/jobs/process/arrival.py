"""A new server: it greets whom it finds, ends who is silent, reads what the dead have left."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError
from projects.jobs.process import journal, kernel, wire
from projects.jobs.process.links import SpawnerLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.jobs.process.connections import Connections
    from projects.jobs.process.hearing import Hearing
    from projects.jobs.process.losses import Losses
    from projects.jobs.process.remains import Graveyard

GREETING = 2.0
"""Seconds for living runners and spawners to answer; who doesn't is ended."""

READING = 2.0
"""Seconds for the journals of dead runners to become free; who holds one longer is ended."""

ENDING = 20.0
"""Seconds for what was ended to be gone, and for what it left to be known."""

_OURS = ("job-runner", "job-spawner")

_log = logging.getLogger(__name__)


class Arrival:
    """Finds out, once, everything that servers before have left."""

    def __init__(
        self,
        run_directory: str,
        connections: Connections,
        hearing: Hearing,
        graveyard: Graveyard,
        losses: Losses,
    ) -> None:
        self._runners_directory = os.path.join(run_directory, "runners")
        self._spawners_directory = os.path.join(run_directory, "spawners")
        self._directories = (run_directory, self._runners_directory, self._spawners_directory)
        self._connections = connections
        self._hearing = hearing
        self._graveyard = graveyard
        self._losses = losses

    def take_over(self) -> None:
        """Return when of every attempt that a runner had it is known what became of it.

        Raises
        ------
        InfrastructureError
            A directory can't be made; somebody can neither be asked nor ended.
        """
        self._make_directories()
        for name in _names(self._spawners_directory):
            self._find_spawner(name)
        self._await_greetings(self._spawners_directory)  # they know which runners are dead
        names = _names(self._runners_directory)
        dead = [name for name in names if not self._connections.find_runner(name)]
        self._await_greetings(self._runners_directory)
        for name in dead:
            self._losses.bury(name)
        self._await_readings()

    def _make_directories(self) -> None:
        for path in self._directories:
            try:
                os.makedirs(path, mode=0o700, exist_ok=True)
                os.chmod(path, 0o700)
            except OSError as error:
                raise InfrastructureError(f"{path} can't be made: {error.strerror}") from error

    def _find_spawner(self, name: str) -> None:
        channel = wire.connect(self._spawners_directory, name + ".sock")
        if channel is None:  # dead, or not up when its server was killed
            _end_holders(self._spawners_directory, name)
            journal.remove(self._spawners_directory, name)
        else:
            self._connections.add(SpawnerLink(name, channel))

    def _await_greetings(self, directory: str) -> None:
        """Wait until all that we are connected to have said hello.

        Who is silent is ended: an order of the server before may lie unread in its socket, and
        would be obeyed some day, after it was given to somebody else.
        """
        silent = self._connections.silent
        self._handle_while(silent, GREETING)
        for name in silent():
            _log.warning("%s doesn't answer, and is ended", name)
            _end_holders(directory, name)
        self._handle_while(silent, ENDING)
        if left := silent():
            raise InfrastructureError(f"processes can't be ended: those of {', '.join(left)}")

    def _await_readings(self) -> None:
        """Wait until it is known of every attempt what became of it."""
        self._handle_while(self._graveyard.unread, READING)
        for name in self._graveyard.unread():
            if _end_holders(self._runners_directory, name):
                _log.warning("%s held its journal for too long, and was ended", name)
        self._handle_while(self._graveyard.unread, ENDING)
        if left := self._graveyard.unread():
            raise InfrastructureError(f"the journals of {', '.join(left)} can't be taken over")

    def _handle_while(self, condition: Callable[[], object], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while condition() and time.monotonic() < deadline:
            self._hearing.handle(0.01)
            self._graveyard.tick(time.monotonic())


def _end_holders(directory: str, name: str) -> list[int]:
    return kernel.end_holders(os.path.join(directory, name + ".journal"), _OURS)


def _names(directory: str) -> list[str]:
    """Return the ids of runners or spawners that have left a trace."""
    found = set()
    for name in os.listdir(directory):
        stem, _, ending = name.partition(".")
        if ending in ("journal", "sock"):
            found.add(stem)
    return sorted(found)
