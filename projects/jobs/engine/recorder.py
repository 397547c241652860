"""What happened to jobs, written to the store in batches by a thread of its own.

The first news of an idle engine is written at once, what follows at most 20 ms later, without
waiting for the disk; a second later at most it is synced. When the store fails, batches wait and
are tried again while jobs go on.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import InfrastructureError, one_line
from projects.jobs.model.states import TransitionError
from projects.jobs.store.values import Refused, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.model.entities import Job
    from projects.jobs.store.store import Store
    from projects.jobs.store.values import Change

BATCH = 0.02
"""Seconds between the beginnings of two batches."""

SYNC = 1.0
"""Seconds until what was written is on the disk."""

CALL = 3.0
"""Seconds that a client's call waits until the store has what was put before."""

PATIENCE = 5.0
"""Seconds that the store may take for a batch before that is a problem."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_MOST_FAILURES = 3  # of a batch for a reason that is not the store's: then one by one

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """A change to be recorded, and the job as it was before."""

    change: Change
    job: Job
    durable: bool = False


class Recorder:
    """`put` from any thread; `recorded` is called from the recorder's thread, in order.

    Parameters
    ----------
    recorded
        Called with each batch that the store has, and what it refused of it.
    """

    def __init__(
        self, store: Store, recorded: Callable[[Sequence[Note], Sequence[Refused]], None]
    ) -> None:
        self._store = store
        self._recorded = recorded
        self._notes: list[Note] = []
        self._put = self._done = self._synced = 0  # counts of notes, to wait for
        self._durable = False
        self._dirty: float | None = None
        self._problem = ""
        self._since: float | None = None
        self._closing = False
        self._idle = True
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, notes: Sequence[Note]) -> None:
        """Have changes recorded, in this order."""
        if not notes:
            return
        with self._changed:
            self._notes.extend(notes)
            self._put += len(notes)
            if any(note.durable for note in notes):
                self._durable = True
                self._changed.notify_all()
            elif self._idle:
                self._changed.notify_all()

    def flush(self, timeout: float = CALL) -> None:
        """Return when all that was put before is on the disk.

        Raises
        ------
        InfrastructureError
            The store didn't take it in time.
        """
        with self._changed:
            target = self._put
            if self._synced >= target:
                return
            self._durable = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._synced >= target, timeout):
                reason = self._problem or "it takes too long"
                raise InfrastructureError(f"the store can't take it now: {reason}")

    @property
    def waiting(self) -> int:
        """How many changes the store doesn't have yet."""
        return self._put - self._done

    @property
    def problem(self) -> str:
        """Why the store doesn't take anything; empty when it does."""
        since = self._since
        waited = 0.0 if since is None else time.monotonic() - since
        if not self._problem and waited > PATIENCE:
            return f"the store hasn't taken what happened for {waited:.0f} s"
        return self._problem

    def close(self, timeout: float = 10.0) -> bool:
        """Write what is left and end the thread; False: the store didn't take it in time."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive() and not self._notes

    def _run(self) -> None:
        last = 0.0
        while True:
            self._wait(last)
            with self._changed:
                notes, durable = self._notes, self._durable
                self._notes, self._durable = [], False
                self._idle = False
                if self._closing and not notes:
                    break
            last = time.monotonic()
            if notes or durable:
                self._write(notes, durable)
            self._sync_if_due()
        self._sync()

    def _wait(self, last: float) -> None:
        """Wait for something to write, and for the time to write it."""
        with self._changed:
            self._idle = True
            while not (self._notes or self._durable or self._closing):
                if self._dirty is None:
                    self._changed.wait()
                else:
                    left = self._dirty + SYNC - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        return
            self._idle = False
            while not (self._durable or self._closing):
                left = last + BATCH - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def _write(self, notes: list[Note], durable: bool) -> None:
        self._since = time.monotonic()
        refused = self._insist(notes, durable)
        if refused is None:
            return
        self._problem, self._since = "", None
        try:
            self._recorded(notes, refused)  # before anybody who waits goes on
        except Exception:
            _log.exception("what follows a record failed")
        with self._changed:
            self._done += len(notes)
            if self._dirty is None:
                self._synced = self._done
            self._changed.notify_all()

    def _insist(self, notes: Sequence[Note], durable: bool) -> Sequence[Refused] | None:
        """Record, however long the store takes nothing; None: the engine closes before it does."""
        pause, failures = _FIRST_PAUSE, 0
        while True:
            try:
                return self._record(notes, durable)
            except InfrastructureError as error:
                self._complain(one_line(error))
            except Exception as error:
                failures += 1
                self._complain(one_line(error))
                if isinstance(error, TransitionError) or failures >= _MOST_FAILURES:
                    return self._one_by_one(notes, durable)
            if self._pause(pause):
                return None
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _record(self, notes: Sequence[Note], durable: bool) -> Sequence[Refused]:
        refused: Sequence[Refused] = ()
        if notes:
            refused = self._store.record([note.change for note in notes], durable=durable)
            for each in refused:  # late ones are news that came twice
                level = logging.DEBUG if each.why is Why.LATE else logging.WARNING
                _log.log(level, "not recorded: %s", each)
        elif durable:
            self._store.sync()
        if durable:
            self._dirty = None
        elif self._dirty is None:
            self._dirty = time.monotonic()
        return refused

    def _one_by_one(self, notes: Sequence[Note], durable: bool) -> list[Refused] | None:
        """Record what can be; a change that can't is our mistake, and must not stop the others."""
        if len(notes) == 1:
            change = notes[0].change
            _log.exception("job %s: not recorded: %s", change.number, change)
            return [Refused(change, Why.FAILED)]
        refused: list[Refused] = []
        for note in notes:
            found = self._insist([note], durable)
            if found is None:
                return None
            refused += found
        return refused

    def _complain(self, problem: str) -> None:
        if not self._problem:
            _log.warning("the store takes nothing, jobs go on: %s", problem)
        self._problem = problem

    def _pause(self, seconds: float) -> bool:
        """Wait before the next try; True: give up, the engine closes."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closing, seconds)

    def _sync_if_due(self) -> None:
        if self._dirty is not None and time.monotonic() - self._dirty >= SYNC:
            self._sync()

    def _sync(self) -> None:
        if self._dirty is None:
            return
        try:
            self._store.sync()
            self._dirty, self._problem, self._synced = None, "", self._done
        except Exception as error:
            self._complain(one_line(error))
            self._dirty = time.monotonic()
