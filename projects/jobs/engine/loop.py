"""The engine's thread: reports and calls in, decisions out."""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from projects.core.errors import InfrastructureError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.jobs.engine.backend import Backend
    from projects.jobs.engine.recorder import Recorder
    from projects.jobs.engine.work import Work

T = TypeVar("T")

MOST_UNRECORDED = 20_000
"""With so many changes that the store hasn't taken, no further jobs are started."""

CALL = 3.0
"""Seconds that a client's call waits for the engine."""

_AGAIN = 1.0  # seconds until the store is asked again what waits

_log = logging.getLogger(__name__)


class Loop:
    """`work` belongs to this thread; others come in by `ask` and `post`."""

    def __init__(
        self, backend: Backend, work: Work, recorder: Recorder, recover: Callable[[], None]
    ) -> None:
        self._backend = backend
        self._work = work
        self._recorder = recorder
        self._recover = recover
        self._calls: deque[Callable[[], None]] = deque()
        self._look = True
        self._stopping = False
        self._problem = ""
        self._ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Recover, then work; returns when recovered, raises what hindered it."""
        self._thread.start()
        self._ready.result()

    def stop(self) -> None:
        """End the thread after what it is doing."""
        self._stopping = True
        self._backend.wake()
        self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether the loop turns."""
        return self._thread.is_alive() and not self._stopping

    @property
    def problem(self) -> str:
        """Why it isn't known what waits; empty when it is."""
        return self._problem

    def post(self, call: Callable[[], None]) -> None:
        """Have something called by the loop, soon."""
        self._calls.append(call)
        self._backend.wake()

    def ask(self, call: Callable[[], T], timeout: float = CALL) -> T:
        """Have something called by the loop and return what it returns.

        Raises
        ------
        InfrastructureError
            The engine doesn't run.
        """
        if not self.alive:
            raise InfrastructureError("the engine doesn't run")
        answer: Future[T] = Future()

        def run() -> None:
            if not answer.set_running_or_notify_cancel():
                return  # whoever asked has been told that it failed
            try:
                answer.set_result(call())
            except Exception as error:
                answer.set_exception(error)

        self.post(run)
        try:
            return answer.result(timeout)
        except TimeoutError:
            if not answer.cancel():  # it is being answered
                return answer.result()
            raise InfrastructureError("the engine doesn't answer") from None

    def _run(self) -> None:
        try:
            self._recover()
        except BaseException as error:
            self._stopping = True
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        while not self._stopping:
            try:
                self._turn()
            except Exception:  # a bug of ours or of the backend: one turn is lost, not the server
                _log.exception("the engine stumbles")
                threading.Event().wait(0.1)
        self._put()

    def _turn(self) -> None:
        if self._look:
            self._start_jobs()
        self._put()
        for report in self._backend.wait(_AGAIN if self._problem else None):
            self._work.take(report)
            self._look = True
        while self._calls:
            self._look = True
            try:
                self._calls.popleft()()
            except Exception:
                _log.exception("a call of the engine's thread failed")
        self._look = self._look or bool(self._problem)

    def _start_jobs(self) -> None:
        self._look = False
        if self._recorder.waiting > MOST_UNRECORDED:
            return  # what is recorded comes in as a call
        try:
            self._work.start_jobs()
            self._problem = ""
        except Exception as error:
            if not self._problem:
                _log.warning("what waits can't be read: %s", one_line(error), exc_info=True)
            self._problem = one_line(error)

    def _put(self) -> None:
        notes = self._work.notes
        if notes:
            self._work.notes = []
            self._recorder.put(notes)
