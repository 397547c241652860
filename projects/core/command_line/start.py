"""The first steps of a call: what needs no environment at once, all else within it."""

from __future__ import annotations

import gc
import os
import sys

from projects.core.command_line import streams
from projects.core.command_line.main import main

TYPE_CHECKING = False  # importing typing would take longer than all the rest of --version
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

LOCK = "requirements.lock"

_EXEC_MARK = "_TOPGALLANT_EXEC"


def start(argv: Sequence[str], root: str) -> int:
    """Return the exit status of the call `argv` of the checkout at `root`.

    The overview, the version and the completion scripts need neither the environment nor any
    package. Anything else goes on with the environment's Python, in this same process.
    """
    streams.open_closed()
    try:
        return _start(argv, root)
    finally:
        streams.let_go()


def _start(argv: Sequence[str], root: str) -> int:
    gc.disable()  # what is imported stays; dispatch.py turns the collector on for the call
    words = [word for word in argv if word != "--debug"]
    if not words or words[0] in ("--help", "-h", "--version", "completion"):
        return main(argv, root)
    try:
        return _start_in_environment(argv, words, root)
    except BaseException as error:
        from projects.core.command_line.reporting import report

        return report(error, debug=words != list(argv) or bool(os.environ.get("TOPGALLANT_DEBUG")))


def _start_in_environment(argv: Sequence[str], words: Sequence[str], root: str) -> int:
    from projects.core.command_line import environment

    lock = os.path.join(root, LOCK)
    place = environment.place_for(root, lock, os.environ)
    ready = environment.ready(lock, place)
    if environment.is_inside(place):
        os.environ.pop(_EXEC_MARK, None)
        if ready:
            return main(argv, root)
    if not ready:
        if words[0] == "--complete":
            return main(argv, root)  # the names, at least: a key press installs nothing
        from projects.core.command_line.calls import find, name_first

        find(name_first(words)[0], root, os.environ)  # a wrong one is told before anything is made
    return _go_on_with(environment.provide(lock, place), place)


def _go_on_with(python: str, place: str) -> NoReturn:
    """Become the environment's Python; the process stays the same."""
    if os.environ.get(_EXEC_MARK) == str(os.getpid()):
        from projects.core.errors import InfrastructureError

        raise InfrastructureError(f"{python} does not run in {place}; remove that folder")
    os.environ[_EXEC_MARK] = str(os.getpid())
    sys.stdout.flush()
    os.execv(python, [python, *sys.orig_argv[1:]])  # noqa: S606 - no shell is the point
