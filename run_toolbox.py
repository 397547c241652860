#!/usr/bin/env python3
"""The one command: finds or makes its environment, then does what the words say.

Any Python can read this file, an old one too, which then says what is needed.
"""
# ruff: noqa: ANN001, ANN201, UP031, UP036 - written for Pythons before annotations, too

import os
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))


def environment(lock, place):
    # type: (str | os.PathLike[str], str | os.PathLike[str]) -> str
    """Return the Python of an environment at `place` that holds `lock`, making it if need be."""
    from projects.core.command_line import environment

    return environment.provide(os.fspath(lock), os.fspath(place))


def main(argv):
    # type: (list[str]) -> int
    """Return the exit status of the call `argv`."""
    if sys.version_info < (3, 11):
        version = "%d.%d.%d" % sys.version_info[:3]
        sys.stderr.write("Python >= 3.11 is needed, this is %s (%s).\n" % (version, sys.executable))
        sys.stderr.write("Start it with a newer one: python3.11 run_toolbox.py\n")
        return 2
    from projects.core.command_line.start import start

    return start(argv, ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
