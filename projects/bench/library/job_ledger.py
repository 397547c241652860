"""What jobs wrote about themselves, held against what the store says of them."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from projects.jobs.model.states import Outcome, State, is_final
from projects.jobs.store.store import open_store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from projects.jobs.model.entities import Job
    from projects.jobs.store.store import Store

SCRIPT = """\
#!/bin/sh
echo "+ $TOPGALLANT_ATTEMPT" >> {ledger}
sleep "$arg_pause"
echo "- $TOPGALLANT_ATTEMPT" >> {ledger}
exit "$arg_code"
"""
"""A job: writes its beginning and its end (O_APPEND, one write each), ends with a known status."""

SHORT_SCRIPT = SCRIPT.replace('sleep "$arg_pause"\n', "")
"""A job that is over at once: the next ones are handed over ahead."""

PARAMETERS = [
    {"name": "pause", "type": "text", "doc": "seconds"},
    {"name": "code", "type": "nat", "doc": "exit code"},
]

POLICIES = ("rerun", "reattach", "fail")
"""One tool of each `on_restart`; only `rerun` may run twice, one attempt after the other."""

SHORT = "short"
"""Another tool that may run twice, of `SHORT_SCRIPT`."""

_SHOWN = 5


@dataclass(slots=True)
class Findings:
    """How many jobs went how; the first group has to be 0, whatever was killed."""

    lost: int = 0
    """Acknowledged, and not in the store, or without an end."""
    doubled: int = 0
    """An attempt ran twice, two attempts at once, or a job more often than its tool allows."""
    ended_twice: int = 0
    """More than one end was recorded for one attempt."""
    wrong: int = 0
    """Outcome or exit code is not what the job did."""

    jobs: int = 0
    real: int = 0
    """Ended with its real exit code, seen by us."""
    again: int = 0
    """Ran again, one attempt after the other, as its tool allows."""
    unseen: int = 0
    """Ended LOST: all of us who could have seen its end were dead."""
    unborn: int = 0
    """Killed by us between fork and exec, as part of the runner it still was."""

    def figures(self) -> dict[str, float]:
        """Return all by name."""
        return {one.name.replace("_", " "): getattr(self, one.name) for one in fields(self)}

    @property
    def bad(self) -> int:
        """How many jobs are not as promised."""
        return self.lost + self.doubled + self.ended_twice + self.wrong


def examine(
    database: Path, ledger: Path, acknowledged: Collection[str]
) -> tuple[Findings, list[str]]:
    """Return what became of all jobs, and sentences about the first that are not as promised."""
    told: list[str] = []
    found = Findings()

    def bad(what: str, job: Any, why: str) -> None:
        setattr(found, what, getattr(found, what) + 1)
        if len(told) < _SHOWN:
            told.append(f"{what}: job {job}: {why}")

    written = _attempts(ledger)
    with closing(open_store(f"sqlite:///{database}")) as store:
        ends = _recorded_ends(store)
        missing = set(acknowledged)
        for job in _jobs(store):
            found.jobs += 1
            missing.discard(job.id)
            if not is_final(job.state):
                bad("lost", job.id, f"it is {job.state.name}")
                continue
            if any(ends[job.number, attempt] > 1 for attempt in range(1, job.attempt + 1)):
                bad("ended_twice", job.id, "an attempt has two ends")
            lines = written.get(job.id, [])
            if why := _doubled(job, lines):
                bad("doubled", job.id, why)
            _judge(job, lines, found, bad)
        for job_id in missing:
            bad("lost", job_id, "it is not in the store")
    return found, told


def _judge(job: Job, lines: list[tuple[str, int]], found: Findings, bad: Any) -> None:
    ran = ("+", job.attempt) in lines
    if job.attempt > 1:
        found.again += 1
    if job.outcome == Outcome.LOST:
        found.unseen += 1
    elif job.signal is not None and not ran:
        found.unborn += 1
    else:
        code = int(job.params["code"])
        outcome = Outcome.FAILED if code else Outcome.SUCCESS
        if job.return_code == code and job.outcome == outcome and ran:
            found.real += 1
        else:
            is_ = f"{job.outcome}, exit code {job.return_code}, signal {job.signal}"
            bad("wrong", job.id, f"{is_} instead of {code}; it wrote {lines}; {job.reason}")


def _doubled(job: Job, lines: list[tuple[str, int]]) -> str:
    begun = [attempt for mark, attempt in lines if mark == "+"]
    if len(set(begun)) != len(begun):
        return f"an attempt ran twice: {lines}"
    if job.on_restart != "rerun" and len(begun) > 1:
        return f"its tool says {job.on_restart}: {lines}"
    for earlier, later in pairwise(begun):
        end = ("-", earlier)
        if end in lines and lines.index(end) > lines.index(("+", later)):
            return f"two attempts at once: {lines}"
    return ""


def _attempts(ledger: Path) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for line in ledger.read_text(encoding="ascii").splitlines():
        mark, _, mine = line.partition(" ")
        job, _, attempt = mine.rpartition(".")
        found.setdefault(job, []).append((mark, int(attempt)))
    return found


def _jobs(store: Store) -> Iterator[Job]:
    cursor = None
    while True:
        page = store.jobs(limit=1000, cursor=cursor)
        yield from page.items
        if (cursor := page.next) is None:
            return


def _recorded_ends(store: Store) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    after = 0
    while after < store.last_event():
        events = store.events(after=after, limit=1000)
        found.update((e.job, e.attempt) for e in events.items if e.after == State.DONE)
        after = events.seq
    return found
