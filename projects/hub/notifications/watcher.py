"""The thread that sees what happens to jobs and tables, and decides what is told.

Jobs: the events of the jobs' database are read from where the last look ended; that place is
written together with what is decided, so that a server that is killed tells nothing twice and
misses nothing. The engine's news only wake the thread.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core.errors import one_line
from projects.hub.notifications.outbox import forget, recall, remember
from projects.hub.notifications.values import Happening, Kind
from projects.jobs.model import moment
from projects.jobs.model.states import Outcome, State

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import Connection

    from projects.hub.notifications.outbox import Outbox
    from projects.jobs.model.entities import Event, Job

_log = logging.getLogger(__name__)
_FAILURES = (Outcome.FAILED, Outcome.TIMEOUT, Outcome.LOST)
_PAGE = 1000
_EVENTS = "events"
_BREATH = 0.5
"""Seconds between two looks: jobs that come and go by the thousand are not to pay for each."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A table as it is; `worse`: what got worse (a word for each) with a sentence."""

    number: int
    version: int
    name: str
    path: str
    owner: str
    groups: Sequence[str]
    worse: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where news come from; each is asked in the watcher's thread."""

    store: Any
    """The jobs."""
    groups_of_user: Callable[[str], Collection[str] | None]
    """None: the user may do nothing any more."""
    groups_of_submission: Callable[[str], Sequence[str]]
    judge: Callable[[tuple[str, str]], Judged | None]
    tables: Callable[[], Iterable[tuple[tuple[str, str], int, int]]]
    """Names, number and version of each table."""


