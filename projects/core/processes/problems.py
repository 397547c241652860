"""Several exceptions as one, without losing what matters to those who handle it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projects.core import errors

if TYPE_CHECKING:
    from collections.abc import Sequence


def combined(message: str, problems: Sequence[BaseException]) -> BaseException:
    """Return the one exception that stands for `problems`, of which there is at least one.

    A single one is itself; several are an `ExceptionGroup`. An interruption or cancellation stays
    what it is, since those who handle it look at its type; the others are its notes.
    """
    if len(problems) == 1:
        return problems[0]
    for kind in (errors.Interrupted, errors.Cancelled):
        leaving = next((p for p in problems if isinstance(p, kind)), None)
        if leaving is not None:
            for problem in problems:
                if problem is not leaving:
                    leaving.add_note(f"also: {errors.one_line(problem)}")
            return leaving
    return BaseExceptionGroup(message, problems)
