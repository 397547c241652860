"""Completion on stdout: the script for a shell, and what may follow the words so far."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

from projects.core.errors import UsageError
from projects.core.words import completion
from projects.core.words.catalog import Catalog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from projects.core.words.signature import Signature


def print_script(words: Sequence[str]) -> None:
    """Print the completion script for `completion SHELL`."""
    if len(words) != 1 or words[0] in ("--help", "-h"):
        shells = "|".join(completion.SCRIPTS)
        usage = (
            f"completion {shells} prints a script: " + 'eval "$(./run_toolbox.py completion bash)"'
        )
        if words and words[0] in ("--help", "-h"):
            sys.stdout.write(usage + "\n")
            return
        raise UsageError(usage)
    sys.stdout.write(completion.script(words[0]))


def print_candidates(words: Sequence[str], root: str) -> None:
    """Print a line for each word that may follow; nothing where the code cannot be imported."""
    shell, *given = words or ["bash"]
    typed = completion.words_of_line(given[0] if given else "") if shell == "bash" else given
    with contextlib.suppress(Exception):
        source = completion.Source(
            _signatures(root, is_entrypoint=True),
            _signatures(root, is_entrypoint=False),
            _presets(root),
            _keys(root),
        )
        found = completion.candidates(Catalog(root), typed, source)
        if shell == "bash":
            found = completion.shortened_for_bash(found, typed[-1] if typed else "")
        sys.stdout.write("".join(f"{each}\n" for each in found))


def _signatures(root: str, *, is_entrypoint: bool) -> Callable[[str], dict[str, Signature]]:
    def read(name: str) -> dict[str, Signature]:
        from projects.core.command_line.calls import find, load_verbs
        from projects.core.words.signature import Signature

        with contextlib.redirect_stdout(sys.stderr):  # what an import prints is no candidate
            verbs = load_verbs(find(name, root, os.environ))
        found = {n: v for n, v in verbs.items() if v.is_entrypoint == is_entrypoint}
        return {n: Signature.of(v.function) for n, v in found.items()}

    return read


def _presets(root: str) -> Callable[[str], list[str]]:
    def read(name: str) -> list[str]:
        from projects.core.command_line.calls import find
        from projects.core.command_line.pages import preset_names

        project = find(name, root, os.environ).project
        return preset_names(project.testing_dir) if project else []

    return read


def _keys(root: str) -> Callable[[str], list[str]]:
    def read(name: str) -> list[str]:
        from projects.core.command_line.calls import find
        from projects.core.command_line.pages import configuration_keys

        project = find(name, root, os.environ).project
        return configuration_keys(project.testing_dir) if project else []

    return read
