"""From the words of bin/satellite to those of run_toolbox.py, which does all the rest."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than all the rest of --help
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHORT = {"-n": "--nickname", "-m": "--hub", "-e": "--export_host"}
"""The flags that the satellite has always had, beside -h."""

COMMANDS = ("doctor", "systemd")
"""Commands of the toolbox group `satellite`; without one the satellite serves."""

NO_TESTS = """\
error: there is no directory {root} with test scripts. Make it, with a directory for each test
script that holds run and spec.json; or name another with --test_scripts=DIRECTORY. To begin with:

  mkdir -p {root}/hello
  printf '#!/bin/sh\\necho hello\\n' > {root}/hello/run; chmod +x {root}/hello/run
  echo '{{"description": "Says hello.", "parameters": []}}' > {root}/hello/spec.json
"""

HELP = """\
satellite: Serve the test scripts of this machine as jobs.

Usage: satellite [-n NICKNAME] [-m HUB] [-e HOST] [--parameter=value …]
       satellite doctor     what is missing or wrong when something doesn't work
       satellite systemd    print a unit file that keeps it running

What it is
  -n, --nickname=NAME          Name of this satellite, for people.
  -m, --hub=URL                Hub that it registers with and that results are sent to;
                               $TOPGALLANT_HUB by default, none without it.
  -e, --export_host=HOST       Name under which the hub reaches this machine; found by itself
                               where it isn't given. Needs --host, too: see below.
  --apps=NAMES                 What is served beside /api/v1. Default: satellite.

Where things are
  --test_scripts=DIRECTORIES   Test scripts, a directory each. Default: test_scripts.
  --data_dir=DIRECTORY         Database, logs of jobs, token. Default: satellite.
  --database=FILE|URL          File in data_dir, or the URL of a PostgreSQL database.
                               Default: satellite.db.
  --expire_days=DAYS           Logs and files of jobs are removed after so long. Default: 10.
  --no-clear_logs              Keep logs and files of ended jobs also at a start, until they expire.
  --no-entrypoints             Offer no entrypoints of this checkout's projects as tests.

How much runs at once
  --parallel_submissions=M     Submissions. Default: 1.
  --parallel_jobs=N            Jobs of one submission that doesn't say it itself. Default: the
                               number of CPUs.

Who reaches it
  --host=ADDRESS               Where it listens. Default: 127.0.0.1, this machine only; the
                               network reaches 0.0.0.0.
  --port=PORT                  Default: 8001; 0 is one that is free.
  --tls_certificate=FILE       HTTPS; with --tls_key=FILE.
  --allowed_hosts=NAMES        Further names that it answers to.

Ctrl-C or SIGTERM stops it; jobs that run go on, and the next start takes them over.

Examples
  mkdir -p test_scripts/hello
  printf '#!/bin/sh\\necho hello\\n' > test_scripts/hello/run; chmod +x test_scripts/hello/run
  echo '{"description": "Says hello.", "parameters": []}' > test_scripts/hello/spec.json
  satellite                                             # then, in another terminal:
  satctl run --wait hello
  satellite -n my-nick -m http://hub:8000 -e my-host --host=0.0.0.0
"""


def main(argv: Sequence[str], run: Callable[[list[str]], int]) -> int:
    """Do what the words say through `run`, which takes the words of run_toolbox.py."""
    if _asks_for_help(argv):
        sys.stdout.write(HELP)
        return 0
    words = translated(argv)
    if words[0] == "server" and (word := stray(argv[argv[:1] == ["serve"] :])):
        sys.stderr.write(f"error: {_too_many(word)}\n")
        return 2
    if words[0] == "server" and (root := missing_root(words)):
        sys.stderr.write(NO_TESTS.format(root=root))
        return 2
    return run(words)


def stray(words: Sequence[str]) -> str:
    """Return the first word that is neither a flag nor what may be a flag's value, empty if none.

    The server would take it for a parameter by position, such as its data directory.
    """
    before = ""
    for word in words:
        if not word.startswith("-") and (not before.startswith("-") or "=" in before):
            return word
        before = word
    return ""


def _too_many(word: str) -> str:
    if word in COMMANDS:
        return f"commands stand before flags: satellite {word} --port=…"
    return f'"{word}" is one word too many: satellite takes flags only; satellite --help lists them'


def missing_root(words: Sequence[str]) -> str:
    """Return the first directory of test scripts that isn't there, empty when all are.

    The server looks as well; this is told before an environment is made, which takes its time.
    """
    given = "test_scripts"
    for word, following in zip(words, [*words[1:], ""], strict=True):
        flag, equals, text = word.partition("=")
        if flag in ("--test_scripts", "--test-scripts"):
            given = text if equals else following
    roots = [root.strip() for root in given.strip("[]").split(",") if root.strip()]
    return next((os.path.abspath(root) for root in roots if not os.path.isdir(root)), "")


def translated(argv: Sequence[str]) -> list[str]:
    """Return the words for run_toolbox.py."""
    first = argv[0] if argv else ""
    if first == "--version":
        return [first]
    if first and not first.startswith("-") and first != "serve":
        return ["satellite", *argv]  # which knows what there is, and the nearest name
    words = argv[1:] if first == "serve" else argv
    long = [_long(word) for word in words]
    apps = [] if any(word.startswith("--apps") for word in long) else ["--apps=satellite"]
    cleared = any(word.lstrip("-").replace("-", "_").endswith("clear_logs") for word in long)
    clear = [] if cleared else ["--clear_logs"]
    return ["server", "serve", *apps, *clear, *long]


def _long(word: str) -> str:
    flag = word[:2]
    if flag not in SHORT or word[2:3] not in ("", "="):
        return word
    return SHORT[flag] + word[2:]


def _asks_for_help(argv: Sequence[str]) -> bool:
    serving = not argv or argv[0].startswith("-") or argv[0] == "serve"
    return serving and any(word in ("-h", "--help") for word in argv)
