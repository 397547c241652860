"""Turning an order into a process: directory, log files, environment, exec."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING

from projects.jobs.process import kernel

if TYPE_CHECKING:
    from typing import Any

    from projects.jobs.process.limits import Confinement

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_DEFAULTED = (signal.SIGPIPE, signal.SIGXFSZ)  # what Python ignores; see `spawner.main`


class NotStarted(Exception):
    """There is no process; the text is a sentence for people."""


class Files:
    """Where a job's output goes, as descriptors (-1: nowhere)."""

    __slots__ = ("err", "out")

    def __init__(self, out: int, err: int) -> None:
        self.out = out
        self.err = err

    def close(self) -> None:
        """Close what is open."""
        for descriptor in {self.out, self.err}:
            if descriptor >= 0:
                os.close(descriptor)


def open_files(order: dict[str, Any]) -> Files:
    """Make the log directory where it is missing, and the log files."""
    directory = order["log"]
    try:
        os.mkdir(directory)
    except FileExistsError:
        pass
    except FileNotFoundError:
        _make(directory)
    except OSError as error:
        raise NotStarted(_sentence(error, directory)) from None
    out = _open(directory, order["out"])
    try:
        err = out if order["err"] == order["out"] else _open(directory, order["err"])
    except NotStarted:
        Files(out, -1).close()
        raise
    return Files(out, err)


def _make(directory: str) -> None:
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise NotStarted(_sentence(error, directory)) from None


def _open(directory: str, name: str | None) -> int:
    if name is None:
        return -1
    path = name if name[:1] == "/" else f"{directory}/{name}"
    try:
        return os.open(path, _APPEND, 0o666)
    except (OSError, ValueError) as error:
        raise NotStarted(_sentence(error, path)) from None


def spawn(order: dict[str, Any], files: Files, mark: str, confinement: Confinement | None) -> int:
    """Start the program in its own session; return its pid.

    Raises
    ------
    NotStarted
        The kernel refused, or there is nothing to run.
    """
    environment = order["env"]
    environment[kernel.MARK] = mark
    argv = order["argv"]
    directory = order["cwd"] or order["log"]
    try:
        os.chdir(directory)
    except (OSError, ValueError) as error:
        raise NotStarted(f"it can't run in {directory}: {_reason(error)}") from None
    try:
        path = _find(argv[0], environment)
        if confinement is not None:
            return _fork(path, argv, environment, files, confinement)
        return os.posix_spawn(
            path,
            argv,
            environment,
            file_actions=_actions(files),
            setsid=True,
            setsigdef=_DEFAULTED,
        )
    except (OSError, ValueError) as error:
        raise NotStarted(_refusal(error, argv[0])) from None
    finally:
        os.chdir("/")


def _actions(files: Files) -> list[Any]:
    actions: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    for number, descriptor in ((1, files.out), (2, files.err)):
        if descriptor < 0:
            actions.append((os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_WRONLY, 0))
        else:
            actions.append((os.POSIX_SPAWN_DUP2, descriptor, number))
    return actions


def _fork(
    path: str, argv: list[str], environment: dict[str, str], files: Files, confinement: Confinement
) -> int:
    """Start a program that must confine itself first: posix_spawn has nothing for that.

    The error of a failed exec comes through a pipe that a successful one closes.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(path, argv, environment, files, confinement, writing)
    os.close(writing)
    try:
        code = os.read(reading, 16)
    finally:
        os.close(reading)
    if code:
        os.waitpid(pid, 0)
        raise OSError(int(code), os.strerror(int(code)))
    return pid


def _become(  # noqa: PLR0917
    path: str,
    argv: list[str],
    environment: dict[str, str],
    files: Files,
    confinement: Confinement,
    writing: int,
) -> None:
    code = errno.EINVAL
    try:
        os.setsid()
        for number in _DEFAULTED:
            signal.signal(number, signal.SIG_DFL)
        null = os.open("/dev/null", os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(files.out if files.out >= 0 else null, 1)
        os.dup2(files.err if files.err >= 0 else null, 2)
        confinement.enter()  # last: what is done before may need more than it allows
        os.execve(path, argv, environment)  # noqa: S606  (no shell is the point)
    except OSError as error:
        code = error.errno or code
    except BaseException:  # noqa: S110  (whatever it is, this copy of the runner must end here)
        pass
    finally:
        os.write(writing, str(code).encode())
        os._exit(127)


def _find(program: str, environment: dict[str, str]) -> str:
    if "/" in program:
        return program
    for directory in environment.get("PATH", os.defpath).split(":"):
        path = os.path.join(directory, program)
        if os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    raise FileNotFoundError(errno.ENOENT, "not in PATH", program)


def _refusal(  # noqa: PLR0911  (one line for each error)
    error: OSError | ValueError, program: str
) -> str:
    """Return why a program could not be run, and what to do about it."""
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT:
        if not os.path.lexists(program):
            return f"there is no program {program}"
        return f"the interpreter that the first line of {program} names doesn't exist"
    if code == errno.EACCES:
        if os.path.isdir(program):
            return f"{program} is a directory, not a program"
        return f"{program} is not executable (chmod +x it)"
    if code == errno.ENOEXEC:
        return f"{program} is no program, and has no first line like #!/bin/sh"
    if code == errno.E2BIG:
        return "its arguments and environment are larger than the kernel takes (one: 128 KiB)"
    if code == errno.EAGAIN:
        return "the machine or the user has too many processes"
    return f"{program} can't be run: {_reason(error)}"


def _sentence(error: OSError | ValueError, path: str) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full: {path} can't be made"
    return f"{path} can't be made: {_reason(error)}"


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
