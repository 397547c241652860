"""Run things: shell commands, toolbox commands, several at once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from projects.core import errors
from projects.core.commands import call, session
from projects.core.library import config
from projects.core.processes import shell
from projects.core.processes.naming import named_by
from projects.core.processes.parallel import Parallel

if TYPE_CHECKING:
    import os
    import subprocess
    from collections.abc import Callable, Mapping, Sequence

    from projects.core.commands.call import ToolboxResult


__all__ = [
    "Parallel",
    "run",
    "run_and_catch",
    "run_iterable_fields",
    "run_toolbox",
    "run_toolbox_from_config",
]


def run(  # noqa: PLR0917 - as projects call it
    command: str | Sequence[str],
    capture_stdout: bool = False,
    capture_stderr: bool = False,
    check: bool = True,
    protect_shell: bool = True,
    cwd: str | os.PathLike[str] | None = None,
    stdin_file: str | os.PathLike[str] | None = None,
    log_command: bool = True,
    decode_stdout: bool = True,
    decode_stderr: bool = True,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[Any]:
    """Run a command to its end and return a `subprocess.CompletedProcess`.

    A text is run by bash, with `errexit`, `pipefail`, `nounset` and `errtrace` unless
    `protect_shell=False`; a list of words is run as it is, without a shell: use that for anything
    with a value in it that you did not write. What is not captured is shown and kept in
    `_run.log`, line by line, secrets masked. The command has a process group of its own and
    standard input from `stdin_file` (a path or an open file), else from /dev/null.

    Parameters
    ----------
    command
        Text for bash, or a list of words.
    capture_stdout, capture_stderr
        Return the output in `.stdout` / `.stderr`, not masked, instead of showing it.
    check
        Raise when the exit status is not 0.
    decode_stdout, decode_stderr
        Captured output as text (UTF-8, bad bytes replaced) rather than bytes.
    timeout
        Seconds after which the whole process group is ended.

    Errors
    ------
    CommandFailed
        Another exit status than 0; also a `subprocess.CalledProcessError`.
    CommandTimeout
        `timeout` or the deadline of the step passed; also a `subprocess.TimeoutExpired`.
    """
    config.flush()
    return shell.run(
        command,
        capture_stdout=capture_stdout,
        capture_stderr=capture_stderr,
        check=check,
        protect_shell=protect_shell,
        cwd=cwd,
        stdin_file=stdin_file,
        log_command=log_command,
        decode_stdout=decode_stdout,
        decode_stderr=decode_stderr,
        timeout=timeout,
        env=config.child_variables(),
    )


@named_by("group", "command")
def run_toolbox(  # noqa: PLR0917
    group: str,
    command: str,
    artifact_dir_suffix: str | None = None,
    run_kwargs: Mapping[str, Any] | None = None,
    mute_stdout: bool | None = None,
    check: bool | None = None,
    **kwargs: Any,
) -> ToolboxResult:
    """Call the toolbox command `group command` in a directory of its own, in this process.

    Parameters
    ----------
    artifact_dir_suffix
        Appended to the directory's name, to tell two calls of one command apart.
    run_kwargs
        `capture_stdout`, `capture_stderr` and `check`, for callers written for a subprocess.
    mute_stdout
        Keep the output in `_run.log` but do not show it; it is returned in `.stdout`.
    check
        False: return the error in `.error` and its status in `.returncode` instead of raising.
    kwargs
        The command's parameters; converted to their annotated types.

    Errors
    ------
    UsageError
        There is no such command or parameter, or a value has the wrong type.
    """
    return call.run_toolbox(
        group,
        command,
        kwargs,
        artifact_dir_suffix=artifact_dir_suffix,
        options=call.Options.of(run_kwargs, mute_stdout=mute_stdout, check=check),
    )


@named_by("group", "command")
def run_toolbox_from_config(  # noqa: PLR0917
    group: str,
    command: str,
    prefix: str | None = None,
    suffix: str | None = None,
    show_args: str | bool | None = None,
    extra: Mapping[str, Any] | None = None,
    artifact_dir_suffix: str | None = None,
    mute_stdout: bool = False,
    check: bool = True,
    run_kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Call a toolbox command with the arguments that `command_args.yaml.j2` has for it.

    Parameters
    ----------
    prefix, suffix
        Choose the entry `prefix/group command/suffix` of the template.
    extra
        Arguments merged last, over those of the template.
    show_args
        True: return all arguments instead of calling; a name: return that one.

    Errors
    ------
    ConfigurationError
        The template has no such entry, or fails; with its file, line and column.
    """
    arguments = config.project.command_args(group, command, prefix, suffix, extra)
    if show_args is True:
        return arguments.shown
    if show_args:
        return arguments.one(show_args)
    return run_toolbox(
        group,
        command,
        artifact_dir_suffix=artifact_dir_suffix,
        run_kwargs=run_kwargs,
        mute_stdout=mute_stdout,
        check=check,
        **arguments.passed,
    )


def run_and_catch(
    exc: BaseException | None, fct: Callable[..., Any], *args: Any, **kwargs: Any
) -> BaseException | None:
    """Call `fct`; return the first exception of a chain, log the others, lose none.

    Start with `exc = None`, pass what came back to each call, and at the end
    `if exc: raise exc`. Only ordinary exceptions are caught: an interruption goes on.
    """
    try:
        fct(*args, **kwargs)
    except (Exception, errors.ParallelFailed) as caught:
        if exc is None:
            return caught
        # In a run the traceback is in a FAILURE file.
        logging.getLogger(__name__).error(  # noqa: TRY400
            "another failure, after %s: %s",
            type(exc).__name__,
            errors.one_line(caught),
            exc_info=caught if session.current() is None else None,
        )
        exc.add_note(f"then also: {errors.one_line(caught)}")
    return exc


def run_iterable_fields(
    fields: Sequence[str], fct: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    """Call `fct` for every point of the matrix that the configuration's lists span.

    Each of `fields` (configuration keys) that holds a list is an axis; the product of the axes
    is walked with the last one fastest. At each point the fields hold single values. The lists
    are put back at the end, also after an exception.

    Errors
    ------
    ConfigurationError
        A field holds an empty list: nothing would be run.
    """
    import itertools

    axes = {key: config.project.get_config(key, print=False) for key in fields}
    axes = {key: value for key, value in axes.items() if isinstance(value, list)}
    for key, values in axes.items():
        if not values:
            message = f"{key} is an empty list: there is no point to run"
            raise errors.ConfigurationError(message)
    try:
        for point in itertools.product(*axes.values()):
            for key, value in zip(axes, point, strict=True):
                config.project.set_config(key, value, print=False)
            fct(*args, **kwargs)
    finally:
        for key, values in axes.items():
            config.project.set_config(key, values, print=False)
