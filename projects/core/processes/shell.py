"""Running commands: streamed or captured, stopped as a group, told about when they fail."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from projects.core import errors
from projects.core.artifacts import directory, journal
from projects.core.processes import attention, cancellation, output
from projects.core.processes.child import Captured, Child, Stop, Streamed
from projects.core.secrets import masking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projects.core.processes.child import Reader

    Command = str | Sequence[str | os.PathLike[str]]

SAFETY = "set -o errexit;set -o pipefail;set -o nounset;set -o errtrace;"
"""What is put before a shell command when `protect_shell` is given."""

NAME_LENGTH, SHOWN_LENGTH = 120, 2000
"""Characters of a command in the journal, and in an error."""

SHOWN_LINES, SHOWN_OUTPUT = 20, 8192
"""Lines and characters of a command's output in an error."""


def run(  # noqa: PLR0917 - as projects call it
    command: Command,
    capture_stdout: bool = False,
    capture_stderr: bool = False,
    check: bool = True,
    protect_shell: bool = True,
    cwd: str | os.PathLike[str] | None = None,
    stdin_file: str | os.PathLike[str] | IO[Any] | None = None,
    log_command: bool = True,
    decode_stdout: bool = True,
    decode_stderr: bool = True,
    *,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[Any]:
    r"""Run a command to its end, in a session and process group of its own, without a terminal.

    A text is given to bash, a list is run without a shell. What is not captured is streamed, line
    by line and masked, to the logs of this context and to the terminal. What is captured is
    returned as it is: decoded (invalid UTF-8 as `\xNN`), or as bytes.

    The command is over when its process has ended; what a process left behind in the background
    still writes is read for a second at most. It is left alone unless the command was stopped.

    Parameters
    ----------
    command
        Shell text, or the program and its arguments.
    check
        Raise when the status is not 0.
    protect_shell
        Put `SAFETY` before a shell text.
    stdin_file
        A path or an open file to read from; otherwise the command finds an empty input.
    log_command
        Show the command before it runs; False keeps it out of the journal and of errors as well.
    timeout
        Seconds; at the end the whole group gets SIGTERM, and SIGKILL after the grace of the scope.
        The deadline of the context counts as well.
    env
        Variables to set beside those of this process and `ARTIFACT_DIR`.

    Errors
    ------
    CommandFailed
        `check` is on and the status is not 0; also a `subprocess.CalledProcessError`.
    CommandTimeout
        The time was over; also a `subprocess.TimeoutExpired`.
    Cancelled, Interrupted
        The scope of this context was cancelled; the group has been ended.
    InfrastructureError
        The program, bash, the directory or the input file is missing, or nothing can be started.
    UsageError
        The command is empty or no command at all.
    """
    argv = _argv(command, protect_shell=protect_shell)
    shown = masking.mask(_text(command)) if log_command else _hidden(command)
    _check_directory(cwd)
    if log_command:
        output.say(f"$ {shown}")
    with (
        _input(stdin_file) as stdin,
        journal.span("process", shown.strip().partition("\n")[0][:NAME_LENGTH]) as span,
    ):
        stdout = Captured() if capture_stdout else None
        stderr = Captured() if capture_stderr else None
        with attention.shielded(), cancellation.Watch() as watch:
            moment = _moment(timeout)
            environment = directory.child_environment(os.environ)
            environment.update(env or {})
            process, pipes = _start(
                argv, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, environment=environment
            )
            child = Child(process, pipes, watch)
            child.follow(moment)
            watch.raise_cause()
        span.end_fields["exit_status"] = process.returncode
        out = _value(stdout, decode=decode_stdout)
        err = _value(stderr, decode=decode_stderr)
        given = command if isinstance(command, str) else argv
        if child.stop is Stop.TIMEOUT:
            seconds, why = _what_was_over(timeout)
            message = f"{why}: {_shortened(shown)}{_last_lines(child)}"
            raise errors.CommandTimeout(message, given, seconds, _raw(stdout), _raw(stderr))
        if check and process.returncode != 0:
            message = f"{_ending(process.returncode)}: {_shortened(shown)}{_last_lines(child)}"
            raise errors.CommandFailed(message, process.returncode, given, out, err)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


def _argv(command: Command, *, protect_shell: bool) -> list[str]:
    if isinstance(command, str):
        if not command.strip():
            raise errors.UsageError("the command is empty")
        argv = [_bash(), "-c", SAFETY + command if protect_shell else command]
    else:
        try:
            argv = [os.fspath(word) for word in command]
        except TypeError as error:
            raise errors.UsageError(
                f"a command is a text or a list of texts and paths, not {command!r}; "
                "turn numbers into text by str()"
            ) from error
        if not argv or not argv[0]:
            raise errors.UsageError(f"the command {command!r} names no program")
    if any("\0" in word for word in argv):
        raise errors.UsageError("a command cannot contain the character NUL")
    return argv


def _bash() -> str:
    if os.path.exists("/bin/bash"):
        return "/bin/bash"
    import shutil

    found = shutil.which("bash")
    if found is None:
        raise errors.InfrastructureError(
            "a command given as text needs bash, which is neither /bin/bash nor in PATH; "
            "install it, or give the command as a list"
        )
    return found


def _text(command: Command) -> str:
    if isinstance(command, str):
        return command
    import shlex

    return shlex.join(os.fspath(word) for word in command)


def _hidden(command: Command) -> str:
    return "(a command that is not shown)" if isinstance(command, str) else f"{command[0]} …"


def _check_directory(cwd: str | os.PathLike[str] | None) -> None:
    if cwd is not None and not os.path.isdir(cwd):
        what = "is no directory" if os.path.exists(cwd) else "does not exist"
        raise errors.InfrastructureError(f"cannot run a command in {os.fspath(cwd)}: it {what}")


@contextmanager
def _input(stdin_file: str | os.PathLike[str] | IO[Any] | None) -> Iterator[int]:
    """Give the descriptor that the command reads from."""
    if stdin_file is None:
        yield subprocess.DEVNULL
    elif isinstance(stdin_file, str | os.PathLike):
        try:
            descriptor = os.open(stdin_file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise errors.unreadable(os.fspath(stdin_file), error) from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)
    else:
        try:
            descriptor = stdin_file.fileno()
        except (AttributeError, OSError) as error:
            raise errors.UsageError(
                f"stdin_file is a path or an open file of the system, not {stdin_file!r}"
            ) from error
        yield descriptor


def _moment(timeout: float | None) -> float:
    """Return when the time of the command is over, for `time.monotonic`."""
    left = float("inf") if timeout is None else timeout
    limit = cancellation.nearest_deadline()
    if limit is not None:
        limit.check()
        left = min(left, limit.left())
    return time.monotonic() + left


def _start(
    argv: list[str],
    *,
    stdin: int,
    stdout: Captured | None,
    stderr: Captured | None,
    cwd: str | os.PathLike[str] | None,
    environment: dict[str, str],
) -> tuple[subprocess.Popen[bytes], dict[int, Reader]]:
    """Start the process and return it with the read ends of its pipes.

    Streams that end up in one place share a pipe, which keeps their lines in order. In a session
    what is shown is for people (stderr); elsewhere it goes where it would have gone by itself.
    """
    pipes: dict[int, Reader] = {}
    writers: list[int] = []

    def pipe(reader: Reader) -> int:
        read, write = os.pipe()
        pipes[read] = reader
        writers.append(write)
        return write

    together = stdout is None and stderr is None and output.one_place()
    try:
        out = pipe(stdout or Streamed("stderr" if output.capturing() else "stdout"))
        err = out if together else pipe(stderr or Streamed("stderr"))
        # A session of its own: a group to signal, and no terminal to wait for an answer at.
        process = subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
    except BaseException as error:
        for read in pipes:
            os.close(read)
        if isinstance(error, OSError):
            raise _cannot_start(argv, error) from error
        raise
    finally:
        for write in writers:
            os.close(write)
    return process, pipes


def _cannot_start(argv: list[str], error: OSError) -> errors.InfrastructureError:
    program = masking.mask(argv[0])
    if isinstance(error, FileNotFoundError):
        where = "it does not exist" if "/" in program else "there is no such program in PATH"
        return errors.InfrastructureError(f"cannot run {program}: {where}")
    reason = error.strerror or str(error)
    if error.errno == errno.E2BIG:
        reason = f"{reason}: pass long text in a file, by stdin_file"
    return errors.InfrastructureError(f"cannot run {program}: {reason}")


def _value(captured: Captured | None, *, decode: bool) -> str | bytes | None:
    if captured is None:
        return None
    return captured.data.decode("utf-8", "backslashreplace") if decode else bytes(captured.data)


def _raw(captured: Captured | None) -> bytes | None:
    return bytes(captured.data) if captured else None


def _what_was_over(timeout: float | None) -> tuple[float, str]:
    """Return the seconds that were given, and the sentence for it: a deadline's or our own."""
    limit = cancellation.nearest_deadline()
    if limit is not None and limit.left() <= 0:
        try:
            limit.check()  # with that it counts as told
        except errors.DeadlineExceeded as error:
            return limit.seconds, error.message
    return timeout or 0.0, f"timed out after {timeout or 0.0:g} s"


def _ending(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    try:
        return f"ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"ended by signal {-status}"


def _shortened(shown: str) -> str:
    return shown if len(shown) <= SHOWN_LENGTH else shown[:SHOWN_LENGTH] + " …"


def _last_lines(child: Child) -> str:
    lines = masking.mask(child.tail.text()).rstrip("\n").split("\n")[-SHOWN_LINES:]
    text = "\n".join(f"  {line.rpartition(chr(13))[2] or line}" for line in lines)[-SHOWN_OUTPUT:]
    return f"\nIts last lines:\n{text}" if text.strip() else "\nIt printed nothing."
