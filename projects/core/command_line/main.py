"""From the words of a call to its exit status: the routes that a call can take."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than all the rest of --version
if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = os.path.abspath(os.path.join(__file__, *[os.pardir] * 4))


def main(argv: Sequence[str], root: str = ROOT) -> int:
    """Do what the words say and return the exit status; data to stdout, messages to stderr."""
    words, debug = take_flag(argv, "--debug")
    try:
        _route(words, list(argv), root)
        _flush()
    except BaseException as error:
        from projects.core.command_line.reporting import report

        return report(error, debug=debug or bool(os.environ.get("TOPGALLANT_DEBUG")))
    return 0


def _route(words: list[str], argv: list[str], root: str) -> None:
    first = words[0] if words else "--help"
    if first in ("--help", "-h"):
        from projects.core.command_line.pages import show_overview

        show_overview(root)
    elif first == "--version":
        from projects.core import __version__

        sys.stdout.write(f"topgallant {__version__}\n")
    elif first == "completion":
        from projects.core.command_line.completing import print_script

        print_script(words[1:])
    elif first == "--complete":
        from projects.core.command_line.completing import print_candidates

        print_candidates(words[1:], root)
    else:
        from projects.core.command_line.calls import call_or_explain

        call_or_explain(words, argv, root)


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        from projects.core.errors import unreadable

        raise unreadable("stdout", error) from error


def take_flag(argv: Sequence[str], flag: str) -> tuple[list[str], bool]:
    """Return the words without `flag`, and whether it was there; after `--` it is a word."""
    end = argv.index("--") if "--" in argv else len(argv)
    before = [word for word in argv[:end] if word != flag]
    return [*before, *argv[end:]], len(before) < end
