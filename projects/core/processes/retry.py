"""Trying again, and waiting for a condition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from projects.core import errors
from projects.core.artifacts import journal
from projects.core.processes import cancellation
from projects.core.processes.naming import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often something is tried: at most `attempts` times, when an exception of `on` came.

    The pause in seconds before the second attempt is `delay`, each later one `backoff` times the
    one before. An error is not tried again once the deadline around it has passed.

    Errors
    ------
    UsageError
        A number makes no sense.
    """

    attempts: int
    delay: float = 1.0
    backoff: float = 1.0
    on: tuple[type[Exception], ...] = (Exception,)

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.attempts < 1 or self.delay < 0 or self.backoff <= 0:
            raise errors.UsageError(
                f"{self} makes no sense: at least 1 attempt, a delay of at least 0 seconds "
                "and a backoff greater than 0 are possible"
            )

    def pause_after(self, attempt: int, error: Exception) -> float | None:
        """Return the seconds to wait after the failed `attempt` (from 1), None to give up."""
        limit = cancellation.nearest_deadline()
        if attempt >= self.attempts or not isinstance(error, self.on):
            return None
        return None if limit is not None and limit.passed() else self._pause(attempt)

    def _pause(self, attempt: int) -> float:
        return self.delay * self.backoff ** (attempt - 1)


ONCE = Retry(1)
"""No second attempt."""


def call(function: Callable[[], T], retry: Retry, span: journal.Span | journal.NoSpan) -> T:
    """Call `function` as often as `retry` allows; `span` is told about it."""
    attempt = 1
    while True:
        try:
            cancellation.checkpoint()
            return function()
        except Exception as error:
            pause = _told(span, retry, attempt, error)
            if pause is None:
                raise
        cancellation.sleep(pause)
        attempt += 1


async def call_async(
    function: Callable[[], Any], retry: Retry, span: journal.Span | journal.NoSpan
) -> Any:
    """Call `function`, awaiting what it returns if that can be awaited; see `call`."""
    import asyncio

    attempt = 1
    while True:
        try:
            cancellation.checkpoint()
            return await awaited(function())
        except Exception as error:
            pause = _told(span, retry, attempt, error)
            if pause is None:
                raise
        await asyncio.sleep(pause)
        attempt += 1


async def awaited(value: Any) -> Any:
    """Return `value`, awaited if it can be."""
    return await value if hasattr(value, "__await__") else value


def _told(
    span: journal.Span | journal.NoSpan, retry: Retry, attempt: int, error: Exception
) -> float | None:
    pause = retry.pause_after(attempt, error)
    if retry.attempts > 1:
        said = f"attempt {attempt} of {retry.attempts} failed: {errors.one_line(error)}"
        span.note(said if pause is None else f"{said}; again in {pause:g} s", "warning")
        span.end_fields["attempt"] = attempt if pause is None else attempt + 1
        span.end_fields["attempts"] = retry.attempts
    return pause


def wait_until(
    condition: Callable[[], T], timeout: float, interval: float = 1.0, what: str = ""
) -> T:
    """Call `condition` every `interval` seconds until what it returns is true, and return that.

    It is called at once, and a last time when `timeout` seconds are over. What it raises goes on.

    Errors
    ------
    DeadlineExceeded
        `what` was not so after `timeout` seconds, or the deadline of this context came first.
    """
    what = what or name_of(condition)
    end = time.monotonic() + timeout
    with journal.span("step", f"wait until {what}"):
        while True:
            cancellation.checkpoint()
            value = condition()
            if value:
                return value
            cancellation.sleep(_next_look(end, interval, what, timeout, value))


async def wait_until_async(
    condition: Callable[[], Any],
    timeout: float,  # noqa: ASYNC109 - of the condition; the caller's own is `asyncio.timeout`
    interval: float = 1.0,
    what: str = "",
) -> Any:
    """Wait like `wait_until`, in an event loop; `condition` may be a coroutine function."""
    import asyncio

    what = what or name_of(condition)
    end = time.monotonic() + timeout
    with journal.span("step", f"wait until {what}"):
        while True:
            cancellation.checkpoint()
            value = await awaited(condition())
            if value:
                return value
            await asyncio.sleep(_next_look(end, interval, what, timeout, value))


def _next_look(end: float, interval: float, what: str, timeout: float, value: object) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise errors.DeadlineExceeded(
            f"waited {timeout:g} s until {what}; the last answer was {value!r}"
        )
    return min(interval, left)
