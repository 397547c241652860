"""An exception told to people: one message on stderr, and the exit status it stands for."""

from __future__ import annotations

import contextlib
import os
import sys

from projects.core import errors
from projects.core.command_line import streams


def report(error: BaseException, *, debug: bool = False) -> int:
    """Write what happened to stderr, with the traceback when `debug`; return the exit status."""
    if isinstance(error, BrokenPipeError) and streams.reader_has_left():
        return errors.PASSED  # it has seen enough of our output, as `head` does
    status = errors.exit_status_of(error)
    if debug:
        import traceback

        _say("".join(traceback.format_exception(error)))
    for message in dict.fromkeys(_message(each) for each in errors.leaves(error)):
        if message:
            _say(message)
    return status


def _message(error: BaseException) -> str:
    """Return the message of one exception, empty where there is nothing to say."""
    if isinstance(error, SystemExit):
        return "" if error.code is None or isinstance(error.code, int) else f"{error.code}"
    if isinstance(error, KeyboardInterrupt | errors.Interrupted):
        return "interrupted"
    if isinstance(error, errors.TopgallantError):
        return f"error: {errors.text_of(error)}"
    first = f"error: {errors.one_line(error)}{_place(error)}"
    if errors.exit_status_of(error) == errors.UNJUDGED:
        first += " (--debug shows the traceback)"
    return "\n".join([first, *errors.text_of(error).splitlines()[1:]])


def _place(error: BaseException) -> str:
    """Return in brackets where an exception that is nobody's message comes from.

    That is the deepest place in a project, as the user can do something there, else the deepest.
    """
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    core = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    below = os.path.dirname(core) + os.sep
    of_projects = [
        f
        for f in frames
        if f.filename.startswith(below) and not f.filename.startswith(core + os.sep)
    ]
    last = (of_projects or frames)[-1:]
    return "".join(f" [{frame.filename}:{frame.lineno}]" for frame in last)


def _say(text: str) -> None:
    secrets = sys.modules.get("projects.core.secrets.masking")  # not loaded: nothing to mask
    shown = secrets.mask(text) if secrets else text
    with contextlib.suppress(OSError):  # nobody reads it, and the exit status says it as well
        sys.stderr.write(shown if shown.endswith("\n") else shown + "\n")
        sys.stderr.flush()
