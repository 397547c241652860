"""One toolbox command: its directory, its log, its metadata, its span, its result."""

from __future__ import annotations

import functools
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.artifacts import directory, journal, metadata
from projects.core.commands import session
from projects.core.commands.entrypoint import Skip
from projects.core.processes import coroutines, output
from projects.core.words import parameters
from projects.core.words.catalog import Catalog
from projects.core.words.loading import commands_of
from projects.core.words.parameters import UNTYPED
from projects.core.words.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ToolboxResult:
    """What a call left: the function's value and the directory; the rest if it was asked for."""

    value: Any
    artifact_dir: Path
    returncode: int = 0
    stdout: str | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How a caller wants a call to show and to fail."""

    mute: bool = False
    check: bool = True

    @classmethod
    def of(
        cls, run_kwargs: Mapping[str, Any] | None, *, mute_stdout: bool | None, check: bool | None
    ) -> Options:
        """Read the options; an explicit argument wins over `run_kwargs`.

        Errors
        ------
        UsageError
            `run_kwargs` asks for what only a process can do (such as `cwd`).
        """
        asked = dict(run_kwargs or {})
        mute = bool(asked.pop("capture_stdout", False) or asked.pop("capture_stderr", False))
        checked = asked.pop("check", True)
        for harmless in ("log_command", "protect_shell", "decode_stdout", "decode_stderr"):
            asked.pop(harmless, None)
        if asked:
            message = errors.unknown(
                "run_kwargs of a toolbox command",
                next(iter(asked)),
                ["capture_stdout", "capture_stderr", "check", "log_command"],
            )
            raise errors.UsageError(message)
        return cls(
            mute=mute if mute_stdout is None else mute_stdout,
            check=checked if check is None else check,
        )


def call_command(
    function: Callable[..., Any],
    group: str,
    verb: str,
    arguments: Mapping[str, Any],
    *,
    command_line: tuple[str, ...] = (),
) -> Any:
    """Call a toolbox command from the command line, in a run of its own; return its value."""
    words = session.Words(project=group, verb=verb, command_line=command_line)
    with session.opened(words):
        made = _Call(function, group, verb, arguments, Signature.of(function))
        try:
            return _call(made, Options()).value
        except errors.CommandFailed as failed:
            if isinstance(failed.__cause__, SystemExit):  # its status is that of the process
                raise failed.__cause__ from None
            raise


def run_toolbox(
    group: str,
    command: str,
    arguments: Mapping[str, Any],
    *,
    artifact_dir_suffix: str | None = None,
    options: Options | None = None,
) -> ToolboxResult:
    """Find `group command` by name and call it; see `projects.core.library.run.run_toolbox`."""
    function, signature = command_named(group, command)
    values = convert(arguments, signature, f"{group} {command}")
    made = _Call(function, group, command, values, signature, artifact_dir_suffix or "")
    return _call(made, options or Options())


@functools.lru_cache(maxsize=4096)
def command_named(group: str, command: str) -> tuple[Callable[..., Any], Signature]:
    """Return the function of `group command` and its signature, importing its module.

    Errors
    ------
    UsageError
        There is no such group or command; with the nearest name.
    """
    found = Catalog(session.CHECKOUT).group(group)
    commands = commands_of(found)
    name = command.replace("-", "_")
    if name not in commands:
        raise errors.UsageError(errors.unknown(f"command of {group}", command, commands))
    return commands[name], Signature.of(commands[name])


def convert(arguments: Mapping[str, Any], signature: Signature, where: str) -> dict[str, Any]:
    """Return `arguments` with the types that the signature says.

    Errors
    ------
    UsageError
        A parameter is unknown (with the nearest), missing, or has a value of another type.
    """
    from projects.core.words.signature import KEYWORD_REST

    values = {}
    for name, value in arguments.items():
        parameter = signature.parameter(name) or signature.rest(KEYWORD_REST)
        if parameter is None:
            known = [p.name for p in signature.parameters]
            raise errors.UsageError(errors.unknown(f"parameter of {where}", name, known))
        values[name] = parameters.convert(value, parameter.annotation, f"{where}: {name}")
    missing = [p.name for p in signature.parameters if p.required and p.name not in values]
    if missing:
        raise errors.UsageError(f"{where}: missing {', '.join(missing)}")
    return values


class _Kept:
    """A sink in memory: what a muted command printed."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def write(self, text: str) -> None:
        """Keep `text`."""
        self.parts.append(text)


