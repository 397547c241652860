"""What dead runners leave: their journals are read to the end, their jobs watched to theirs."""

from __future__ import annotations

import os
import select
import time
from typing import TYPE_CHECKING

from projects.jobs.model import moment
from projects.jobs.process import history, journal, kernel, wire
from projects.jobs.process.cgroups import remove_groups
from projects.jobs.process.limits import out_of_memory
from projects.jobs.process.orders import Ended, Unknown
from projects.jobs.process.orphans import NEVER, Orphan, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from projects.jobs.process.history import Known
    from projects.jobs.process.links import Key
    from projects.jobs.process.orders import Report

_RETRY = 0.02


class Grave:
    """One dead runner: its journal (once we hold it) and the attempt that it didn't see end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.journal: journal.Journal | None = None
        self.told: set[Key] = set()
        self.settled: set[Key] = set()  # of those that were told before the journal was read
        self.handed: Key | None = None
        self.guarded = False
        self.orphan: Orphan | None = None
        self.sweep: Sweep | None = None
        self.last: tuple[Key, Known] | None = None
        self.unsettled: set[Key] = set()
        self.retry_at = NEVER
        self.announced = False
        self.awaited = False

    def due(self) -> float:
        """Return when something must be done about it, on the monotonic clock."""
        due = self.retry_at
        if self.orphan is not None:
            due = min(due, self.orphan.due())
        if self.sweep is not None:
            due = min(due, self.sweep.due())
        return due

    def is_over(self) -> bool:
        """Return whether nothing of it is alive or unknown."""
        waits = self.awaited or self.retry_at != NEVER
        return self.orphan is None and self.sweep is None and not waits


class Graveyard:
    """All dead runners of which something is alive, unknown or not settled."""

    def __init__(self, directory: str, boot_id: str, epoll: select.epoll) -> None:
        self._directory = directory
        self._boot_id = boot_id
        self._epoll = epoll
        self._graves: dict[str, Grave] = {}
        self._reports: list[Report] = []
        self._never_started: list[Key] = []

    # -- what is told to it -----------------------------------------------------------------------

    def expect(self, name: str, told: Iterable[Key], handed: Key | None) -> None:
        """Take note of a lost runner whose ends `told` are reported, and that had `handed`."""
        grave = self._grave(name)
        grave.told |= set(told)
        grave.handed = handed
        grave.awaited = True

    def guarded(self, name: str) -> None:
        """Take note that a living spawner watches the job of this runner."""
        self._grave(name).guarded = True

    def released(self, name: str) -> None:
        """Take note that no spawner watches it any more."""
        self._grave(name).guarded = False

    def bury(self, name: str) -> None:
        """Read a dead runner's journal, as far as that is possible now."""
        grave = self._grave(name)
        grave.retry_at = NEVER
        grave.awaited = False
        if grave.journal is not None:
            return
        path = os.path.join(self._directory, name + ".journal")
        taken = journal.take_over(path)
        if taken is not None:
            grave.journal, lines = taken
            self._read(grave, lines)
        elif not os.path.exists(path):
            self._read(grave, [])
        elif grave.guarded:
            self._watch(grave, journal.peek(path))
        else:  # a child between fork and exec has it still, or its spawner, about to speak
            grave.retry_at = time.monotonic() + _RETRY

    def ready(self, descriptor: int) -> None:
        """Look at the process of a pidfd that became readable: it has ended."""
        for grave in self._graves.values():
            if grave.orphan is not None and grave.orphan.pidfd == descriptor:
                self._epoll.unregister(descriptor)
                self._learn(grave, grave.orphan, time.monotonic())
                return

    def stop(self, key: Key, why: str) -> bool:
        """End that attempt; False when it isn't one of ours."""
        for grave in self._graves.values():
            if grave.orphan is not None and grave.orphan.key == key:
                grave.orphan.stop(why)
                return True
        return False

    def settle(self, key: Key) -> None:
        """Forget this end: the database has it."""
        for grave in list(self._graves.values()):
            if key in grave.unsettled:
                grave.unsettled.discard(key)
                self._forget_if_done(grave)
            if key in grave.told:
                grave.settled.add(key)

    # -- what it tells ----------------------------------------------------------------------------

    def reports(self) -> list[Report]:
        """Return what was found out since the last call."""
        reports, self._reports = self._reports, []
        return reports

    def never_started(self) -> list[Key]:
        """Return the attempts that were handed over and never were a process."""
        keys, self._never_started = self._never_started, []
        return keys

    def living(self) -> list[Key]:
        """Return the attempts that are not over."""
        return [grave.orphan.key for grave in self._graves.values() if grave.orphan is not None]

    def unread(self) -> list[str]:
        """Return the runners that may have had an attempt of which nothing was told yet."""
        return [
            grave.name
            for grave in self._graves.values()
            if grave.awaited or grave.retry_at != NEVER or (grave.sweep and not grave.announced)
        ]

    def of_spawner(self, spawner: str) -> list[str]:
        """Return the runners of that spawner."""
        return [name for name in self._graves if name.partition("-")[0] == spawner]

    def due(self) -> float:
        """Return when `tick` must be called, on the monotonic clock."""
        return min((grave.due() for grave in self._graves.values()), default=NEVER)

    def tick(self, now: float) -> None:
        """Do what is due."""
        for grave in list(self._graves.values()):
            if grave.retry_at <= now:
                self.bury(grave.name)
            if grave.orphan is not None and grave.orphan.due() <= now:
                grave.orphan.tick(now)
                if not grave.orphan.guarded and grave.orphan.has_ended():
                    self._learn(grave, grave.orphan, now)
            if grave.sweep is not None and grave.sweep.due() <= now and grave.sweep.done(now):
                self._swept(grave, grave.sweep)

    def close(self) -> None:
        """Let go of everything; the files stay."""
        for grave in self._graves.values():
            if grave.orphan is not None:
                grave.orphan.close()
            if grave.journal is not None:
                grave.journal.close()
        self._graves.clear()

    # -- reading ----------------------------------------------------------------------------------

    def _grave(self, name: str) -> Grave:
        return self._graves.setdefault(name, Grave(name))

    def _read(self, grave: Grave, lines: list[dict[str, Any]]) -> None:
        """Draw the conclusions of a journal that nobody else writes."""
        attempts = history.fold(lines)
        if grave.handed is not None and grave.handed not in attempts:
            self._never_started.append(grave.handed)
        last = next(reversed(attempts), None)
        for key, known in attempts.items():
            if key in grave.told:
                grave.unsettled |= {key} - grave.settled
            elif key == last:
                grave.last = (key, known)
            elif known.end is not None:
                self._tell(grave, key, history.ended(known.end))
        if grave.last is not None:
            self._conclude(grave, *grave.last)
        self._forget_if_done(grave)

    def _conclude(self, grave: Grave, key: Key, known: Known) -> None:
        line = known.intent or known.start
        same_boot = line is None or line.get("boot") == self._boot_id
        if known.end is not None:
            self._sweep(grave, same_boot)
        elif known.never:
            self._none(grave, key)
        elif not same_boot:
            started = True if known.start else None
            self._lost(grave, key, started, "the machine was restarted while it ran")
        elif known.start is not None:
            self._adopt(grave, known)
        else:
            self._search(grave, key, known)

    def _search(self, grave: Grave, key: Key, known: Known) -> None:
        """Look for the process of which only the intention is written."""
        intent = known.intent or {}
        mark = f"{intent.get('id')}.{key[1]}"
        leader = min(
            (found for found in kernel.marked(mark) if found.session == found.pid),
            key=lambda found: found.start_ticks,
            default=None,
        )
        if leader is not None and grave.journal is not None:
            known.start = {
                "t": "start", "q": known.sequence, "n": key[0], "a": key[1], "pid": leader.pid,
                "ticks": leader.start_ticks, "boot": self._boot_id,
                "at": intent.get("at") or moment.now(),
            }  # fmt: skip
            grave.journal.append(known.sequence, wire.encode(known.start))
            self._adopt(grave, known)
            return
        log, out = intent.get("log"), intent.get("out")
        if log and out and not os.path.exists(os.path.join(log, out)):
            self._none(grave, key)
        else:
            self._sweep(grave, same_boot=True)

    def _none(self, grave: Grave, key: Key) -> None:
        """Let whoever has the order hand it over again: it never was a process.

        From here on another runner may have it: this journal must not speak of it any more.
        """
        if grave.journal is not None and grave.last is not None:
            void = {"t": "void", "q": grave.last[1].sequence, "n": key[0], "a": key[1]}
            error = grave.journal.append(grave.last[1].sequence, wire.encode(void))
            remove_groups(grave.last[1].groups)
            if error is not None:  # then it must not begin under this number
                text = f"its runner was killed before it began ({grave.name}: {error.strerror})"
                self._lost(grave, key, False, text)
                return
        self._never_started.append(key)
        grave.last = None

    def _watch(self, grave: Grave, lines: list[dict[str, Any]]) -> None:
        """Watch a job whose end a spawner will write down."""
        attempts = history.fold(lines)
        last = next(reversed(attempts), None)
        if last is None or attempts[last].start is None or grave.orphan is not None:
            return
        orphan = Orphan(grave.name, attempts[last], guarded=True)
        orphan.open()
        grave.orphan = orphan
        self._announce(grave, attempts[last])
        for key, known in attempts.items():
            if key != last and known.end is not None and key not in grave.told:
                self._tell(grave, key, history.ended(known.end))
                grave.told.add(key)

    def _announce(self, grave: Grave, known: Known) -> None:
        if not grave.announced and known.start is not None:
            grave.announced = True
            self._reports.append(history.started(known.start))

    def _adopt(self, grave: Grave, known: Known) -> None:
        """Watch a process that has no parent of ours left."""
        before = grave.orphan
        orphan = Orphan(grave.name, known, guarded=False)
        if before is not None:
            orphan.reason, orphan.notes = before.reason, before.notes
            orphan.kill_at = before.kill_at
            before.close()
        grave.orphan = orphan
        if orphan.open():
            self._announce(grave, known)
            self._epoll.register(orphan.pidfd, select.EPOLLIN)
        else:
            self._learn(grave, orphan, time.monotonic())

    # -- ending -----------------------------------------------------------------------------------

    def _learn(self, grave: Grave, orphan: Orphan, now: float) -> None:
        """Find out how an adopted process ended, write it down, end what it left."""
        if not orphan.look(now):
            return
        if grave.journal is not None and grave.last is not None:
            known = grave.last[1]
            known.end = orphan.write_end(grave.journal)
        orphan.close()
        grave.orphan = None
        self._sweep(grave, same_boot=True)

    def _sweep(self, grave: Grave, same_boot: bool) -> None:
        """End what carries the mark of the last attempt, then tell its end."""
        if grave.last is None:
            return
        key, known = grave.last
        self._correct(grave, known)
        identity = (known.intent or {}).get("id")
        if not same_boot or identity is None:
            self._finish(grave, key, known)
            return
        sweep = Sweep(f"{identity}.{key[1]}", known.groups)
        if sweep.done(time.monotonic()):
            self._finish(grave, key, known)
        else:
            grave.sweep = sweep
            self._announce(grave, known)  # not over yet

    def _correct(self, grave: Grave, known: Known) -> None:
        """Say of a guarded job that we stopped it: its spawner saw only that it ended."""
        orphan = grave.orphan
        grave.orphan = None
        if orphan is None:
            return
        orphan.close()
        if known.end is not None and orphan.reason != "exit" and grave.journal is not None:
            known.end = {**known.end, "reason": orphan.reason}
            known.end["notes"] = [*known.end["notes"], *orphan.notes]
            grave.journal.append(known.sequence, wire.encode(known.end))

    def _swept(self, grave: Grave, sweep: Sweep) -> None:
        grave.sweep = None
        assert grave.last is not None  # noqa: S101  (what was swept for)
        key, known = grave.last
        if known.end is not None:
            known.end = {**known.end, "notes": [*known.end["notes"], *sweep.notes()]}
        self._finish(grave, key, known)
        self._forget_if_done(grave)

    def _finish(self, grave: Grave, key: Key, known: Known) -> None:
        sentence = out_of_memory(known.groups)
        remove_groups(known.groups)
        if known.end is not None:
            if sentence and sentence not in known.end["notes"]:
                known.end = history.with_memory(known.end, sentence)
                if grave.journal is not None:  # the groups can't be asked again
                    grave.journal.append(known.sequence, wire.encode(known.end))
            self._tell(grave, key, history.ended(known.end))
        else:
            text = "everything that watched it was killed, and it ended before the server was back"
            text = f"{text}; {sentence}" if sentence else text
            self._lost(grave, key, True if known.start else None, text)

    def _lost(self, grave: Grave, key: Key, started: bool | None, reason: str) -> None:
        self._tell(grave, key, Unknown(*key, started=started, reason=reason, at=moment.now()))

    def _tell(self, grave: Grave, key: Key, report: Ended | Unknown) -> None:
        grave.unsettled.add(key)
        self._reports.append(report)
        if grave.last is not None and grave.last[0] == key:
            grave.last = None

    def _forget_if_done(self, grave: Grave) -> None:
        if grave.is_over() and not grave.unsettled and grave.name in self._graves:
            del self._graves[grave.name]
            if grave.journal is not None:
                grave.journal.close()
            journal.remove(self._directory, grave.name)