class Watcher:
    """Decides; `link` is the hub's address."""

    def __init__(self, outbox: Outbox, sources: Sources, link: str = "") -> None:
        self._outbox = outbox
        self.sources = sources
        self._link = link
        self._woken = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._changed: dict[tuple[str, str], None] = {}
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin with what happened since the last server."""
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def close(self, timeout: float = 2.0) -> None:
        """End; the next server goes on."""
        self._closing.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self, *_: Any) -> None:
        """Look at the jobs: something happened."""
        self._woken.set()

    def changed(self, names: tuple[str, str]) -> None:
        """Look at a table."""
        with self._lock:
            self._changed[names] = None
        self._woken.set()

    def _run(self) -> None:
        begun = False
        while not self._closing.is_set():
            self._woken.clear()
            wait: float | None = None
            try:
                if not begun:
                    self.begin()
                    begun = True
                while self.look_at_jobs() and not self._closing.is_set():
                    pass
                self.look_at_tables()
            except Exception as error:  # a store is away: it says so elsewhere
                if self._closing.is_set():
                    return
                _log.warning("what happens isn't told for now: %s", one_line(error))
                wait = 10.0
            self._closing.wait(_BREATH)
            self._woken.wait(wait)

    def begin(self) -> None:
        """Find the tables that changed unseen; of jobs, what was before the first look is past."""
        last, tables = self.sources.store.last_event(), list(self.sources.tables())
        with self._outbox.database.write(durable=True) as connection:
            after = recall(connection, _EVENTS)
            # Further than there are: the jobs' database is an older one, or a failure of the
            # machine took its end; the numbers will be given out again.
            if after is None or int(after) > last:
                self._move(connection, last)
        with self._outbox.database.read() as connection:
            for names, number, version in tables:
                kept = recall(connection, f"table:{number}")
                if kept is not None and json.loads(kept)["version"] != version:
                    self.changed(names)

    def look_at_jobs(self) -> bool:
        """Decide about a page of events; return whether there may be more."""
        store, outbox = self.sources.store, self._outbox
        with outbox.database.read() as connection:
            after = int(recall(connection, _EVENTS) or 0)
        rules = outbox.rules(active=True)
        if not rules:
            last = store.last_event()
            if last != after:
                with outbox.database.write(durable=False) as connection:
                    self._move(connection, last)
            return False
        page = store.events(after=after, limit=_PAGE)
        if page.seq == after:
            return False
        ended = [found for each in page.items if (found := self._ended(each)) is not None]
        groups = {owner: self.sources.groups_of_user(owner) for owner in {r.owner for r in rules}}
        shared = any(rule.shared for rule in rules)
        seen = {
            job.submission_id: self.sources.groups_of_submission(job.submission_id)
            for job in (ended if shared else ())
        }
        with outbox.database.write(durable=bool(ended)) as connection:
            told = [
                happening
                for job in ended
                for happening in _of_job(connection, job, seen.get(job.submission_id, ()))
            ]
            put = outbox.decide(connection, told, groups, self._link)
            self._move(connection, page.seq)
        if put:
            outbox.filled()
        return True

    def _ended(self, event: Event) -> Job | None:
        """Return the job that an event ended; None: it is another event, or it runs again."""
        if event.after != State.DONE:
            return None
        job: Job | None = self.sources.store.job(event.job)
        return job if job and job.attempt == event.attempt and job.outcome else None

    def look_at_tables(self) -> None:
        """Judge the tables that changed, while somebody wants to know."""
        while not self._closing.is_set():
            with self._lock:
                names = next(iter(self._changed), None)
                if names is None:
                    return
                del self._changed[names]
            rules = self._outbox.rules(active=True)
            if not any(Kind.SLOWER in rule.kinds for rule in rules):
                continue
            try:
                judged = self.sources.judge(names)
                if judged is not None:
                    self._tell(judged, {rule.owner for rule in rules})
            except Exception:
                with self._lock:  # looked at again, behind the others
                    self._changed[names] = None
                raise

    def _tell(self, judged: Judged, owners: Iterable[str]) -> None:
        groups = {owner: self.sources.groups_of_user(owner) for owner in owners}
        key, put = f"table:{judged.number}", 0
        with self._outbox.database.write(durable=True) as connection:
            kept = json.loads(recall(connection, key) or '{"version": 0, "worse": []}')
            if kept["version"] >= judged.version:
                return
            new = [_of_table(judged, *one) for one in judged.worse if one[0] not in kept["worse"]]
            put = self._outbox.decide(connection, new, groups, self._link)
            value = {"version": judged.version, "worse": [word for word, _ in judged.worse]}
            remember(connection, key, json.dumps(value), moment.now())
        if put:
            self._outbox.filled()

    @staticmethod
    def _move(connection: Connection, to: int) -> None:
        remember(connection, _EVENTS, str(to), moment.now())


def _of_job(connection: Connection, job: Job, groups: Sequence[str]) -> list[Happening]:
    """Return what the end of a job means, and remember it for the next one of its kind."""
    same = json.dumps([job.owner, job.tool, job.params], sort_keys=True, default=str)
    key = f"failing:{hashlib.sha256(same.encode('utf-8', 'replace')).hexdigest()}"
    at = job.finished or moment.now()
    if job.outcome in _FAILURES:
        remember(connection, key, job.id, at)
        said = f"{job.outcome}: {job.reason}" if job.reason else str(job.outcome)
        return [_of(Kind.FAILED, job, groups, f"{job.tool} failed", said)]
    if job.outcome == Outcome.SUCCESS and forget(connection, key):
        said = "It succeeds again; with the same parameters it failed before."
        return [_of(Kind.RECOVERED, job, groups, f"{job.tool} recovered", said)]
    return []


def _of(kind: Kind, job: Job, groups: Sequence[str], title: str, said: str) -> Happening:
    return Happening(
        kind,
        f"job:{job.id}:{job.attempt}:{kind}",
        job.tool,
        job.owner,
        groups,
        title,
        f"Job {job.number} of {job.owner}. {said}",
        f"/jobs/{job.id}",
        job.finished or moment.now(),
        {
            "job": job.id,
            "number": job.number,
            "attempt": job.attempt,
            "tool": job.tool,
            "owner": job.owner,
            "outcome": str(job.outcome),
        },
    )


def _of_table(judged: Judged, word: str, sentence: str) -> Happening:
    digest = hashlib.sha256(word.encode("utf-8", "replace")).hexdigest()[:16]
    return Happening(
        Kind.SLOWER,
        f"table:{judged.number}:{judged.version}:{digest}",
        judged.name,
        judged.owner,
        judged.groups,
        f"{judged.name}: {word} got worse",
        sentence,
        judged.path,
        moment.now(),
        {"table": judged.name, "column": word, "owner": judged.owner},
    )
