"""The help of satctl."""

from __future__ import annotations

import os
import sys

from projects.core.words.page import Page, join
from projects.jobs.library.client import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE
from projects.satellite.satctl.verbs import VERBS, Verb

_PLACEHOLDERS = {"text": "=TEXT", "count": "=N", "seconds": "=SECONDS", "flag": ""}
_NARROWEST, _WIDEST = 40, 100

_EXAMPLES = [
    "satctl tests                                 # what can be run",
    "satctl run example --help                    # what it takes",
    "satctl run --wait example --a=1              # one job; the exit status is its end",
    "satctl submit_file submission.json           # many",
    "satctl jobs --status=PENDING,RUNNING",
    "satctl log JOB_ID --follow",
    "satctl run example --a=1 | jq -r .data.job_ids[0]",
]


def page() -> Page:
    """Return how to draw on stdout: colour only on a terminal, and not with NO_COLOR."""
    tty = sys.stdout.isatty()
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        width = int(columns)
    else:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if tty else _WIDEST
    return Page(max(_NARROWEST, min(width, _WIDEST)), colour=tty and not plain)


def called() -> str:
    """Return what is typed to call this: `satctl` on $PATH, else where it lies."""
    name = sys.argv[0]
    return name if "/" in name and not os.path.isabs(name) else "satctl"


def overview() -> str:
    """Return what satctl is, its verbs, examples."""
    look = page()
    rows = [(f"{name} {verb.words}".rstrip(), verb.summary) for name, verb in VERBS.items()]
    return join(
        look.head("satctl", "Ask a satellite, and tell it what to do."),
        [f"{look.title('Usage:')} {called()} VERB [WORD …] [--flag=value …]"],
        [
            look.title("Verbs"),
            *look.rows(
                [*rows, ("completion SHELL", "Print a script for bash, zsh or fish: press Tab.")]
            ),
        ],
        [
            look.title("Environment"),
            *look.rows(
                [
                    (URL_VARIABLE, f"Where the satellite is. Default: {DEFAULT_URL}."),
                    (
                        TOKEN_VARIABLE,
                        "The token; on the machine and for the user of the satellite it is found.",
                    ),
                ]
            ),
        ],
        look.text(
            "Every verb prints the JSON that the satellite answered, log the log. Exit status: 0 it"
            " is done, 2 it is not (one message on stderr says why); of verbs that wait: 0 success,"
            " 1 failed, 124 timeout, 2 cancelled or lost."
        ),
        [look.title("Examples"), *(f"  {line}" for line in _EXAMPLES)],
    )


def of_verb(name: str, verb: Verb) -> str:
    """Return what a verb does and takes."""
    look = page()
    flags = " [--flag …]" if verb.flags else ""
    words = f" {verb.words}" if verb.words else ""
    taken = f"{flags}{words}" if verb.until_plain else f"{words}{flags}"
    rows = [
        (f"--{flag}{_PLACEHOLDERS[kind]}", verb.about.get(flag, ""))
        for flag, kind in verb.flags.items()
    ]
    return join(
        look.head(name, verb.summary),
        [f"{look.title('Usage:')} {called()} {name}{taken}"],
        [look.title("Flags"), *look.rows(rows)] if rows else [],
    )
