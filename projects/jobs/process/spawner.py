"""The spawner: forks runners and, when one of them dies, watches over the job that it leaves.

A process of its own, single-threaded, in its own session, with nothing loaded that runners don't
need: `python -S -E -m projects.jobs.process.spawner RUN_DIRECTORY ID BOOT_ID`.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from projects.jobs.process import kernel, wire
from projects.jobs.process.attempt import end_line
from projects.jobs.process.journal import Journal, remove, take_over
from projects.jobs.process.runner import LONELY, Runner

if TYPE_CHECKING:
    from typing import Any

HANDOVER = 2.0
"""Seconds to wait for the lock of a dead runner: a child between fork and exec shares it."""


class Orphan:
    """A job whose runner is dead, now a child of the spawner; its journal is continued here."""

    __slots__ = ("attempt", "journal", "number", "pid", "runner", "sequence", "ticks")

    def __init__(self, runner: str, journal: Journal, start: dict[str, Any]) -> None:
        self.runner = runner
        self.journal = journal
        self.number: int = start["n"]
        self.attempt: int = start["a"]
        self.sequence: int = start["q"]
        self.pid: int = start["pid"]
        self.ticks: int = start["ticks"]

    def line(self) -> str:
        """Return what the server is told: this attempt lives on, under this pid."""
        return wire.encode(
            {"t": "orphan", "n": self.number, "a": self.attempt, "id": self.runner, "pid": self.pid}
        )


class Spawner:
    """The loop of the spawner."""

    def __init__(self, run_directory: str, identity: str, boot_id: str) -> None:
        self._runners_directory = os.path.join(run_directory, "runners")
        directory = os.path.join(run_directory, "spawners")
        self._identity = identity
        self._boot_id = boot_id
        self._lock = Journal.create(os.path.join(directory, identity + ".journal"))
        self._listening = wire.listen(directory, identity + ".sock")
        self._server: wire.Channel | None = None
        self._runners: dict[int, str] = {}
        self._orphans: dict[int, Orphan] = {}
        self._forked = 0
        self._leaving = False
        self._look = kernel.Look()
        self._children, self._child_signal = os.pipe()

    def run(self) -> Runner | None:
        """Work until there is nothing more to do; in a child: return the runner to run."""
        os.set_blocking(self._child_signal, False)
        os.set_blocking(self._children, False)
        signal.set_wakeup_fd(self._child_signal, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        while not (self._leaving and not self._runners and not self._orphans):
            watched: list[Any] = [self._listening, self._children]
            if self._server is not None:
                watched.append(self._server)
            ready = select.select(watched, [], [], LONELY)[0]
            if not ready and self._server is None:
                self._leaving = True
            if self._children in ready:
                os.read(self._children, 4096)
                self._reap()
            if self._server in ready:
                runner = self._hear()
                if runner is not None:
                    return runner
            if self._listening in ready:
                self._accept()
        self._lock.leave()
        return None

    def _accept(self) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError:
            return
        if self._server is not None:
            self._server.close()
        self._server = wire.Channel(sock)
        self._leaving = False
        self._reap()
        for orphan in self._orphans.values():
            self._tell(orphan.line())
        hello = {"t": "hello", "v": wire.version(), "id": self._identity, "pid": os.getpid()}
        self._tell(wire.encode(hello))

    def _tell(self, line: str) -> None:
        if self._server is not None:
            self._server.send(line)
            while self._server.unsent:  # few and short lines: a server that reads soon takes them
                if not select.select([], [self._server], [], 5)[1]:
                    break
                self._server.flush()

    def _hear(self) -> Runner | None:
        assert self._server is not None  # noqa: S101  (the caller has looked)
        try:
            messages = self._server.receive()
        except wire.Closed:
            self._server.close()
            self._server = None
            return None
        for message in messages:
            if message.get("t") == "leave":
                self._leaving = True
            elif message.get("t") == "fork":
                runner = self._fork()
                if runner is not None:
                    return runner
        return None

    def _fork(self) -> Runner | None:
        """Fork a runner; only the child gets it."""
        self._forked += 1
        name = f"{self._identity}-{self._forked}"
        made: list[Any] = []
        try:
            made.append(listening := wire.listen(self._runners_directory, name + ".sock"))
            path = os.path.join(self._runners_directory, name + ".journal")
            made.append(journal := Journal.create(path))
            pid = os.fork()
        except OSError as error:
            for each in made:  # held, it would be waited for, and its holder ended
                each.close()
            remove(self._runners_directory, name)
            self._tell(wire.encode({"t": "refused", "why": f"no runner: {error.strerror}"}))
            return None
        if pid == 0:
            self._let_go()
            kernel.tag(self._forked)
            return Runner(name, self._boot_id, journal, listening)
        listening.close()
        journal.close()
        self._runners[pid] = name
        self._tell(wire.encode({"t": "forked", "id": name}))
        return None

    def _let_go(self) -> None:
        """Close, in a child, what belongs to the spawner."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._children)
        os.close(self._child_signal)
        self._listening.close()
        self._lock.close()
        if self._server is not None:
            self._server.close()
        for orphan in self._orphans.values():
            orphan.journal.close()

    def _reap(self) -> None:
        """Write down and reap everything that has ended.

        Runners first: only their journals tell whose the other dead are. One may die while we look,
        and its job after it: so who else is dead counts only when no runner was found dead after.
        """
        while True:
            others = [pid for pid in _ended() if pid not in self._runners]
            runners = [pid for pid in _ended() if pid in self._runners]
            if not runners:
                break
            for pid in runners:
                kernel.reap(pid)
                self._inherit(self._runners.pop(pid))
        for pid in others:
            orphan = self._orphans.get(pid)
            if orphan is not None and self._record(orphan):
                del self._orphans[pid]
            kernel.reap(pid)

    def _record(self, orphan: Orphan) -> bool:
        seen = self._look.look(orphan.pid)
        if seen is None:
            return False  # its first thread has ended, others go on
        status, cpu, peak = seen
        wall = kernel.seconds_since_boot() - orphan.ticks / kernel.TICKS
        notes = ["its runner was killed before it ended"]
        line = end_line(
            orphan.sequence, orphan.number, orphan.attempt, status, "exit", wall, cpu, peak, notes
        )
        orphan.journal.append(orphan.sequence, line)
        orphan.journal.close()
        self._tell(wire.encode({"t": "gone", "id": orphan.runner}))
        return True

    def _inherit(self, runner: str) -> None:
        """Find what a dead runner was doing, and go on watching it."""
        path = os.path.join(self._runners_directory, runner + ".journal")
        deadline = time.monotonic() + HANDOVER
        while (taken := take_over(path)) is None and time.monotonic() < deadline:
            if not os.path.exists(path):
                break
            time.sleep(0.002)
        if taken is None:
            self._tell(wire.encode({"t": "gone", "id": runner}))
            return
        journal, lines = taken
        start = self._unfinished(runner, journal, lines)
        if start is None:
            journal.close()
            self._tell(wire.encode({"t": "gone", "id": runner}))
        else:
            orphan = self._orphans[start["pid"]] = Orphan(runner, journal, start)
            self._tell(orphan.line())

    def _unfinished(
        self, runner: str, journal: Journal, lines: list[dict[str, Any]]
    ) -> dict[str, Any] | None:
        """Return the start of the attempt whose end its runner didn't see."""
        last = next((line for line in reversed(lines) if line["t"] != "hello"), None)
        if last is None or last["t"] in ("end", "never"):
            return None
        if last["t"] == "start":
            return last if _is_our_child(last["pid"], last["ticks"]) else None
        if last["t"] != "intent":
            return None
        children = self._born_since(last)
        child = self._child_of_intent(runner, last, children)
        known = {"q": last["q"], "n": last["n"], "a": last["a"]}
        if child is None:
            if not any(kernel.tag_of(each.pid) == kernel.NO_TAG for each in children):
                # It would be our child by now, dead or alive.
                journal.append(last["q"], wire.encode({"t": "never", **known}))
            return None
        start = {"t": "start", **known, "pid": child.pid, "ticks": child.start_ticks}
        start |= {"boot": self._boot_id, "at": last.get("at", 0)}
        journal.append(last["q"], wire.encode(start))
        return start

    def _born_since(self, intent: dict[str, Any]) -> list[kernel.Stat]:
        """Return our children that a runner may have started after it had this intent."""
        me = os.getpid()
        return [
            process
            for process in kernel.processes()
            if process.parent == me
            and process.session == process.pid
            and process.start_ticks >= intent["ticks"]
            and process.pid not in self._orphans
            and process.pid not in self._runners
        ]

    @staticmethod
    def _child_of_intent(
        runner: str, intent: dict[str, Any], children: list[kernel.Stat]
    ) -> kernel.Stat | None:
        """Return the main process of a job: of those that carry its marks the first.

        One that has ended has no environment left, but the tag of its runner: without that it may
        be the job of another one that was killed at the same time.
        """
        number = int(runner.rpartition("-")[2])
        marked = {process.pid for process in kernel.marked(f"{intent['id']}.{intent['a']}")}
        ours = [
            process
            for process in children
            if process.pid in marked or kernel.tag_of(process.pid) == number
        ]
        return min(ours, key=lambda process: (process.start_ticks, process.pid), default=None)