@dataclass(frozen=True, slots=True)
class _Call:
    function: Callable[..., Any]
    group: str
    command: str
    arguments: Mapping[str, Any]
    signature: Signature
    suffix: str = ""

    @property
    def name(self) -> str:
        return f"{self.group} {self.command}"

    @property
    def label(self) -> str:
        """The name in views and reports, by which calls with a suffix are told apart."""
        return " ".join([self.name, *filter(None, [self.suffix.strip("_")])])


def _call(call: _Call, options: Options) -> ToolboxResult:
    kept = _Kept() if options.mute else None
    place = directory.NextArtifactDir(f"{call.group}__{call.command}{call.suffix}")
    value, error = None, None
    try:
        with ExitStack() as stack:
            if kept is not None:
                stack.enter_context(output.muted())
                stack.enter_context(output.attached(kept))
            stack.enter_context(place)
            value = _call_here(place.path, call)
    except (errors.ParallelFailed, Skip):
        raise
    except SystemExit as caught:
        error = _of_exit(caught, call)
    except Exception as caught:
        error = caught
    if error is not None and options.check:
        raise error
    return ToolboxResult(
        value,
        place.path,
        errors.PASSED if error is None else errors.exit_status_of(error),
        "".join(kept.parts) if kept is not None else None,
        error,
    )


def _of_exit(exited: SystemExit, call: _Call) -> Exception | None:
    """Return what `sys.exit` within a command is for its caller: nothing, or a failed command.

    A command that was a process of its own ended alone, whatever its status was.
    """
    status = errors.exit_status_of(exited)
    if status == errors.PASSED:
        return None
    said = f": {exited.code}" if isinstance(exited.code, str) else ""
    message = f"{call.name} ended with status {status}{said}"
    failed = errors.CommandFailed(message, status, call.name)
    failed.__cause__ = exited
    return failed


def _call_here(where: Path, call: _Call) -> Any:
    began = time.perf_counter()
    with (
        output.log_to(f"{where}/_run.log"),
        journal.span("command", call.label, dir=where, parameters=call.arguments) as span,
    ):
        meta = metadata.write_metadata(
            where, call.name, call.arguments, group=call.group, command=call.command
        )
        words = restart_words(call.group, call.command, call.arguments, call.signature)
        session.write_restart(where, words)
        error: BaseException | None = None
        now = time.perf_counter()
        span.overhead += now - began
        try:
            result = call.function(**call.arguments)
            return coroutines.run_coroutine(result) if hasattr(result, "__await__") else result
        except BaseException as caught:
            error = caught
            raise
        finally:
            now = time.perf_counter()
            status = errors.PASSED if error is None else errors.exit_status_of(error)
            metadata.finish_metadata(meta, errors.outcome_of(error), exit_status=status)
            span.overhead += time.perf_counter() - now


def restart_words(
    group: str, command: str, arguments: Mapping[str, Any], signature: Signature
) -> list[str]:
    """Return the command line that calls `group command` with these values again."""
    words = ["./run_toolbox.py", group, command]
    for name, value in arguments.items():
        parameter = signature.parameter(name)
        annotation = parameter.annotation if parameter else UNTYPED
        words.append(f"--{name}={_word(value, annotation)}")
    return words


def _word(value: Any, annotation: Any) -> str:
    try:
        return parameters.format(value, annotation)
    except errors.UsageError:  # an object: the script is refused rather than wrong
        return f"<a {type(value).__name__}, which no word can say>"
