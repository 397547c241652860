"""Wait until a job or a submission has ended, also across a restart of the server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from projects.core.errors import DeadlineExceeded
from projects.jobs.library.client import Away, part

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects.jobs.library.client import Client

SOONEST, LATEST = 0.05, 1.0
"""Seconds between two looks: each time nothing has changed half as long again."""

PATIENCE = 300.0
"""Seconds that a server may be away before waiting for it is given up."""

ENDED = ("DONE", "ARCHIVED")


class Patience:
    """Waits while a server is away, says so once, and gives up in the end."""

    def __init__(
        self,
        say: Callable[[str], object],
        sleep: Callable[[float], object] = time.sleep,
        most: float = PATIENCE,
    ) -> None:
        self._say = say
        self._sleep = sleep
        self._most = most
        self._since: float | None = None

    def __call__(self, error: Away) -> None:
        """Wait a second, or raise `error` if that has been going on for too long."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._say(f"{error.message}; waiting for it")
        elif now - self._since > self._most:
            raise error
        self._sleep(LATEST)

    def found(self) -> None:
        """Say that the server is there again, if it was away."""
        if self._since is not None:
            self._say("the server is there again")
            self._since = None


def wait_for_job(
    client: Client,
    job: str,
    *,
    seen: Callable[[Any], object] = lambda _: None,
    say: Callable[[str], object] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
    timeout: float | None = None,
) -> Any:
    """Return a job as `/api/v1` shows it when it has ended; `seen` is called with each look at it.

    Raises
    ------
    DeadlineExceeded
        It has not ended within `timeout` seconds; it goes on.
    Away, Refused
        The server stays away; there is no such job.
    """
    path = f"/api/v1/jobs/{part(job)}"
    return _wait(
        client, path, lambda value: value["state"] in ENDED, seen, say, sleep, timeout, f"job {job}"
    )


def wait_for_submission(
    client: Client,
    submission: str,
    *,
    seen: Callable[[Any], object] = lambda _: None,
    say: Callable[[str], object] = lambda _: None,
    sleep: Callable[[float], object] = time.sleep,
    timeout: float | None = None,
) -> Any:
    """Return a submission when its last job has ended; else as `wait_for_job`."""
    path = f"/api/v1/submissions/{part(submission)}"
    return _wait(
        client,
        path,
        lambda value: value["phase"] == "done",
        seen,
        say,
        sleep,
        timeout,
        f"submission {submission}",
    )


def _wait(  # noqa: PLR0917  (of this file only)
    client: Client,
    path: str,
    is_over: Callable[[Any], bool],
    seen: Callable[[Any], object],
    say: Callable[[str], object],
    sleep: Callable[[float], object],
    timeout: float | None,
    what: str,
) -> Any:
    end = None if timeout is None else time.monotonic() + timeout
    patience = Patience(say, sleep)
    pause, before = SOONEST, None
    sleep(SOONEST)  # at first everything waits
    while True:
        try:
            value = client.get_json(path)
            patience.found()
            seen(value)
            if is_over(value):
                return value
            pause = SOONEST if value != before else min(1.5 * pause, LATEST)
            before = value
        except Away as error:
            patience(error)
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlineExceeded(f"{what} has not ended within {timeout:g} s; it goes on")
        sleep(pause if left is None else min(pause, left))