def _is_our_child(pid: int, ticks: int) -> bool:
    found = kernel.stat(pid)
    return found is not None and found.start_ticks == ticks and found.parent == os.getpid()


def _ended() -> list[int]:
    """Return the children that have ended and are not reaped.

    waitid(2) shows only the first of them, again and again: so the first by it, all by /proc
    where there is one.
    """
    try:
        first = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []
    if first is None:
        return []
    me = os.getpid()
    return [found.pid for found in kernel.processes() if found.parent == me and found.state == "Z"]


def _ignore(*_: object) -> None:
    """Let the signal interrupt; the descriptor tells."""


def _default_signals() -> None:
    """Let jobs begin with what a shell would give them, whatever the server was started with."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main(run_directory: str, identity: str, boot_id: str) -> None:
    """Be the spawner and, in each of its forks, a runner."""
    wire.version()  # of the sources that are being run, whatever becomes of them later
    kernel.become_subreaper()
    kernel.set_name("job-spawner")
    os.chdir("/")
    _default_signals()
    spawner = Spawner(run_directory, identity, boot_id)
    gc.collect()
    gc.freeze()  # pages that runners share stay shared
    runner = spawner.run()
    if runner is not None:
        kernel.set_name("job-runner")
        kernel.become_subreaper()
        runner.run()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        raise
