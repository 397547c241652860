"""The steps of a command: named, retried, skipped or always done, each with its own span."""

from __future__ import annotations

import functools
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from projects.core import errors
from projects.core.artifacts import journal
from projects.core.processes import cancellation, retry
from projects.core.processes.coroutines import in_time
from projects.core.processes.problems import combined, is_failure
from projects.core.processes.progress import progress, track
from projects.core.processes.retry import ONCE, Retry, wait_until, wait_until_async

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = ["Retry", "Steps", "progress", "track", "wait_until", "wait_until_async"]

F = TypeVar("F", bound="Callable[[], Any]")


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    function: Callable[[], Any]
    retry: Retry
    deadline: float | None
    when: Callable[[], object] | None
    on_failure: Callable[[BaseException], object] | None
    always: bool


class Steps:
    """Steps that are declared in the `with` body and run in this order at its end.

    A step that fails stops those after it, except those that are declared `always`: they run
    after an interruption and past the deadline as well. All exceptions are reported: one as it is,
    several as an `ExceptionGroup`. If the body raises, nothing is run. With `async with`, the
    functions may be coroutine functions.

    Parameters
    ----------
    deadline
        Seconds for all steps together that are not `always`.

    Errors
    ------
    UsageError
        Two steps have the same name.
    DeadlineExceeded
        A step, or all together, took too long.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.results: dict[str, Any] = {}
        """What the steps that succeeded returned, by name."""
        self._deadline = deadline
        self._steps: dict[str, _Step] = {}
        self._problems: list[BaseException] = []
        self._stopped_by = ""
        self._limit: cancellation.Deadline | None = None

    def step(
        self,
        name: str,
        *,
        retry: Retry | None = None,
        deadline: float | None = None,
        when: Callable[[], object] | None = None,
        on_failure: Callable[[BaseException], object] | None = None,
        always: bool = False,
    ) -> Callable[[F], F]:
        """Declare the decorated function, which takes no arguments, as the next step.

        Parameters
        ----------
        retry
            How often it is tried; once by default.
        deadline
            Seconds for the step with all its attempts.
        when
            Called when it is the step's turn; the step is skipped if the answer is false.
        on_failure
            Called with the exception if the step failed of itself, not for an interruption.
        always
            Run it whatever happened to the steps before.
        """

        def declare(function: F) -> F:
            if name in self._steps:
                raise errors.UsageError(f'the step "{name}" is declared twice')
            self._steps[name] = _Step(
                name, function, retry or ONCE, deadline, when, on_failure, always
            )
            return function

        return declare

    def add(
        self,
        name: str,
        function: Callable[..., Any],
        *args: Any,
        retry: Retry | None = None,
        deadline: float | None = None,
        when: Callable[[], object] | None = None,
        on_failure: Callable[[BaseException], object] | None = None,
        always: bool = False,
        **kwargs: Any,
    ) -> None:
        """Declare `function(*args, **kwargs)` as the next step; the options are those of `step`."""
        declare = self.step(
            name,
            retry=retry,
            deadline=deadline,
            when=when,
            on_failure=on_failure,
            always=always,
        )
        declare(functools.partial(function, *args, **kwargs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        self._begin()
        for step in self._steps.values():
            try:
                with self._turn(step) as span:
                    if span is not None:
                        self.results[step.name] = retry.call(step.function, step.retry, span)
            except BaseException as problem:
                self._handle(step, problem)
        self._report()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        self._begin()
        for step in self._steps.values():
            try:
                with self._turn(step) as span:
                    if span is not None:
                        call = retry.call_async(step.function, step.retry, span)
                        self.results[step.name] = await in_time(call)
            except BaseException as problem:
                answer = self._handle(step, problem)
                try:
                    await retry.awaited(answer)
                except BaseException as another:
                    self._note(step, another)
        self._report()

    def _begin(self) -> None:
        if self._deadline is not None:
            outer = cancellation.nearest_deadline()
            self._limit = cancellation.Deadline(self._deadline, "what the steps do", outer)

    @contextmanager
    def _turn(self, step: _Step) -> Iterator[journal.Span | journal.NoSpan | None]:
        """Give the span in which the step is to run, None if it is skipped."""
        self._take_cancellation(step)
        with journal.span("step", step.name) as span:
            reason = self._reason_to_skip(step)
            if reason:
                span.end_fields.update(outcome="skipped", error=reason)
                yield None
                return
            with ExitStack() as limits:
                if step.always:
                    limits.enter_context(cancellation.no_deadline())
                elif self._limit is not None:
                    limits.enter_context(cancellation.within(self._limit))
                if step.deadline is not None:
                    what = f'the step "{step.name}"'
                    limits.enter_context(cancellation.deadline(step.deadline, what))
                yield span

    def _take_cancellation(self, step: _Step) -> None:
        """Note a cancellation that nobody has noticed, or it would hit a step that is `always`."""
        try:
            cancellation.current().checkpoint()
        except BaseException as problem:
            self._note(step, problem)

    def _reason_to_skip(self, step: _Step) -> str:
        if self._stopped_by and not step.always:
            return f"left out after {self._stopped_by}"
        return "its condition is false" if step.when is not None and not step.when() else ""

    def _handle(self, step: _Step, problem: BaseException) -> object:
        """Note the problem and call the step's handler; return what that returns."""
        self._note(step, problem)
        if step.on_failure is not None and is_failure(problem):
            try:
                return step.on_failure(problem)
            except BaseException as another:
                self._note(step, another)
        return None

    def _note(self, step: _Step, problem: BaseException) -> None:
        self._problems.append(problem)
        self._stopped_by = self._stopped_by or f'"{step.name}": {errors.one_line(problem)}'

    def _report(self) -> None:
        if self._problems:
            raise combined(f"{len(self._problems)} problems", self._problems)
