"""Hit things."""

import os
import resource
import sys

from projects.core.errors import NoResults
from projects.core.library import env, run


def count(number: int, label: str = "none"):
    """Count.

    Args:
      number: how many
      label: of what
    """
    print(f"counted {number!r} of {label}")
    (env.ARTIFACT_DIR / "counted").write_text(f"{number} {label}\n")


def show(text: str):
    """Show a text."""
    print(text)
    (env.ARTIFACT_DIR / "shown").write_text(f"{len(text)}\n")


def fail(how: str):
    """Fail.

    Args:
      how: in which way
    """
    print("about to fail")
    if how == "bash":
        run.run("echo the last words; exit 7")
    if how == "missing program":
        run.run(["no-such-program"])
    if how == "assert":
        assert how == "right", "it is wrong"
    if how == "runtime":
        raise RuntimeError("the cluster is red")
    if how == "bug":
        raise KeyError(how)
    if how == "silent":
        raise ValueError
    if how == "deep":
        fail(how)
    if how == "timeout":
        run.run("sleep 1000", timeout=0.05)
    if how == "no results":
        raise NoResults("nothing was measured")
    if how == "pipe":
        raise BrokenPipeError(32, "Broken pipe")
    if how == "exit":
        sys.exit("I leave")
    if how == "exit 0":
        sys.exit(0)
    if how == "exit 256":
        sys.exit(256)
    if how == "group":
        raise ExceptionGroup("two of them", [ValueError("first"), ValueError("second")])
    if how == "mute":
        raise Mute
    if how == "long":
        raise ValueError("long " * 100_000)
    if how == "directory":
        os.rename(env.ARTIFACT_DIR, f"{env.ARTIFACT_DIR}.gone")
        raise ValueError("it was here")
    if how == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        print("x" * 50_000)
        (env.ARTIFACT_DIR / "big").write_bytes(b"x" * 50_000)


class Mute(Exception):
    """Cannot even say its name."""

    def __str__(self):
        raise ValueError("no words")
