"""Whether we still are the one server that runs the jobs of the store, and what if not."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from projects.core.errors import one_line
from projects.jobs.store.errors import StoreLocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.jobs.store.store import Store

_AGAIN = 0.2  # seconds until a database that was away is asked again

_log = logging.getLogger(__name__)


class ClaimWatch:
    """Watches a claim that hangs on a connection, from a thread of its own; does nothing else.

    `hold(True)` is called when it is lost: another server may come in, so nothing may be started;
    `hold(False)` when it was taken again. `lost` is why it can't be, for ever.
    """

    def __init__(self, store: Store, hold: Callable[[bool], None]) -> None:
        self._store = store
        self._hold = hold
        self._closing = threading.Event()
        self._stop, self._told = -1, -1
        self._thread = threading.Thread(target=self._run, name="claim", daemon=True)
        self.problem = ""
        self.lost = ""

    def start(self) -> None:
        """Begin to watch, if there is anything to be watched."""
        if self._store.claim_may_be_lost:
            self._stop, self._told = os.pipe2(os.O_CLOEXEC)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._told >= 0:
            os.close(self._told)
            self._thread.join()
            os.close(self._stop)
            self._stop, self._told = -1, -1

    def _run(self) -> None:
        while not self._closing.is_set() and self._store.wait_for_loss(self._stop):
            self.problem = (
                "the connection to the database was lost: nothing is started until it is certain"
                " that no other server runs its jobs"
            )
            _log.warning("%s", self.problem)
            self._hold(True)
            if not self._taken_again():
                return
            _log.info("the database is there again, and still ours")
            self.problem = ""
            self._hold(False)

    def _taken_again(self) -> bool:
        while not self._closing.is_set():
            try:
                self._store.claim_again()
            except StoreLocked as error:
                self.lost = self.problem = error.message
                _log.error("%s", error.message)
                return False
            except Exception as error:
                _log.debug("not yet: %s", one_line(error))
                self._closing.wait(_AGAIN)
            else:
                return True
        return False
