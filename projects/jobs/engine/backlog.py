"""The window of what waits: a few submissions by rank, a few hundred jobs of each."""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.jobs.engine.outcomes import begins_unrecorded
from projects.jobs.scheduling.view import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from projects.jobs.model.entities import Job, Submission
    from projects.jobs.store.store import Store

CHUNK = 1000
"""So many jobs are read at once."""

LOW = 200
"""Jobs are read when fewer of a submission than this are left in the window."""

MOST_LINES = 2000
"""So many submissions are kept here; the others stay in the store."""

_HEAD = 256


@dataclass(slots=True, eq=False)
class Ready:
    """A job that waits for its turn."""

    job: Job
    number: int
    resources: Sequence[str]
    request: Any = None


@dataclass(slots=True, eq=False)
class Line(Turn):
    """A submission and the first of its waiting jobs; `read` is the last position read."""

    read: int = -1
    more: bool = True
    """The store may have further waiting jobs."""
    short: bool = False
    """Its last job was over at once: the next ones probably are, too."""

    def __lt__(self, other: Line) -> bool:
        return (self.rank, self.number) < (other.rank, other.number)

    @property
    def jobs(self) -> deque[Ready]:
        """`waiting`, by its type."""
        return self.waiting  # type: ignore[return-value]


def _line_of(submission: Submission) -> Line:
    return Line(
        submission.number,
        submission.rank,
        submission.parallel,
        begun=submission.below is not None,
        parent=submission.below,
        waiting=deque(),
    )


