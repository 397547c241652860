from __future__ import annotations

import asyncio
import subprocess

import pytest

from projects.core import errors
from projects.core.errors import Mark

STATUSES = [
    (errors.UsageError("x"), 2),
    (errors.ConfigurationError("x"), 2),
    (errors.InfrastructureError("x"), 2),
    (errors.TestFailed("x"), 1),
    (errors.NoResults("x"), 3),
    (errors.DeadlineExceeded("x"), 124),
    (errors.CommandFailed("x", 7, "false"), 1),
    (errors.CommandTimeout("x", "sleep", 3), 124),
    (errors.Interrupted(2), 130),
    (errors.Interrupted(15), 143),
    (KeyboardInterrupt(), 130),
    (subprocess.CalledProcessError(5, "x"), 1),
    (TimeoutError(), 124),
    (AssertionError(), 1),
    (RuntimeError(), 1),
    (RecursionError(), 2),
    (NotImplementedError(), 2),
    (TypeError(), 2),
    (GeneratorExit(), 0),
    (SystemExit(4), 4),
    (SystemExit(None), 0),
    (SystemExit("text"), 1),
    (SystemExit(256), 2),
    (SystemExit(-1), 2),
]


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=repr)
def test_every_error_has_its_exit_status(error: BaseException, status: int) -> None:
    assert errors.exit_status_of(error) == status


def test_of_several_the_gravest_counts_and_who_was_only_stopped_does_not() -> None:
    failed, bug = AssertionError(), TypeError()
    cancelled = errors.Cancelled("by the other")
    assert errors.exit_status_of(BaseExceptionGroup("g", [failed, cancelled])) == 1
    assert errors.exit_status_of(BaseExceptionGroup("g", [failed, bug])) == 2
    nested = BaseExceptionGroup("g", [ExceptionGroup("h", [failed]), errors.Interrupted(2)])
    assert errors.exit_status_of(nested) == 130


def test_the_end_of_a_parallel_is_a_system_exit_that_names_its_failures() -> None:
    group = BaseExceptionGroup("prepare", [ValueError("a"), AssertionError("b")])
    error = errors.ParallelFailed("prepare", group)
    assert isinstance(error, SystemExit)
    assert error.code == 2
    assert str(error) == "prepare: ValueError: a; AssertionError: b"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "passed"),
        (SystemExit(0), "passed"),
        (AssertionError(), "failed"),
        (TypeError(), "error"),
        (errors.DeadlineExceeded("x"), "timeout"),
        (errors.Interrupted(15), "interrupted"),
        (errors.Cancelled("x"), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
    ],
    ids=repr,
)
def test_every_end_has_its_word(error: BaseException | None, outcome: str) -> None:
    assert errors.outcome_of(error) == outcome


def test_a_failed_command_is_what_callers_of_subprocess_expect() -> None:
    error = errors.CommandFailed("it failed", 3, ["false"], "out", "err")
    assert isinstance(error, subprocess.CalledProcessError)
    assert (error.returncode, error.stdout, error.stderr, str(error)) == (
        3,
        "out",
        "err",
        "it failed",
    )


def test_a_place_is_said_first() -> None:
    assert str(errors.ConfigurationError("bad", where=Mark("c.yaml", 3, 7))) == "c.yaml:3:7: bad"


def test_an_unknown_name_is_said_with_the_nearest_and_the_possible_ones() -> None:
    said = errors.unknown("preset", "quic", ["quick", "full"])
    assert said == 'unknown preset "quic"; did you mean "quick"? Possible: full, quick.'
    assert errors.unknown("preset", "zzz", []) == 'unknown preset "zzz". Possible: none.'
    many = errors.unknown("key", "zzz", [f"k{n:02}" for n in range(20)])
    assert "… (20 in all)" in many


def test_dashes_and_case_are_forgiven_in_the_search_for_the_nearest() -> None:
    assert errors.nearest("Batch-Size", ["batch_size", "other"]) == "batch_size"
    assert errors.nearest("nothing like it", ["batch_size"]) is None


def test_the_first_line_of_an_error_is_its_line() -> None:
    assert errors.one_line(ValueError("first\nsecond")) == "ValueError: first"
    assert errors.one_line(ValueError()) == "ValueError"


def test_the_only_name_that_begins_so_is_the_nearest() -> None:
    assert errors.nearest("int", ["nat", "integer"]) == "integer"
    assert errors.nearest("in", ["nat", "integer"]) is None
    assert errors.nearest("inter", ["internal", "interval", "winter"]) == "winter"
