from __future__ import annotations

from projects.core import errors
from projects.core.processes.problems import combined


def test_one_problem_is_itself_and_several_are_a_group() -> None:
    one, two = ValueError("one"), KeyError("two")
    assert combined("all", [one]) is one
    group = combined("all", [one, two])
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions == (one, two)


def test_a_failed_parallel_is_a_failure_among_others() -> None:
    inner = errors.ParallelFailed("inner", ExceptionGroup("inner", [ValueError("x")]))
    group = combined("all", [inner, ValueError("y")])
    assert isinstance(group, BaseExceptionGroup)
    assert len(list(errors.leaves(group))) == 2


def test_what_says_to_leave_stays_what_it_is_with_the_others_as_notes() -> None:
    cancelled, interrupted = errors.Cancelled("enough"), errors.Interrupted(15)
    assert combined("all", [ValueError("x"), cancelled]) is cancelled
    assert cancelled.__notes__ == ["also: ValueError: x"]
    assert combined("all", [cancelled, ValueError("x"), interrupted]) is interrupted
    ctrl_c = KeyboardInterrupt()
    assert combined("all", [ValueError("x"), ctrl_c]) is ctrl_c
