"""Completion: the script for a shell, and the words that may follow."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from projects.core.errors import UsageError, unknown
from projects.satellite.satctl.verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPTS = {
    "bash": """\
_satctl() {
    mapfile -t COMPREPLY < <(
        "${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null
    )
}
complete -o default -F _satctl satctl
""",
    "zsh": """\
#compdef satctl
_satctl() {
    compadd -- ${(f)"$("${words[1]}" --complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}
}
compdef _satctl satctl
""",
    "fish": """\
complete -c satctl -f -a '(satctl --complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
""",
}

_TESTS, _JOBS, _SUBMISSIONS = ("run", "submit", "test"), ("job", "log", "retry"), ("submission",)
_BOTH = ("cancel", "wait")
_PATIENCE = 1.0


def do(first: str, words: Sequence[str]) -> int:
    """Print the script of a shell, or a line for each word that may come next."""
    if first == "--complete":
        with contextlib.suppress(Exception):  # Tab says nothing where there is nothing to say
            sys.stdout.write("".join(f"{word}\n" for word in candidates(words)))
        return 0
    if len(words) != 1 or words[0] not in SCRIPTS:
        raise UsageError(unknown("shell", " ".join(words), SCRIPTS))
    sys.stdout.write(SCRIPTS[words[0]])
    return 0


def candidates(words: Sequence[str]) -> list[str]:
    """Return what the last of `words`, begun or empty, may become."""
    *before, begun = words or [""]
    if not before:
        return _beginning(begun, [*VERBS, "completion"])
    if before[0] == "completion":
        return _beginning(begun, SCRIPTS)
    verb = VERBS.get("run" if before[0] == "submit" else before[0])
    if verb is None:
        return []
    plain = [word for word in before[1:] if not word.startswith("--")]
    if begun.startswith("--"):
        return _beginning(begun, _flags(verb.flags, before, plain))
    return [] if plain else _beginning(begun, _names(before[0]))


def _flags(flags: object, before: Sequence[str], plain: Sequence[str]) -> list[str]:
    if before[0] in ("run", "submit") and plain:
        said = _data(f"/satellite/tests/{plain[0]}")
        return [f"--{parameter['name']}=" for parameter in said["parameters"]]
    return [f"--{flag}" for flag in flags]  # type: ignore[attr-defined]


def _names(verb: str) -> list[str]:
    names: list[str] = []
    if verb in _TESTS:
        names += [test["name"] for test in _data("/satellite/tests")["tests"]]
    if verb in (*_JOBS, *_BOTH):
        names += [job["job_id"] for job in _data("/satellite/jobs?limit=50")["jobs"]]
    if verb in (*_SUBMISSIONS, *_BOTH):
        found = _data("/satellite/submissions?limit=50")["submissions"]
        names += [submission["submission_id"] for submission in found]
    return names


def _data(path: str) -> dict[str, list[dict[str, str]]]:
    from projects.jobs.library.client import Client

    found: dict[str, list[dict[str, str]]] = Client(timeout=_PATIENCE).get_json(path)["data"]
    return found


def _beginning(begun: str, names: object) -> list[str]:
    return [name for name in names if name.startswith(begun)]  # type: ignore[attr-defined]
