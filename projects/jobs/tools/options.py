"""Options that a command of a spec adds: run, bounded, cached, and never with anyone's data."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unknown
from projects.jobs.tools.bounded_run import run
from projects.jobs.tools.parameters import Choice, Some
from projects.jobs.tools.texts import Invalid, checked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.jobs.tools.parameters import Parameter
    from projects.jobs.tools.tool import Tool

TIMEOUT = 5.0
"""Seconds that a command may take."""

KEPT = 30.0
"""Seconds for which its answer is taken again."""

MAX_BYTES, MAX_LINES = 1024 * 1024, 10_000

_MOST_KEPT = 1000
_OTHERS_MAY_WRITE = 0o022


@dataclass(frozen=True, slots=True)
class OptionList:
    """What can be chosen now; `warning` says why a command added nothing, or less."""

    options: tuple[str, ...]
    warning: str | None = None


class _Answer:
    """The lines of one command, asked for once however many wait for it."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.lines: tuple[str, ...] = ()
        self.warning: str | None = None
        self.at = 0.0


class OptionProvider:
    """Asks the commands of specs; one for a process, used by all its threads."""

    def __init__(self, timeout: float = TIMEOUT, kept: float = KEPT) -> None:
        self.timeout = timeout
        self.kept = kept
        self._answers: dict[tuple[str, str, str], _Answer] = {}
        self._lock = threading.Lock()

    def options(self, tool: Tool, parameter: Parameter | str) -> OptionList:
        """Return the static options, then the lines of the command, each once.

        When the command fails there are the static options, and a warning.

        Raises
        ------
        UsageError
            No such parameter, or one without options.
        """
        if isinstance(parameter, str):
            parameter = _named(tool, parameter)
        if not isinstance(parameter, Choice | Some):
            raise UsageError(f"the parameter {parameter.name} ({parameter.type}) has no options")
        if parameter.shell is None:
            return OptionList(parameter.options)
        answer = self._answer(tool, parameter.shell)
        lines, warning = answer.lines, answer.warning
        if isinstance(parameter, Some):
            fit = tuple(line for line in lines if "," not in line)
            if len(fit) < len(lines):
                warning = f"{len(lines) - len(fit)} lines with a comma are left out"
            lines = fit
        return OptionList(tuple(dict.fromkeys((*parameter.options, *lines))), warning)

    def of(self, tool: Tool) -> Callable[[Parameter], Sequence[str]]:
        """Return what `tool.validate(given, options=…)` takes."""
        return lambda parameter: self.options(tool, parameter).options

    def _answer(self, tool: Tool, command: str) -> _Answer:
        key = (tool.digest, tool.directory, command)
        with self._lock:
            answer = self._answers.get(key)
            running = answer is not None and not answer.ready.is_set()
            if answer is not None and (running or time.monotonic() - answer.at < self.kept):
                mine = False
            else:
                answer, mine = _Answer(), True
                self._forget_old()
                self._answers[key] = answer
        if mine:
            try:
                self._ask(answer, tool, command)
            finally:
                answer.at = time.monotonic()
                answer.ready.set()
        else:
            answer.ready.wait()
        return answer

    def _forget_old(self) -> None:
        """Make room (the lock is held): first the answers that are out of date, then the oldest."""
        limit = time.monotonic() - self.kept
        old = [key for key, each in self._answers.items() if each.ready.is_set()]
        for key in old:
            if self._answers[key].at < limit or len(self._answers) >= _MOST_KEPT:
                del self._answers[key]

    def _ask(self, answer: _Answer, tool: Tool, command: str) -> None:
        reason = not_trusted(tool)
        if reason:
            answer.warning = f"the command for options is not run: {reason}"
            return
        failure = "it could not be run"
        try:
            done = run(command, tool.directory, self.timeout, MAX_BYTES)
            failure = done.failure
            if not failure:
                answer.lines, failure = _lines(done.output)
        except OSError as error:
            failure = f"it could not be started: {error.strerror}"
        finally:
            if failure:
                answer.warning = f"the command for options failed: {failure}"


def not_trusted(tool: Tool) -> str:
    """Return why a command of the tool's spec may not be run: who else could have written it.

    The spec and its directory have to belong to the user of this process or to root, and nobody
    else may write to them. Empty when all is well.
    """
    mine = (0, os.geteuid())
    for path in (tool.spec_file, tool.directory):
        try:
            seen = os.stat(path)
        except OSError as error:
            return f"{path}: {error.strerror}"
        if seen.st_uid not in mine:
            return f"{path} belongs to user {seen.st_uid}, neither to {mine[1]} nor to root"
        if seen.st_mode & _OTHERS_MAY_WRITE:
            return f"others may write to {path}: chmod go-w {path}"
    return ""


def _named(tool: Tool, name: str) -> Parameter:
    parameter = tool.parameter(name)
    if parameter is None:
        raise UsageError(unknown("parameter", name[:60], [each.name for each in tool.parameters]))
    return parameter


def _lines(output: bytes) -> tuple[tuple[str, ...], str]:
    """Return the lines that can be options, and why there are none."""
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        return (), f"byte {error.start + 1} of what it printed is not UTF-8"
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > MAX_LINES + 1:
        return (), f"it printed more than {MAX_LINES:,} lines"
    return tuple(line for line in lines if line and _fits(line)), ""


def _fits(line: str) -> bool:
    try:
        checked(line)
    except Invalid:
        return False
    return True