class Backlog:
    """What `plan` looks at, kept up to date; belongs to the engine's thread.

    `elsewhere` has the numbers of jobs that are started, or have ended without the store knowing
    it yet: its rows lag behind by a batch.
    """

    def __init__(self, store: Store, places: int, elsewhere: Mapping[int, Any]) -> None:
        self._store = store
        self._places = places
        self._elsewhere = elsewhere
        self._lines: dict[int, Line] = {}
        self._begun: list[Line] = []
        self._further: list[Line] = []
        self._more = True
        self._depending_read = False
        self._withheld: set[int] = set()
        self._view: list[Line] | None = None
        self.below: dict[int, list[Line]] = {}
        """Number of a job → submissions that it has sent and that end with it."""
        self._aside: dict[int, list[Ready]] = {}

    def turns(self) -> list[Line]:
        """Return the begun submissions and the next M, by rank, with their first jobs read."""
        while True:
            if self._view is None:
                self._read_submissions()
                self._view = sorted(self._begun + self._further[: self._places])
            view = self._view
            for line in view:
                if line.more and len(line.jobs) < LOW:
                    self._read_jobs(line)
                    self._drop_if_over(line)
            if self._view is view:
                return view

    def add(self, submission: Submission) -> None:
        """Let a submission take its place; one that is here already stays."""
        if submission.number in self._lines or submission.number in self._withheld:
            return
        line = _line_of(submission)
        if line.parent is None and self._more and self._further and self._further[-1] < line:
            return  # its turn to be read comes
        self._insert(line)
        if len(self._further) > MOST_LINES + len(self._elsewhere):
            last = self._further.pop()
            del self._lines[last.number]
            self._more = True

    def adopt(self, submission: Submission) -> Line:
        """Return the line of a submission that has a running job."""
        self.add(submission)
        line = self._lines.get(submission.number)
        if line is None:
            line = _line_of(submission)
            self._insert(line)
        self.started(line)
        return line

    def take(self, line: Line, ready: Ready) -> None:
        """Remove a job that starts, and count it as running."""
        if line.jobs[0] is ready:
            line.jobs.popleft()
        else:
            line.jobs.remove(ready)
        self.started(line)

    @staticmethod
    def followers(line: Line, most: int) -> list[Ready]:
        """Remove and return the next jobs that may follow a running one whatever else happens.

        No more of them than each of the running ones may have.
        """
        found: list[Ready] = []
        if not line.short:
            return found
        for _ in range(min(most, (len(line.jobs) - 1) // max(line.running, 1))):
            ready = line.jobs[0]
            if ready.resources or ready.request is not None or not begins_unrecorded(ready.job):
                break
            found.append(line.jobs.popleft())
        return found

    def started(self, line: Line) -> None:
        """Count one more running job of a submission; from now on it keeps its place."""
        line.running += 1
        if not line.begun:
            line.begun = True
            self._further.remove(line)
            bisect.insort(self._begun, line)
            self._view = None

    def ended(self, line: Line) -> None:
        """Count one running job less; the submission leaves when that was its last job."""
        line.running -= 1
        self._drop_if_over(line)

    def put_back(self, job: Job) -> None:
        """Let a job of a running submission wait that was taken, or begins another attempt."""
        line = self._lines[job.submission]
        ready = Ready(job, job.number, job.resources)
        places = [other.job.position for other in line.jobs]
        line.jobs.insert(bisect.bisect(places, job.position), ready)

    def look_again(self, submission: Submission) -> None:
        """Let what waits of a submission be read again: something does that had left the window.

        Nothing is read now: the store may be away.
        """
        if submission.number in self._withheld:
            return  # `allow_submission` follows
        line = self._lines.get(submission.number)
        self._read_again(submission, [] if line is None else self._not_in_store(line))

    def withdraw(self, number: int, submission: int) -> None:
        """Take a waiting job out, if it is here, and read none such until `allow`."""
        self._withheld.add(-number)
        line = self._lines.get(submission)
        if line is not None:
            kept = [ready for ready in line.jobs if ready.number != number]
            if len(kept) < len(line.jobs):
                line.waiting = deque(kept)
                self._drop_if_over(line)

    def withdraw_submission(self, number: int) -> None:
        """Take out what waits of a submission, and read nothing of it until `allow_submission`."""
        self._withheld.add(number)
        line = self._lines.get(number)
        if line is not None:
            self._aside.setdefault(number, []).extend(self._not_in_store(line))
            line.waiting, line.more = deque(), False
            self._drop_if_over(line)

    def allow(self, number: int) -> None:
        """End `withdraw`."""
        self._withheld.discard(-number)

    def allow_submission(self, submission: Submission) -> None:
        """End `withdraw_submission`; what still waits in the store is read again."""
        self._withheld.discard(submission.number)
        aside = self._aside.pop(submission.number, ())
        self._read_again(submission, [each for each in aside if each.number in self._elsewhere])

    def _not_in_store(self, line: Line) -> list[Ready]:
        """Return what begins another attempt: the store may still have the one before."""
        return [ready for ready in line.jobs if ready.number in self._elsewhere]

    def _read_again(self, submission: Submission, besides: Sequence[Ready]) -> None:
        self.add(submission)
        line = self._lines.get(submission.number)
        if line is not None:
            line.waiting, line.read, line.more = deque(besides), -1, True

    def _insert(self, line: Line) -> None:
        self._lines[line.number] = line
        if line.parent is None:
            bisect.insort(self._further, line)
        else:
            bisect.insort(self._begun, line)
            self.below.setdefault(line.parent, []).append(line)
        self._view = None

    def _drop_if_over(self, line: Line) -> bool:
        if line.running or line.waiting or line.more:
            return False
        if self._lines.pop(line.number, None) is not None:
            (self._begun if line.begun else self._further).remove(line)
            if line.parent is not None:
                self._leave(line.parent, line)
            self._view = None
        return True

    def _leave(self, parent: int, line: Line) -> None:
        self.below[parent].remove(line)
        if not self.below[parent]:
            del self.below[parent]

    def _read_submissions(self) -> None:
        if not self._depending_read:
            for submission in self._store.depending():
                self.add(submission)
            self._depending_read = True
        if not self._more or len(self._further) > self._places:
            return
        # As many may be over without the store knowing it as there are jobs of which that is true.
        limit = len(self._lines) + len(self._elsewhere) + self._places + _HEAD
        found = self._store.head(limit)
        self._more = False  # `add` takes them
        for submission in found:
            if submission.waiting:
                self.add(submission)
        self._more = self._more or len(found) == limit

    def _read_jobs(self, line: Line) -> None:
        jobs = self._store.next_jobs(line.number, after=line.read, limit=CHUNK)
        line.more = len(jobs) == CHUNK
        if jobs:
            line.read = jobs[-1].position
        here = {ready.number for ready in line.jobs}
        fresh = [job for job in jobs if job.number not in here and not self._is_taken(job)]
        ahead = bool(fresh and line.jobs and line.jobs[-1].job.position > fresh[0].position)
        line.jobs.extend(Ready(job, job.number, job.resources) for job in fresh)
        if ahead:  # something was put back that lies beyond what had been read
            in_order: list[Ready] = sorted(line.jobs, key=lambda ready: ready.job.position)
            line.waiting = deque(in_order)

    def _is_taken(self, job: Job) -> bool:
        return -job.number in self._withheld or job.number in self._elsewhere
