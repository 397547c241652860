"""From the words of satctl to its exit status."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES = {"submit": "run"}


def main(argv: Sequence[str]) -> int:
    """Do what the words say and return the exit status: data to stdout, messages to stderr."""
    import gc

    gc.disable()  # what little is made is gone with the process
    from projects.core.command_line import streams

    streams.open_closed()
    try:
        # UTF-8, whatever the locale says: words are sent on, and JSON knows nothing else.
        return _do([os.fsencode(word).decode("utf-8", "surrogateescape") for word in argv])
    except BaseException as error:
        return _report(error)
    finally:
        streams.let_go()


def _do(words: list[str]) -> int:
    first = words[0] if words else "--help"
    if first in ("-h", "--help", "help"):
        from projects.satellite.satctl import printing
        from projects.satellite.satctl.help import overview

        return printing.text(overview())
    if first == "--version":
        from projects.core import __version__

        sys.stdout.write(f"satctl {__version__}\n")
        return 0
    if first in ("completion", "--complete"):
        from projects.satellite.satctl import completion

        return completion.do(first, words[1:])
    from projects.satellite.satctl import verbs

    name = first.replace("-", "_")
    name = ALIASES.get(name, name)
    verb = verbs.VERBS.get(name)
    if verb is None:
        from projects.core.errors import UsageError, unknown

        raise UsageError(unknown("verb", first[:60], [*verbs.VERBS, "completion"], most=20))
    if _asks_for_help(words[1:], until_plain=verb.until_plain):
        from projects.satellite.satctl import printing
        from projects.satellite.satctl.help import of_verb

        return printing.text(of_verb(name, verb))
    from projects.jobs.library.client import Client

    return verbs.call(verb, name, Client(), words[1:])


def _asks_for_help(words: Sequence[str], *, until_plain: bool) -> bool:
    for word in words:
        if word in ("-h", "--help"):
            return True
        if word == "--" or (until_plain and not word.startswith("-")):
            return False
    return False


def _report(error: BaseException) -> int:
    """Print the JSON of a refusal, as every answer, and say in one line what is wrong."""
    from projects.core.command_line.reporting import report
    from projects.jobs.library.client import Refused

    if isinstance(error, Refused) and error.answer.startswith(b"{"):
        import contextlib

        from projects.satellite.satctl import printing

        with contextlib.suppress(OSError, ValueError):  # the message says it, too
            printing.show(error.answer)
    if isinstance(error, KeyboardInterrupt):
        sys.stdout.flush()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)  # a shell's loop around us stops as well
    return report(error, debug=bool(os.environ.get("TOPGALLANT_DEBUG")))
