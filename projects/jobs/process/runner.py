"""A runner: one slot, one job at a time, forked from the spawner, independent of the server.

It listens on `runners/ID.sock`; the last server that connected is the one it tells. What an
earlier one had sent is obeyed first: an order that was handed over is carried out once, whoever
asks afterwards. One that only waits here for the end of a short job is not begun: it is given back
when the job isn't over soon, and forgotten when the server is gone.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from projects.jobs.process import kernel, wire
from projects.jobs.process.attempt import Attempt

if TYPE_CHECKING:
    import socket
    from typing import Any

    from projects.jobs.process.journal import Journal

TOGETHER = 0.003
"""Seconds for which the start of a job is kept back, to be written and told with its end if that is
near; meanwhile its intent leads to it."""

LEFT = 2
"""With more orders than this to go on with, a runner tells of several ends at once, within
`TOGETHER`; with fewer it must have others before it has nothing to do."""

LONELY = 600.0
"""Seconds without a server after which an idle runner ends."""


class Runner:
    """The loop of one runner."""

    def __init__(
        self, identity: str, boot_id: str, journal: Journal, listening: socket.socket
    ) -> None:
        self._identity = identity
        self._boot_id = boot_id
        self._journal = journal
        self._listening = listening
        self._server: wire.Channel | None = None
        self._attempt: Attempt | None = None
        self._untold = False  # the start of the present attempt is kept back
        self._next: deque[dict[str, Any]] = deque()  # orders that follow the present attempt
        self._held: list[str] = []  # ends that are to be told together
        self._held_since = 0.0
        self._tell_at = 0.0
        self._sequence = 0
        self._leaving = False
        self._look = kernel.Look()
        self._poll = select.poll()
        self._poll.register(listening, select.POLLIN)

    def run(self) -> None:
        """Work until there is nothing more to do here."""
        while self._attempt is not None or not self._leaving:
            events = self._poll.poll(self._timeout())
            if not events and self._idle_alone():
                break
            ready = {descriptor for descriptor, _ in events}
            if self._server is not None and self._server.fileno() in ready:
                self._hear(self._server)
            if self._attempt is not None:
                self._tend(self._attempt, ready)
            if self._listening.fileno() in ready:
                self._accept()
        self._journal.leave()

    def _timeout(self) -> float | None:
        """Return for how many ms nothing needs to be done."""
        if self._attempt is None:
            return LONELY * 1000 if self._server is None else None
        due = self._tell_at if self._untold else self._attempt.due()
        return None if due == float("inf") else max(0.0, (due - time.monotonic()) * 1000 + 1)

    def _idle_alone(self) -> bool:
        return self._attempt is None and self._server is None

    def _tend(self, attempt: Attempt, ready: set[int]) -> None:
        if attempt.pidfd in ready:
            self._poll.unregister(attempt.pidfd)
            self._attempt = None
            line = attempt.finish()
            if self._untold and attempt.written:
                line = f"{attempt.written}\n{line}"
            self._untold = False
            self._leaving = self._leaving or attempt.hangs
            if self._leaving:
                self._give_back()
            self._tell_of_end(line)
            self._go_on()
            return
        now = time.monotonic()
        if self._untold and now >= self._tell_at:
            self._tell(attempt.write_start())
            self._untold = False
            self._give_back()
        if now >= attempt.due():
            attempt.tick(now)

    def _tell(self, line: str) -> None:
        if self._server is not None:
            self._server.send("\n".join([*self._held, line]) if self._held else line)
            self._want_to_write()
        self._held.clear()

    def _tell_of_end(self, line: str) -> None:
        """Tell it now, or with the next one."""
        now = time.monotonic()
        if not self._held:
            self._held_since = now
        if len(self._next) > LEFT and now - self._held_since < TOGETHER:
            self._held.append(line)
        else:
            self._tell(line)

    def _go_on(self) -> None:
        """Begin what was to follow, until something runs."""
        while self._next and self._attempt is None:
            self._launch(self._next.popleft())

    def _give_back(self) -> None:
        """Let the server have again what was to follow a job that takes its time."""
        while self._next:
            self._return(self._next.popleft())

    def _return(self, order: dict[str, Any]) -> None:
        self._tell(f'{{"t":"back","n":{order["n"]},"a":{order["a"]}}}')

    def _want_to_write(self) -> None:
        if self._server is not None and self._server.unsent:
            self._poll.modify(self._server, select.POLLIN | select.POLLOUT)

    def _accept(self) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError:
            return
        if self._server is not None:
            self._drain(self._server)
        self._hang_up()
        self._server = wire.Channel(sock)
        self._leaving = False
        self._poll.register(sock, select.POLLIN)
        self._greet()

    def _drain(self, server: wire.Channel) -> None:
        """Obey what the server before has sent: it may have been killed since."""
        while True:
            try:
                messages = server.receive()
            except wire.Closed:
                return
            if not messages:
                return
            for message in messages:
                self._obey(message)

    def _greet(self) -> None:
        """Tell a new server everything that isn't settled, then who this is."""
        busy = self._attempt
        if busy is not None:
            busy.write_start()
            busy.confine_again()
        lines = [line for _, line in self._journal.lines]
        lines.append(
            wire.encode(
                {
                    "t": "hello", "v": wire.version(), "id": self._identity,
                    "spawner": os.getppid(),
                    "job": [busy.number, busy.attempt] if busy else None,
                }
            )
        )  # fmt: skip
        self._untold = False
        self._tell("\n".join(lines))

    def _hear(self, server: wire.Channel) -> None:
        if server.unsent:
            server.flush()
            if not server.unsent:
                self._poll.modify(server, select.POLLIN)
        try:
            messages = server.receive()
        except wire.Closed:
            self._hang_up()
            return
        try:
            for message in messages:
                self._obey(message)
        except (KeyError, TypeError, AttributeError) as error:  # not of our making
            print(f"hung up on a server: {error!r}", file=sys.stderr)  # noqa: T201
            self._hang_up()

    def _hang_up(self) -> None:
        self._next.clear()  # the next server doesn't know of them
        self._held.clear()  # and reads them in the journal
        if self._server is not None:
            self._poll.unregister(self._server)
            self._server.close()
            self._server = None

    def _obey(self, message: dict[str, Any]) -> None:
        kind = message.get("t")
        if "s" in message:
            self._journal.settle(message["s"])
        if kind == "launch":
            self._take(message)
        elif kind == "stop":
            attempt = self._attempt
            if attempt and (attempt.number, attempt.attempt) == (message["n"], message["a"]):
                attempt.stop(message.get("why", ""))
            else:
                self._withdraw(message["n"], message["a"])
        elif kind == "leave":
            self._leaving = True

    def _withdraw(self, number: int, attempt: int) -> None:
        for order in self._next:
            if (order["n"], order["a"]) == (number, attempt):
                self._next.remove(order)
                self._return(order)
                return

    def _take(self, order: dict[str, Any]) -> None:
        """Begin an order, or keep it for the end of a job that is probably short."""
        if self._attempt is None:
            self._launch(order)
        elif self._untold and not self._leaving:
            self._next.append(order)
        else:
            self._return(order)

    def _launch(self, order: dict[str, Any]) -> None:
        self._sequence += 1
        attempt = Attempt(order, self._sequence, self._journal, self._boot_id, self._look)
        refused = attempt.begin()
        if refused:
            self._tell(refused)
            return
        self._attempt = attempt
        self._untold = True
        self._tell_at = time.monotonic() + TOGETHER
        self._poll.register(attempt.pidfd, select.POLLIN)
