"""The process backend: jobs as processes of this machine that outlive the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from projects.jobs.process.orders import Order, Report


class ProcessBackend:
    """Hands orders to runners and tells what became of them.

    All methods but `wake` belong to one thread (the engine's). One backend at a time per run
    directory: whoever makes it holds the lock of the data directory.

    Parameters
    ----------
    run_directory
        Made with mode 0700 when missing; holds sockets and journals. Any length of path.
    idle_seconds
        After how long an unused runner ends; one is kept.
    """

    def __init__(self, run_directory: str, idle_seconds: float = 60.0) -> None:
        raise NotImplementedError

    def start(self) -> list[Report]:
        """Find or start the spawner, greet runners, absorb what dead ones left.

        Returns everything that is known of attempts whose end was not yet `settled`: `Started`
        for what still runs, `Ended`, `Unknown`. An attempt that is not mentioned never was a
        process, and never will be: its order can be launched again under the same number.
        """
        raise NotImplementedError

    def launch(self, order: Order) -> None:
        """Have an attempt started; never blocks and never fails: `wait` tells how it went."""
        raise NotImplementedError

    def stop(self, number: int, attempt: int, reason: str) -> None:
        """SIGTERM to the job's process group, SIGKILL after its grace; unknown ones: no effect.

        The `Ended` that follows has reason `stopped` and `reason` among its notes, unless the
        job had ended before.
        """
        raise NotImplementedError

    def wait(self, timeout: float | None) -> list[Report]:
        """Return what has happened; [] after `timeout` seconds or `wake` (0: only look).

        A short job's `Started` and `Ended` may come together. An `Ended` or `Unknown` may be
        repeated after a restart until it is `settled`, never otherwise.
        """
        raise NotImplementedError

    def wake(self) -> None:
        """Let `wait` return; from any thread, also from a signal handler."""
        raise NotImplementedError

    def settled(self, attempts: Iterable[tuple[int, int]]) -> None:
        """Forget the ends of these (number, attempt): the database has them."""
        raise NotImplementedError

    def close(self, stop_jobs: bool = False) -> None:
        """Let go of runners and spawner; jobs go on and are found by the next `start`.

        Runners and spawner end when nothing is left for them to do. With `stop_jobs` every job
        is stopped first, and its end kept for the next `start`.
        """
        raise NotImplementedError
