"""The error tree: whose fault it is, the exit status and the HTTP status it becomes."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

PASSED, FAILED, UNJUDGED, NO_RESULTS, TIMED_OUT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 124, 130, 143
"""Exit statuses of the command line."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a text: file name, line and column, both counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class TopgallantError(Exception):
    """Anything that we report in one message; `where` is the place to look at."""

    exit_status = UNJUDGED
    http_status = 500

    def __init__(self, message: str, *, where: Mark | None = None) -> None:
        self.message = message
        self.where = where
        super().__init__(f"{where}: {message}" if where else message)


class UsageError(TopgallantError):
    """The words of a call do not fit: name, verb, flag, or a value."""

    http_status = 400


class ConfigurationError(TopgallantError):
    """A configuration, preset, override, reference or template is wrong."""

    http_status = 422


class SecretError(ConfigurationError):
    """A secret is missing, unreadable, or would be shown."""


class InfrastructureError(TopgallantError):
    """The world is in the way: disk, network, a missing program."""

    http_status = 503


class ExportRefused(TopgallantError):
    """An export would have carried a secret, or does not match its manifest."""

    http_status = 409


class TestFailed(TopgallantError):
    """The test ran and its verdict is: failed."""

    __test__ = False
    exit_status = FAILED


class NoResults(TopgallantError):
    """The run went through and left nothing to judge."""

    exit_status = NO_RESULTS


class DeadlineExceeded(TopgallantError):
    """A deadline or a condition's timeout passed, in seconds as given."""

    exit_status = TIMED_OUT
    http_status = 504


class CommandFailed(TopgallantError, subprocess.CalledProcessError):
    """A process ended with another status than 0; also a CalledProcessError."""

    exit_status = FAILED

    def __init__(
        self,
        message: str,
        returncode: int,
        command: str | Sequence[str],
        stdout: str | bytes | None = None,
        stderr: str | bytes | None = None,
    ) -> None:
        subprocess.CalledProcessError.__init__(self, returncode, command, stdout, stderr)
        self.message = message
        self.where = None

    def __str__(self) -> str:
        return self.message


class CommandTimeout(DeadlineExceeded, subprocess.TimeoutExpired):
    """A process was ended because its time was over; also a TimeoutExpired."""

    def __init__(
        self,
        message: str,
        command: str | Sequence[str],
        timeout: float,
        stdout: bytes | None = None,
        stderr: bytes | None = None,
    ) -> None:
        subprocess.TimeoutExpired.__init__(self, command, timeout, stdout, stderr)
        self.message = message
        self.where = None

    def __str__(self) -> str:
        return self.message


class Cancelled(BaseException):
    """A sibling failed or the run ends: leave, cleaning up. Never caught by `except Exception`."""

    exit_status = UNJUDGED


class Interrupted(BaseException):
    """SIGINT or SIGTERM came: leave, cleaning up."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(signum).name}")
        self.signum = signum
        self.exit_status = 128 + signum


class ParallelFailed(SystemExit):
    """Tasks of a Parallel failed; `except Exception` does not swallow it, `finally` runs."""

    def __init__(self, name: str, failures: BaseExceptionGroup[BaseException]) -> None:
        self.failures = failures
        self.name = name
        super().__init__(exit_status_of(failures))

    def __str__(self) -> str:
        return f"{self.name}: " + "; ".join(one_line(e) for e in leaves(self.failures))


_MOST_STATUS = 255  # a process has one byte for it: 256 would arrive as 0, which is "passed"

# What is not ours, most particular first; anything else is a bug.
_STATUS_OF: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((KeyboardInterrupt,), INTERRUPTED),
    ((GeneratorExit,), PASSED),  # its consumer has seen enough
    ((subprocess.TimeoutExpired, TimeoutError), TIMED_OUT),
    ((NotImplementedError, RecursionError), UNJUDGED),  # bugs, though children of RuntimeError
    ((subprocess.CalledProcessError, AssertionError, RuntimeError), FAILED),  # a test says so
)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the single exceptions of a possibly nested group."""
    if isinstance(error, ParallelFailed):
        error = error.failures
    if isinstance(error, BaseExceptionGroup):
        for child in error.exceptions:
            yield from leaves(child)
    else:
        yield error


def _status_of_one(error: BaseException) -> int:
    status = getattr(error, "exit_status", None)
    if isinstance(status, int):
        return status
    if isinstance(error, SystemExit):
        return _status_of_exit(error.code)
    return next((status for kinds, status in _STATUS_OF if isinstance(error, kinds)), UNJUDGED)


def _status_of_exit(code: object) -> int:
    if isinstance(code, int):
        return code if 0 <= code <= _MOST_STATUS else UNJUDGED
    return PASSED if code is None else FAILED


def exit_status_of(error: BaseException) -> int:
    """Return the process exit status that `error` stands for.

    Of a group the gravest counts: interrupted, then "could not be judged", timed out, failed.
    Siblings that were merely cancelled do not count beside a real failure.
    """
    all_leaves = list(leaves(error))
    real = [e for e in all_leaves if not isinstance(e, Cancelled)] or all_leaves
    statuses = [_status_of_one(e) for e in real]
    for status in (TERMINATED, INTERRUPTED, UNJUDGED, TIMED_OUT, FAILED):
        if status in statuses:
            return status
    return statuses[0]


def outcome_of(error: BaseException | None) -> str:
    """Return the outcome word of the journal for the exception that ended a span."""
    if error is None:
        return "passed"
    if isinstance(error, Cancelled) or _is_cancelled_coroutine(error):
        return "cancelled"
    by_status = {
        PASSED: "passed",
        FAILED: "failed",
        TIMED_OUT: "timeout",
        INTERRUPTED: "interrupted",
        TERMINATED: "interrupted",
    }
    return by_status.get(exit_status_of(error), "error")


def _is_cancelled_coroutine(error: BaseException) -> bool:
    # By name: whoever raised it has imported asyncio, and nobody else should.
    return (type(error).__module__, type(error).__name__) == (
        "asyncio.exceptions",
        "CancelledError",
    )


def one_line(error: BaseException) -> str:
    """Return `Type: first line of the message`, for journals and lists."""
    text = text_of(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Return the message of `error`; of a class that fails to say it, what Python's trace shows."""
    try:
        return str(error).strip()
    except Exception:
        return "<exception str() failed>"


_BEGINNING = 3


def nearest(given: str, possible: Iterable[str]) -> str | None:
    """Return the possible name that looks most like `given`, or None."""
    import difflib

    names = list(possible)
    by_folded = {name.casefold().replace("-", "_"): name for name in names}
    folded = given.casefold().replace("-", "_")
    if folded in by_folded:
        return by_folded[folded]
    longer = [name for name in by_folded if name.startswith(folded)]
    if len(longer) == 1 and len(folded) >= _BEGINNING:
        return by_folded[longer[0]]  # a beginning that only one name has
    found = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def unknown(what: str, given: str, possible: Iterable[str], *, most: int = 12) -> str:
    """Return the sentence for a name that does not exist: given, nearest, possible."""
    names = sorted(possible)
    close = nearest(given, names)
    said = f'unknown {what} "{given}"'
    if close:
        said += f'; did you mean "{close}"?'
    shown = ", ".join(names[:most]) + (f", … ({len(names)} in all)" if len(names) > most else "")
    return (
        f"{said} Possible: {shown or 'none'}." if close else f"{said}. Possible: {shown or 'none'}."
    )


def unreadable(path: Path | str, error: OSError) -> InfrastructureError:
    """Return the error for a file or directory that the system refuses, with its reason."""
    return InfrastructureError(f"{path}: {error.strerror or error}")
