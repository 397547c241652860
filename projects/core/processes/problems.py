"""Several exceptions as one, without losing what matters to those who handle it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core import errors

if TYPE_CHECKING:
    from collections.abc import Sequence


def combined(message: str, problems: Sequence[BaseException]) -> BaseException:
    """Return the one exception that stands for `problems`, of which there is at least one.

    A single one is itself; several are an `ExceptionGroup`. What says to leave (an interruption,
    a cancellation) stays what it is, since its type is what matters; the others are its notes.
    """
    if len(problems) == 1:
        return problems[0]
    leaving = [problem for problem in problems if not is_failure(problem)]
    if not leaving:
        return BaseExceptionGroup(message, problems)
    first = next((p for p in leaving if isinstance(p, errors.Interrupted)), leaving[0])
    for problem in problems:
        if problem is not first:
            first.add_note(f"also: {errors.one_line(problem)}")
    return first


def is_failure(problem: BaseException) -> bool:
    """Tell what went wrong of itself from what came from outside and says to leave."""
    return isinstance(problem, Exception | BaseExceptionGroup | errors.ParallelFailed)
