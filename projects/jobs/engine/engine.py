"""The engine: one thread that joins store, scheduler, tools and a backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from projects.jobs.engine.listeners import News
    from projects.jobs.engine.settings import Settings
    from projects.jobs.model.entities import Job, Submission


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted submission: on disk. `job_ids` are in the order of `job_specs`."""

    submission: Submission
    job_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the engine does its work, and what stands in its way."""

    ready: bool
    problems: Sequence[str] = ()


class Engine:
    """Takes submissions, runs their jobs, records what happens. All methods may be called from any
    thread; reading goes to the store directly.
    """

    def __init__(self, store: Any, backend: Any, catalog: Any, settings: Settings) -> None:
        self.store = store
        self.backend = backend
        self.catalog = catalog
        self.settings = settings

    def start(self) -> None:
        """Take the lock of the data directory, recover, begin to work.

        Raises
        ------
        InfrastructureError
            Another server holds the data directory (the message names its pid), or it can't be
            written.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop; running jobs go on for the next server unless `settings.stop_jobs`."""
        raise NotImplementedError

    def submit(self, request: Mapping[str, Any], owner: str) -> Submitted:
        """Check the whole request, store it durably, wake the loop.

        `request` is `{"parallel"?, "note"?, "priority"?, "job_specs": [{"name", "params"?,
        "timeout"?, "limits"?}]}`.

        Raises
        ------
        InvalidRequest
            With `.fields`; nothing has been stored.
        TooLarge
            More jobs, or a larger value, than the bounds say.
        InfrastructureError
            The store can't take it now.
        """
        raise NotImplementedError

    def cancel(self, identity: str | int, reason: str = "cancelled") -> Job:
        """End a waiting or running job as CANCELLED; durable when this returns.

        A running one is stopped (SIGTERM, grace, SIGKILL): the job returned is then not final yet.

        Raises
        ------
        NotFound, Conflict
            No such job; it has ended already.
        """
        raise NotImplementedError

    def cancel_submission(self, identity: str | int, reason: str = "cancelled") -> Submission:
        """Cancel all jobs of a submission that haven't ended.

        Raises
        ------
        NotFound
            No such submission.
        """
        raise NotImplementedError

    def retry(self, identity: str | int) -> Job:
        """Run a job that has ended once more, as its next attempt.

        Raises
        ------
        NotFound, Conflict
            No such job; it hasn't ended yet.
        """
        raise NotImplementedError

    def why_waiting(self, identity: str | int) -> str:
        """Return a sentence saying what a queued job waits for; empty when it isn't queued."""
        raise NotImplementedError

    def subscribe(
        self, listener: Callable[[Sequence[News], int], None], *, most: int = 10_000
    ) -> Callable[[], None]:
        """Call `listener(news, missed)` from a thread for all that happens; return unsubscribe."""
        raise NotImplementedError

    def health(self) -> Health:
        """Return whether the engine is ready, and what is wrong."""
        raise NotImplementedError

    def running(self) -> int:
        """Return how many jobs run now (for metrics)."""
        raise NotImplementedError
