"""The store: what is kept of jobs, in SQLite or PostgreSQL, behind one class."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from projects.jobs.model.states import State, is_final
from projects.jobs.store import families, outbox, tables, tokens
from projects.jobs.store.cancelling import cancel_jobs, cancel_submission
from projects.jobs.store.claim import Claim
from projects.jobs.store.counting import counts
from projects.jobs.store.database import GLANCE
from projects.jobs.store.opening import JOBS, open_database
from projects.jobs.store.processes import processes_of
from projects.jobs.store.reading import Reader
from projects.jobs.store.recording import Recorder, check_changes
from projects.jobs.store.shelves import Shelves, TermsCache
from projects.jobs.store.submitting import submit
from projects.jobs.store.values import MOST_ITEMS, Change, JobFilter, SubmissionFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from projects.jobs.model.entities import Event, Job, Process, Token, Upload
    from projects.jobs.store.database import Database
    from projects.jobs.store.values import (
        Counts,
        Events,
        NewSubmission,
        Page,
        Queued,
        Refused,
        SubmissionView,
        Submitted,
    )


def open_store(url: str, *, wait: float = 10.0) -> Store:
    """Open the store at `sqlite:////path/file` or `postgresql://…`, and bring it up to date.

    A new database is made where there is none (its folder must exist). `wait` is how many seconds
    a writer waits for one in another process.

    Raises
    ------
    StoreMissing, StoreReadOnly, StoreLocked, StoreDamaged, StoreAway
        It can't be opened, for the reason that the class says.
    StoreForeign
        It is of a newer version or of something else; it is left as it is.
    """
    return Store(open_database(url, JOBS, wait=wait))


class Store:
    """Any thread may call anything; writers take turns, readers never wait for them.

    What a call that is said to be *durable* returned from is on the disk. What else was written is
    in the operating system's hands (it outlives kill -9, not a power cut) and is on the disk
    after the next durable call or `sync`. Each call is one transaction: all of it or nothing.
    What clients ask for waits for other writers for `database.CALL` seconds at most; then it raises
    StoreLocked.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelves = Shelves()
        self._terms = TermsCache()
        self._claim = Claim(database)
        database.on_rollback = self._forget

    # Submissions and what becomes of their jobs.

    def submit(self, new: NewSubmission) -> Submitted:
        """Keep a submission with its jobs; durable. 1 to `MOST_JOBS` jobs, else UsageError.

        ParentOver: the job from inside which it comes takes none any more.
        """
        return submit(self._database, self._shelves, self._terms, new)

    def record(self, changes: Sequence[Change], *, durable: bool = False) -> list[Refused]:
        """Apply changes in their order; return those that were left out.

        A change is left out when its job is unknown, is in another attempt, or has already got to
        the state or further: news may come twice.

        Raises
        ------
        TransitionError
            A change to DONE without an outcome, or to ARCHIVED: nothing was applied.
        """
        check_changes(changes)
        wait = durable or not self._database.outlives_crashes
        with self._database.write(durable=wait) as connection:
            recorder = Recorder(connection, self._shelves)
            refused = recorder.apply(changes)
            recorder.write()
        return refused

    def cancel_waiting(
        self,
        jobs: Sequence[int] | None = None,
        *,
        submission: int | None = None,
        reason: str,
        at: int,
    ) -> list[int]:
        """End jobs that wait (NEW to WAITING) as CANCELLED; durable.

        Give numbers of jobs, or a submission: that is then marked as cancelled, too. Return the
        numbers of the jobs that were ended; what runs is the engine's business.
        """
        with self._database.write(durable=True, wait=self._database.call_wait) as connection:
            found = []
            if jobs:
                found = cancel_jobs(connection, self._shelves, jobs, reason, at)
            if submission is not None:
                found += cancel_submission(connection, self._shelves, submission, reason, at)
        return found

    def retry(self, number: int, *, reason: str, at: int) -> bool:
        """Begin the next attempt of a job that has ended; durable. False: it hasn't ended."""
        with self._database.write(durable=True, wait=self._database.call_wait) as connection:
            recorder = Recorder(connection, self._shelves)
            recorder.read([number])
            found = recorder.now(number)
            if found is None or not is_final(found[1]):
                return False
            recorder.apply([Change(number, found[0], at, reason=reason, restart=True)])
            recorder.write()
            families.release(connection, self._shelves, number)
        return True

    def archive(self, numbers: Iterable[int], *, at: int, reason: str = "expired") -> int:
        """Turn DONE jobs into ARCHIVED ones; return how many were. The rows stay."""
        with self._database.write(durable=False) as connection:
            recorder = Recorder(connection, self._shelves)
            recorder.read(numbers := list(numbers))
            changes = [
                Change(number, found[0], at, State.ARCHIVED, reason)
                for number in dict.fromkeys(numbers)
                if (found := recorder.now(number)) is not None and found[1] == State.DONE
            ]
            recorder.apply(changes)
            recorder.write()
        return len(changes)

    # For the scheduler: none of these reads more than `limit` rows, whatever is stored.

    def head(self, limit: int) -> list[SubmissionView]:
        """Return the submissions that aren't done, by rank, then number."""
        with self._read() as reader:
            return reader.head(limit)

    def depending(self) -> list[SubmissionView]:
        """Return the submissions from inside jobs that haven't ended and end with those jobs."""
        with self._database.read() as connection:
            return families.depending(connection, self._shelves)

    def left_over(self) -> list[SubmissionView]:
        """Return those of them whose job is over, is being stopped, or is in another attempt."""
        with self._database.read() as connection:
            return families.left_over(connection, self._shelves)

    def queue(self, *, limit: int) -> list[Queued]:
        """Return the submissions that have waiting jobs, by rank, then number."""
        with self._read() as reader:
            return reader.queue(limit)

    def waiting_before(self, job: Job, *, limit: int) -> int:
        """Return how many jobs of its submission wait before a job; counts to `limit`."""
        with self._read() as reader:
            return reader.waiting_before(job, limit)

    def next_jobs(self, submission: int, *, after: int = -1, limit: int) -> list[Job]:
        """Return the waiting jobs of a submission with positions greater than `after`, in order."""
        with self._read() as reader:
            return reader.next_jobs(submission, after, limit)

    def unfinished(self, *, after: int = 0, limit: int = 1000) -> list[Job]:
        """Return jobs from STARTING to CLEANING with a number greater than `after`, in order."""
        with self._read() as reader:
            return reader.unfinished(after, limit)

    def expired(self, before: int, *, after: int = 0, limit: int = 1000) -> list[Job]:
        """Return DONE jobs that finished before a moment, with a number greater than `after`."""
        with self._read() as reader:
            return reader.in_states([State.DONE], after, limit, before)

    # Reading.

    def job(self, which: int | str) -> Job | None:
        """Return a job by its number or id (22 characters)."""
        with self._read() as reader:
            return reader.job(which)

    def jobs_numbered(self, numbers: Sequence[int]) -> Iterator[Job]:
        """Yield the jobs with these numbers, in this order, reading `MOST_ITEMS` at a time."""
        for begin in range(0, len(numbers), MOST_ITEMS):
            with self._read() as reader:
                found = reader.jobs_numbered(numbers[begin : begin + MOST_ITEMS])
            yield from found

    def submission(self, which: int | str) -> SubmissionView | None:
        """Return a submission by its number or id."""
        with self._read() as reader:
            return reader.submission(which)

    def jobs(
        self,
        which: JobFilter | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page[Job]:
        """Return a page of jobs, the newest first; `limit` ≤ `MOST_ITEMS`, else UsageError."""
        with self._read() as reader:
            return reader.jobs(
                which or JobFilter(), limit=limit, cursor=cursor, descending=not oldest_first
            )

    def submissions(
        self,
        which: SubmissionFilter | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page[SubmissionView]:
        """Return a page of submissions, the newest first."""
        with self._read() as reader:
            return reader.submissions(
                which or SubmissionFilter(), limit=limit, cursor=cursor, descending=not oldest_first
            )

    def counts(self, which: JobFilter | None = None) -> Counts:
        """Return how many jobs there are; exact, from counters."""
        with self._database.read() as connection:
            return counts(connection, which or JobFilter())

    def events(self, *, after: int = 0, limit: int = 1000, owner: str | None = None) -> Events:
        """Return what happened after event `after`, by looking at `limit` events.

        `owner` leaves out events of others' jobs. A submission is one event of type "submitted"
        (job: its first; data: {"submission": id, "jobs": how many}); its jobs' NEW is not there.
        """
        with self._read() as reader:
            return reader.events(after, limit, owner)

    def last_event(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        with self._read() as reader:
            return reader.last_event()

    def events_of(self, number: int) -> list[Event]:
        """Return what happened to a job: its NEW (seq 0) and the newest 1,000 events, in order."""
        with self._read() as reader:
            return reader.events_of(number)

    def processes(self, number: int) -> list[Process]:
        """Return the processes of a job; of one that recorded none, the one in its own row."""
        with self._database.read() as connection:
            return processes_of(connection, number)

    # The outbox.

    def add_upload(self, upload: Upload) -> None:
        """Keep an upload; durable. One that is there already stays as it is."""
        with self._database.write(durable=True) as connection:
            outbox.add_uploads(connection, [upload])

    def uploads_due(self, at: int, limit: int = 100) -> list[Upload]:
        """Return uploads whose time has come, the longest due first."""
        with self._database.read() as connection:
            return outbox.due(connection, at, limit)

    def next_upload(self) -> int | None:
        """Return the moment at which an upload is due next."""
        with self._database.read() as connection:
            return outbox.next_due(connection)

    def uploads_of(self, job: int) -> list[Upload]:
        """Return the uploads of a job."""
        with self._database.read() as connection:
            return outbox.of_job(connection, job)

    def upload_failed(self, upload: str, *, next_at: int | None, error: str) -> None:
        """Count an attempt; `next_at` None gives the upload up."""
        with self._database.write(durable=False) as connection:
            outbox.failed(connection, upload, next_at, error)

    def upload_done(self, upload: str, *, at: int) -> None:
        """Say that the hub has it; durable. Again: the first moment stays."""
        with self._database.write(durable=True) as connection:
            outbox.done(connection, upload, at)

    # Tokens and settings.

    def add_token(self, token: Token) -> None:
        """Keep a token; durable."""
        with self._database.write(durable=True, wait=self._database.call_wait) as connection:
            tokens.add(connection, token)

    def token(self, hash_: str) -> Token | None:
        """Return the token with this hash, also one that is over or revoked."""
        with self._database.read() as connection:
            return tokens.by_hash(connection, hash_)

    def tokens(self, owner: str | None = None) -> list[Token]:
        """Return all tokens, in the order in which they were made."""
        with self._database.read() as connection:
            return tokens.all_of(connection, owner)

    def revoke_token(self, token: str, *, at: int) -> bool:
        """Revoke a token by its id; durable. False: there is none, or it was revoked before."""
        with self._database.write(durable=True, wait=self._database.call_wait) as connection:
            return tokens.revoke(connection, token, at)

    def touch_token(self, token: str, *, at: int) -> None:
        """Note when a token was last used; not durable."""
        with self._database.write(durable=False, wait=GLANCE) as connection:
            tokens.touch(connection, token, at)

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a value that `set_setting` kept."""
        return self.settings().get(key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key; durable. None removes it."""
        with self._database.write(durable=True, wait=self._database.call_wait) as connection:
            tokens.set_setting(connection, key, value)

    def settings(self) -> Mapping[str, Any]:
        """Return all settings."""
        with self._database.read() as connection:
            return tokens.settings(connection)

    # The store itself.

    def sync(self) -> None:
        """Bring everything that was written onto the disk."""
        self._database.sync()

    def ping(self) -> None:
        """Read once: raises what `open_store` raises when the database is away (for /readyz)."""
        self._database.check_file()
        with self._database.read() as connection:  # of a table: SQLite opens nothing for SELECT 1
            connection.execute(select(tables.setting.c.key).limit(1))

    def claim(self) -> None:
        """Be the only one that runs its jobs, until `release` or `close`.

        Raises
        ------
        StoreLocked
            Another server is.
        """
        self._claim.take()

    @property
    def claim_may_be_lost(self) -> bool:
        """Whether the claim hangs on a connection to a database server."""
        return self._claim.may_be_lost

    def wait_for_loss(self, stop: int) -> bool:
        """Return True as soon as the claim is lost, False when the file `stop` can be read."""
        return self._claim.wait_for_loss(stop)

    def claim_again(self) -> None:
        """Claim after a loss. StoreAway: try again; StoreLocked: another server has or had it."""
        self._claim.take_again()

    def release(self) -> None:
        """Let another server run its jobs."""
        self._claim.release()

    def close(self) -> None:
        """Bring everything onto the disk and let go of it; a second call does nothing."""
        self._claim.release()
        self._database.close()

    @contextmanager
    def _read(self) -> Iterator[Reader]:
        with self._database.read() as connection:
            yield Reader(connection, self._shelves, self._terms)

    def _forget(self) -> None:
        self._shelves.forget()
        self._terms.forget()
