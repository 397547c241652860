"""The store: what is kept of jobs, in SQLite or PostgreSQL, behind one class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from projects.jobs.model.entities import Event, Job, Process, Token, Upload
    from projects.jobs.store.values import (
        Change,
        Counts,
        Events,
        JobFilter,
        NewSubmission,
        Page,
        Refused,
        SubmissionFilter,
        SubmissionView,
        Submitted,
    )


def open_store(url: str, *, wait: float = 10.0) -> Store:
    """Open the store at `sqlite:////path/file` or `postgresql+psycopg://…`, and bring it up to date.

    A new database is made where there is none (its folder must exist). `wait` is how many seconds
    a writer waits for one in another process.

    Raises
    ------
    StoreMissing, StoreReadOnly, StoreLocked, StoreDamaged, StoreAway
        It can't be opened, for the reason that the class says.
    StoreForeign
        It is of a newer version or of something else; it is left as it is.
    """
    raise NotImplementedError


class Store:
    """Any thread may call anything; writers take turns, readers never wait for them.

    What a call that is said to be *durable* returned from is on the disk. What else was written is
    in the operating system's hands (it outlives kill -9, not a power cut) and is on the disk
    after the next durable call or `sync`. Each call is one transaction: all of it or nothing.
    """

    # Submissions and what becomes of their jobs.

    def submit(self, new: NewSubmission) -> Submitted:
        """Keep a submission with its jobs; durable. 1 to `MOST_JOBS` jobs, else UsageError."""
        raise NotImplementedError

    def record(self, changes: Sequence[Change], *, durable: bool = False) -> list[Refused]:
        """Apply changes in their order; return those that were left out.

        A change is left out when its job is unknown, is in another attempt, or has already got to
        the state or further: news may come twice.

        Raises
        ------
        TransitionError
            A change to DONE without an outcome, or to ARCHIVED: nothing was applied.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    def retry(self, number: int, *, reason: str, at: int) -> bool:
        """Begin the next attempt of a job that has ended; durable. False: it hasn't ended."""
        raise NotImplementedError

    def archive(self, numbers: Iterable[int], *, at: int, reason: str = "expired") -> int:
        """Turn DONE jobs into ARCHIVED ones; return how many were. The rows stay."""
        raise NotImplementedError

    # For the scheduler: none of these reads more than `limit` rows, whatever is stored.

    def head(self, limit: int) -> list[SubmissionView]:
        """Return the submissions that aren't done, by rank, then number."""
        raise NotImplementedError

    def next_jobs(self, submission: int, *, after: int = -1, limit: int) -> list[Job]:
        """Return the waiting jobs of a submission with a position greater than `after`, in order."""
        raise NotImplementedError

    def unfinished(self, *, after: int = 0, limit: int = 1000) -> list[Job]:
        """Return jobs from STARTING to CLEANING with a number greater than `after`, in order."""
        raise NotImplementedError

    def expired(self, before: int, *, after: int = 0, limit: int = 1000) -> list[Job]:
        """Return DONE jobs that finished before a moment, with a number greater than `after`."""
        raise NotImplementedError

    # Reading.

    def job(self, which: int | str) -> Job | None:
        """Return a job by its number or id (22 characters)."""
        raise NotImplementedError

    def submission(self, which: int | str) -> SubmissionView | None:
        """Return a submission by its number or id."""
        raise NotImplementedError

    def jobs(
        self,
        which: JobFilter | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page[Job]:
        """Return a page of jobs, the newest first; `limit` ≤ `MOST_ITEMS`, else UsageError."""
        raise NotImplementedError

    def submissions(
        self,
        which: SubmissionFilter | None = None,
        *,
        limit: int = 50,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> Page[SubmissionView]:
        """Return a page of submissions, the newest first."""
        raise NotImplementedError

    def counts(self, which: JobFilter | None = None) -> Counts:
        """Return how many jobs there are; exact, from counters."""
        raise NotImplementedError

    def events(self, *, after: int = 0, limit: int = 1000, owner: str | None = None) -> Events:
        """Return what happened after event `after`, by looking at `limit` events.

        `owner` leaves out events of others' jobs. A submission is one event of type "submitted"
        (job: its first; data: {"submission": id, "jobs": how many}); its jobs' NEW is not there.
        """
        raise NotImplementedError

    def last_event(self) -> int:
        """Return the number of the newest event, 0 if there is none."""
        raise NotImplementedError

    def events_of(self, number: int) -> list[Event]:
        """Return what happened to a job, the newest 1,000 events in order; the first is its NEW (seq 0)."""
        raise NotImplementedError

    def processes(self, number: int) -> list[Process]:
        """Return the processes of a job; of one that recorded none, the one in its own row."""
        raise NotImplementedError

    # The outbox.

    def add_upload(self, upload: Upload) -> None:
        """Keep an upload; durable. One that is there already stays as it is."""
        raise NotImplementedError

    def uploads_due(self, at: int, limit: int = 100) -> list[Upload]:
        """Return uploads whose time has come, the longest due first."""
        raise NotImplementedError

    def next_upload(self) -> int | None:
        """Return the moment at which an upload is due next."""
        raise NotImplementedError

    def uploads_of(self, job: int) -> list[Upload]:
        """Return the uploads of a job."""
        raise NotImplementedError

    def upload_failed(self, upload: str, *, next_at: int | None, error: str) -> None:
        """Count an attempt; `next_at` None gives the upload up."""
        raise NotImplementedError

    def upload_done(self, upload: str, *, at: int) -> None:
        """Say that the hub has it; durable. Again: the first moment stays."""
        raise NotImplementedError

    # Tokens and settings.

    def add_token(self, token: Token) -> None:
        """Keep a token; durable."""
        raise NotImplementedError

    def token(self, hash_: str) -> Token | None:
        """Return the token with this hash, also one that is over or revoked."""
        raise NotImplementedError

    def tokens(self, owner: str | None = None) -> list[Token]:
        """Return all tokens, in the order in which they were made."""
        raise NotImplementedError

    def revoke_token(self, token: str, *, at: int) -> bool:
        """Revoke a token by its id; durable. False: there is none, or it was revoked before."""
        raise NotImplementedError

    def touch_token(self, token: str, *, at: int) -> None:
        """Note when a token was last used; not durable."""
        raise NotImplementedError

    def setting(self, key: str, default: Any = None) -> Any:
        """Return a value that `set_setting` kept."""
        raise NotImplementedError

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a JSON value under a key; durable. None removes it."""
        raise NotImplementedError

    def settings(self) -> Mapping[str, Any]:
        """Return all settings."""
        raise NotImplementedError

    # The store itself.

    def sync(self) -> None:
        """Bring everything that was written onto the disk."""
        raise NotImplementedError

    def ping(self) -> None:
        """Read once: raises what `open_store` raises when the database is away (for /readyz)."""
        raise NotImplementedError

    def close(self) -> None:
        """Bring everything onto the disk and let go of it; a second call does nothing."""
        raise NotImplementedError
