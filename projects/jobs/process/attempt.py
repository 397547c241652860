"""One attempt of a job as its runner sees it: begin, keep within its bounds, end, tell."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from projects.jobs.model import moment
from projects.jobs.process import kernel, leftovers, program, wire
from projects.jobs.process.output import OUTPUT_BYTES, BoundedLog

if TYPE_CHECKING:
    from typing import Any

    from projects.jobs.process.journal import Journal
    from projects.jobs.process.limits import Confinement

WATCH = 0.25
"""Seconds between two looks at the size of a job's log files."""


class Attempt:
    """A job in the hands of this runner.

    Attributes
    ----------
    pid, pidfd
        The main process, a child of this one that isn't reaped before its end is on disk.
    hangs
        Something of the job could not even be killed: this runner had better take no other.
    written
        The line that says that it runs; empty while only the intent is in the journal.
    """

    def __init__(
        self,
        order: dict[str, Any],
        sequence: int,
        journal: Journal,
        boot_id: str,
        look: kernel.Look,
    ) -> None:
        self.number: int = order["n"]
        self.attempt: int = order["a"]
        self.pid = 0
        self.pidfd = -1
        self.hangs = False
        self._order = order
        self._sequence = sequence
        self._journal = journal
        self._boot_id = boot_id
        self._look = look
        self._limits: dict[str, Any] = order.get("limits") or {}
        self._output_bytes = self._limits.pop("output_bytes", OUTPUT_BYTES)
        self._notes: list[str] = []
        self._status: int | None = None
        self._wall = 0.0
        self._cpu = 0.0
        self._peak = 0
        self._reason = "exit"
        self._files = program.Files(-1, -1)
        self._confinement: Confinement | None = None
        self._logs: list[BoundedLog] = []
        self._began = 0.0
        self._start = ""
        self.written = ""
        self._timeout_at = float("inf")
        self._kill_at = float("inf")
        self._watch_at = float("inf")

    def begin(self) -> str:
        """Start the process; where there is none, return the line to tell."""
        order = self._order
        mark = f"{order['id']}.{self.attempt}"
        self._confinement = self._planned(mark)
        timeout = order.get("timeout")
        ticks = int(kernel.seconds_since_boot() * kernel.TICKS)
        intent = (
            f'{{"t":"intent","q":{self._sequence},"n":{self.number},"a":{self.attempt}'
            f',"id":"{order["id"]}","boot":"{self._boot_id}"'
            f',"ticks":{ticks},"at":{moment.now()}'
            f',"timeout":{wire.word(timeout)},"grace":{wire.word(order["grace"])}'
            f',"log":{wire.word(order["log"])}'
            f',"out":{wire.word(order["out"] or order["err"])}{self._groups()}}}'
        )
        try:
            error = self._journal.append(self._sequence, intent)
            if error is not None:
                raise program.NotStarted(
                    f"its start can't be written down in {self._journal.path}: {error.strerror}"
                )
            self._files = program.open_files(order)
            self._confine()
            self._began = time.monotonic()
            before = kernel.seconds_since_boot()
            self.pid = program.spawn(order, self._files, mark, self._confinement)
        except program.NotStarted as refusal:
            return self._refused(str(refusal))
        self.pidfd = os.pidfd_open(self.pid)
        ticks = kernel.born_between(self.pid, before, kernel.seconds_since_boot())
        self._start = (
            f'"pid":{self.pid},"ticks":{ticks},"boot":"{self._boot_id}","at":{moment.now()}'
        )
        if timeout is not None:
            self._timeout_at = self._began + timeout
        if self._files.out >= 0 or self._files.err >= 0:
            self._watch_at = self._began + WATCH
        return ""

    def write_start(self) -> str:
        """Write down, once, that the process runs; return the line to tell.

        Until then the intent leads to it; the end of a job that is over before says this, too.
        """
        if not self.written:
            self.written = (
                f'{{"t":"start","q":{self._sequence},"n":{self.number},"a":{self.attempt}'
                f",{self._start}}}"
            )
            self._journal.append(self._sequence, self.written)
        return self.written

    def _planned(self, mark: str) -> Confinement | None:
        if not self._limits:
            return None
        from projects.jobs.process.limits import Confinement

        return Confinement(self._limits, mark)

    def _confine(self) -> None:
        if self._confinement is not None:
            self._confinement.make()
            self._notes += self._confinement.notes

    def _groups(self) -> str:
        """Return the field of the intent that names the groups to remove, however this goes on."""
        if self._confinement is None or not self._confinement.groups:
            return ""
        return f',"groups":{wire.encode(self._confinement.groups)}'

    def confine_again(self) -> None:
        """Set the limits of the running job once more, after the server was restarted."""
        if self._confinement is not None:
            self._confinement.renew()

    def _refused(self, sentence: str) -> str:
        self._files.close()
        if self._confinement is not None:
            self._confinement.remove()
        self._reason = f"not started: {sentence}"
        return self._write_end()

    def due(self) -> float:
        """Return when `tick` must be called, on the monotonic clock."""
        return min(self._timeout_at, self._kill_at, self._watch_at)

    def tick(self, now: float) -> None:
        """Do what is due: the timeout, the harder signal, a look at the log files."""
        if now >= self._timeout_at:
            self._timeout_at = float("inf")
            self._end("timeout", f"it was stopped after {self._order['timeout']:g} seconds")
        if now >= self._kill_at:
            self._kill_at = float("inf")
            kernel.send(-self.pid, signal.SIGKILL)
        if now >= self._watch_at:
            self._watch_at = now + WATCH
            self._watch()

    def stop(self, why: str) -> None:
        """End the job because somebody asked."""
        self._end("stopped", why)

    def _end(self, reason: str, note: str) -> None:
        if self._reason != "exit":
            return
        self._reason = reason
        if note:
            self._notes.append(note)
        kernel.send(-self.pid, signal.SIGTERM)
        kernel.send(-self.pid, signal.SIGCONT)  # one that is stopped could not even end
        self._kill_at = time.monotonic() + self._order["grace"]

    def _watch(self) -> None:
        if not self._logs:
            self._logs = self._bounded()
        if not all(log.check() for log in self._logs):
            self._end(
                "output",
                "its log grew beyond the limit, and this file system can't drop the middle of a"
                " file",
            )

    def _bounded(self) -> list[BoundedLog]:
        limit = self._output_bytes
        return [BoundedLog(fd, limit) for fd in {self._files.out, self._files.err} if fd >= 0]

    def finish(self) -> str:
        """Write down how the process ended, reap it, end what it left; return the line to tell.

        The end is on disk before the process is reaped: who finds the one or the other knows it.
        """
        self._wall = time.monotonic() - self._began
        self._see(self._look.look(self.pid))
        line = self._write_end()
        kernel.reap(self.pid)
        os.close(self.pidfd)
        told = len(self._notes)
        if leftovers.any_children():
            self._end_leftovers()
        if self._confinement is not None:
            self._account_for(self._confinement)
        if self._is_long():
            self._shorten()
        self._files.close()
        return line if told == len(self._notes) and not self._confinement else self._write_end()

    def _see(self, seen: tuple[int, float, int] | None) -> None:
        if seen is None:
            return  # cannot be: it is our child, and has ended
        self._status, self._cpu, self._peak = seen
        limit = self._limits.get("cpu_seconds")
        if limit is None or not os.WIFSIGNALED(self._status):
            return
        number = os.WTERMSIG(self._status)
        if number == signal.SIGXCPU or (number == signal.SIGKILL and self._cpu >= limit):
            self._notes.append(f"its limit of {limit:g} seconds of CPU was reached")

    def _end_leftovers(self) -> None:
        found = leftovers.end_leftovers()
        self._notes += found.notes()
        self._cpu += found.cpu
        self.hangs = found.hanging > 0

    def _account_for(self, confinement: Confinement) -> None:
        from projects.jobs.process.limits import out_of_memory

        self._peak = confinement.peak_memory() or self._peak
        if sentence := out_of_memory(confinement.groups):
            self._notes.append(sentence)
            if self._reason == "exit" and self._status == signal.SIGKILL:
                self._reason = "memory"
        confinement.remove()

    def _is_long(self) -> bool:
        files = (self._files.out, self._files.err)
        return any(fd >= 0 and os.fstat(fd).st_size > self._output_bytes for fd in files)

    def _shorten(self) -> None:
        left_out = 0
        for log in self._logs or self._bounded():
            try:
                left_out += log.compact()
            except OSError as error:
                self._notes.append(f"its log could not be shortened: {error.strerror}")
        if left_out:
            self._notes.append(f"{left_out} bytes of its output were left out")

    def _write_end(self) -> str:
        line = end_line(
            self._sequence, self.number, self.attempt, self._status, self._reason,
            self._wall, self._cpu, self._peak, self._notes, "" if self.written else self._start,
        )  # fmt: skip
        self._journal.append(self._sequence, line)
        return line


def end_line(  # noqa: PLR0917  (one call a job: keywords would cost)
    sequence: int,
    number: int,
    attempt: int,
    status: int | None,
    reason: str,
    wall: float,
    cpu: float,
    peak: int,
    notes: list[str],
    start: str = "",
) -> str:
    """Return the line that says how an attempt ended; without a status there was no process.

    `start` are the fields of a start that has no line of its own.
    """
    code = sig = "null"
    more = f',"start":{{{start}}}' if start else ""
    if status is not None and os.WIFSIGNALED(status):
        sig = str(os.WTERMSIG(status))
    elif status is not None:
        code = str(os.WEXITSTATUS(status))
    return (
        f'{{"t":"end","q":{sequence},"n":{number},"a":{attempt},"code":{code},"sig":{sig}'
        f',"reason":{wire.word(reason)},"at":{moment.now()},"wall":{wall:.6f}'
        f',"cpu":{cpu:.6f},"mem":{peak},"notes":{wire.encode(notes) if notes else "[]"}{more}}}'
    )
