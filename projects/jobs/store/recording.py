"""Applying changes to jobs: fences, transitions, events and counters, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from projects.jobs.model.states import State, TransitionError
from projects.jobs.store.outbox import add_uploads
from projects.jobs.store.prepared import Prepared
from projects.jobs.store.processes import keep_processes
from projects.jobs.store.rows import EVENT_COLUMNS, IN_STATE, OF_OUTCOME, event_row, plain
from projects.jobs.store.shelves import (
    OUTCOME_CODES,
    PHASES,
    Moves,
    Shelf,
    submission_shelf,
)
from projects.jobs.store.tables import BLOCK, event, job, submission
from projects.jobs.store.values import Phase, Refused, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from projects.jobs.store.shelves import Shelves
    from projects.jobs.store.values import Change

CHUNK = 5000
"""Jobs that are read in one statement: SQLite takes 32,766 values."""

_STATES = tuple(State)
_CHANGING = (
    "shelf",
    "attempt",
    "started",
    "finished",
    "return_code",
    "signal",
    "reason",
    "pid",
    "start_ticks",
    "boot_id",
    "wall",
    "cpu",
    "peak_memory",
)
_CHANGED = ("return_code", "signal", "started", "finished", "pid", "start_ticks", "boot_id")
_OF_JOB = 2 + len(_CHANGING)
_FIRST_STATE, _FIRST_OUTCOME = 6, 6 + len(State)

_READ = (
    select(
        job.c.number,
        job.c.submission,
        *(job.c[name] for name in _CHANGING),
        submission.c.number,
        submission.c.owner,
        submission.c.shelf,
        submission.c.jobs,
        submission.c.cancelled,
        submission.c.finished,
        *IN_STATE,
        *OF_OUTCOME,
    )
    .join_from(job, submission, job.c.submission == submission.c.number)
    .where(job.c.number.in_(bindparam("numbers", expanding=True)))
)
_WRITE = Prepared(
    update(job)
    .where(job.c.number == bindparam("b_number"))
    .values({name: bindparam(name) for name in _CHANGING}),
    _CHANGING,
)
_COUNTED = tuple(column.name for column in (*IN_STATE, *OF_OUTCOME))
_COUNT = Prepared(
    update(submission)
    .where(submission.c.number == bindparam("b_number"))
    .values({name: bindparam(name) for name in _COUNTED}),
    _COUNTED,
)
# Apart, because it touches indexes, and happens twice in the life of a submission.
_PHASE = Prepared(
    update(submission)
    .where(submission.c.number == bindparam("b_number"))
    .values(shelf=bindparam("shelf"), finished=bindparam("finished")),
    ("shelf", "finished"),
)
_TELL = Prepared(insert(event), EVENT_COLUMNS)


def check_changes(changes: Iterable[Change]) -> None:
    """Refuse what is a bug of the caller, before anything is written.

    Raises
    ------
    TransitionError
        A job would be DONE without an outcome, or have one before it is stopping, or be ARCHIVED.
    """
    for change in changes:
        if change.state == State.ARCHIVED:
            raise TransitionError("a job is archived by `archive`, when its files are gone")
        if change.state == State.DONE and change.outcome is None:
            raise TransitionError(f"job {change.number} can't be DONE without an outcome")
        early = change.state is None or change.state < State.STOPPING
        if change.outcome is not None and early:
            raise TransitionError(f"job {change.number} has an outcome too early")


class _Job:
    """A job as the changes of one transaction leave it."""

    __slots__ = ("fields", "number", "submission", "touched")

    def __init__(self, row: Any, submission: _Submission) -> None:
        self.number: int = row[0]
        self.fields: dict[str, Any] = dict(zip(_CHANGING, row[2:_OF_JOB], strict=True))
        self.submission = submission
        self.touched = False


class _Submission:
    """A submission, the same way; `counts` are of its states and then of its outcomes."""

    __slots__ = ("changed", "counts", "finished", "jobs", "number", "owner", "shelf")

    def __init__(self, row: Sequence[Any]) -> None:
        self.number, self.owner, self.shelf, self.jobs, _, self.finished = row[:_FIRST_STATE]
        self.counts = list(row[_FIRST_STATE:])
        self.changed = False

    def phase(self) -> Phase:
        """Return the phase that the counts mean."""
        over = self.counts[State.DONE] + self.counts[State.ARCHIVED]
        if over == self.jobs:
            return Phase.DONE
        waiting = sum(self.counts[: State.STARTING])
        return Phase.PENDING if waiting == self.jobs else Phase.RUNNING


class Recorder:
    """Applies changes within one transaction; `write` then writes what came of them."""

    def __init__(self, connection: Connection, shelves: Shelves) -> None:
        self._connection = connection
        self._shelves = shelves
        self._jobs: dict[int, _Job] = {}
        self._submissions: dict[int, _Submission] = {}
        self._moves = Moves()
        self._events: list[dict[str, Any]] = []
        self._at = 0

    def read(self, numbers: Sequence[int]) -> None:
        """Read the jobs that changes are about."""
        wanted = [number for number in dict.fromkeys(numbers) if number not in self._jobs]
        for begin in range(0, len(wanted), CHUNK):
            chunk = wanted[begin : begin + CHUNK]
            for row in self._connection.execute(_READ, {"numbers": chunk}):
                owner = self._submissions.get(row[1])
                if owner is None:
                    owner = self._submissions[row[1]] = _Submission(row[_OF_JOB:])
                self._jobs[row[0]] = _Job(row, owner)

    def now(self, number: int) -> tuple[int, State] | None:
        """Return the attempt and state of a job that was read."""
        found = self._jobs.get(number)
        if found is None:
            return None
        shelf = self._shelves.get(self._connection, found.fields["shelf"])
        return found.fields["attempt"], _STATES[shelf.state]

    def apply(self, changes: Sequence[Change]) -> list[Refused]:
        """Apply changes in their order; return those that were left out."""
        self.read([change.number for change in changes])
        refused = []
        taken = []
        for change in changes:
            found = self._jobs.get(change.number)
            if found is None:
                refused.append(Refused(change, Why.UNKNOWN))
                continue
            fields = found.fields
            shelf = self._shelves.get(self._connection, fields["shelf"])
            why = _why_not(change, fields["attempt"], shelf.state)
            if why is not None:
                refused.append(Refused(change, why, fields["attempt"], _STATES[shelf.state]))
                continue
            self._apply(change, found, shelf)
            taken.append(change)
        processes = [process for change in taken for process in change.processes]
        if processes:
            keep_processes(self._connection, processes)
        uploads = [upload for change in taken for upload in change.uploads]
        if uploads:
            add_uploads(self._connection, uploads)
        return refused

    def write(self) -> None:
        """Write the jobs, their events and all counters."""
        rows = []
        for each in self._jobs.values():
            if each.touched:
                each.fields["b_number"] = each.number
                rows.append(each.fields)
        _WRITE.run(self._connection, rows)
        _TELL.run(self._connection, self._events)
        changed = [each for each in self._submissions.values() if each.changed]
        counts = [
            {"b_number": each.number, **dict(zip(_COUNTED, each.counts, strict=True))}
            for each in changed
        ]
        _COUNT.run(self._connection, counts)
        phases = [row for each in changed if (row := self._phase(each)) is not None]
        _PHASE.run(self._connection, phases)
        self._moves.write(self._connection)

    def _apply(self, change: Change, found: _Job, shelf: Shelf) -> None:
        fields = found.fields
        message = plain(change.reason)
        if change.restart:
            fields.update(_blank(fields["attempt"] + 1))
        before = after = None
        if change.state is not None or change.restart:
            before = shelf.state
            after = State.NEW if change.restart else change.state
            assert after is not None  # noqa: S101  (one of the two is there)
            self._move(change, found, shelf, after)
        for name in _CHANGED:
            value = getattr(change, name)
            if value is not None:
                fields[name] = value
        if change.usage is not None:
            usage = change.usage
            fields.update(wall=usage.wall, cpu=usage.cpu, peak_memory=usage.peak_memory)
        if message:
            fields["reason"] = message
        found.touched = True
        self._at = max(self._at, change.at)
        self._events.append(
            event_row(
                change.at,
                change.number,
                fields["attempt"],
                change.type,
                before,
                None if after is None else int(after),
                message,
                change.data,
            )
        )

    def _move(self, change: Change, found: _Job, shelf: Shelf, after: State) -> None:
        fields = found.fields
        if after == State.RUNNING and fields["started"] is None:
            fields["started"] = change.at
        elif after == State.DONE:
            fields["finished"] = change.at
        outcome = 0 if after == State.NEW else OUTCOME_CODES[change.outcome] or shelf.outcome
        wanted = Shelf(shelf.kind, shelf.tool, shelf.owner, int(after), outcome)
        place = self._shelves.number(self._connection, wanted)
        block = found.number >> BLOCK
        self._moves.put(fields["shelf"], block, -1)
        self._moves.put(place, block, 1)
        fields["shelf"] = place
        owner = found.submission
        owner.counts[shelf.state] -= 1
        owner.counts[after] += 1
        if outcome != shelf.outcome:
            for code, by in ((shelf.outcome, -1), (outcome, 1)):
                if code:
                    owner.counts[len(State) + code - 1] += by
        owner.changed = True

    def _phase(self, each: _Submission) -> dict[str, Any] | None:
        phase = each.phase()
        known = PHASES[self._shelves.get(self._connection, each.shelf).state]
        if phase == known:
            return None
        place = self._shelves.number(self._connection, submission_shelf(each.owner, phase))
        self._moves.put_submission(each.shelf, -1)
        self._moves.put_submission(place, 1)
        finished = self._at if phase is Phase.DONE else None
        return {"b_number": each.number, "shelf": place, "finished": finished}


def _why_not(change: Change, attempt: int, state: int) -> Why | None:
    if change.attempt != attempt:
        return Why.STALE
    going_back = change.state is not None and change.state <= state
    return Why.LATE if going_back and not change.restart else None


def _blank(attempt: int) -> dict[str, Any]:
    return {**dict.fromkeys(_CHANGING[2:]), "reason": "", "attempt": attempt}
