"""Help on stdout, as wide and as colourful as the terminal allows; never a pager."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from projects.core import __version__
from projects.core.words.catalog import Catalog, selected_project
from projects.core.words.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.core.command_line.calls import Verb
    from projects.core.words.catalog import Entry

_NARROWEST, _WIDEST = 40, 100


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


def show_overview(root: str) -> None:
    """Print every project and group of the checkout."""
    from projects.core.words.overview import help_overview

    selected = selected_project(root, os.environ)
    sys.stdout.write(help_overview(Catalog(root), __version__, selected, page()))


def show_name(entry: Entry, verbs: Mapping[str, Verb]) -> None:
    """Print the verbs of a name."""
    from projects.core.words.help import help_name
    from projects.core.words.signature import Signature

    points = {n: Signature.of(v.function) for n, v in verbs.items() if v.is_entrypoint}
    tools = {n: Signature.of(v.function) for n, v in verbs.items() if not v.is_entrypoint}
    sys.stdout.write(help_name(entry, points, tools, page()))


def show_verb(verb: Verb) -> None:
    """Print what one call does and takes."""
    from projects.core.words.help import help_verb
    from projects.core.words.signature import Signature

    project = verb.entry.project if verb.is_entrypoint else None
    text = help_verb(
        verb.words,
        Signature.of(verb.function),
        page(),
        is_entrypoint=verb.is_entrypoint,
        presets=_presets(project.testing_dir) if project else None,
    )
    sys.stdout.write(text)


def preset_names(testing_dir: str) -> list[str]:
    """Return the presets of a project's config.yaml; none where it cannot be read."""
    return list(_presets(testing_dir))


def _presets(testing_dir: str) -> dict[str, Any]:
    from projects.core.configuration.document import Document

    reserved = ("name", "names", "to_apply", "variable_overrides")
    try:
        values = Document.load(os.path.join(testing_dir, "config.yaml")).values
        presets = values["ci_presets"]
        return {str(name): preset for name, preset in presets.items() if name not in reserved}
    except Exception:  # help and completion go on without; a run tells what is wrong
        return {}


def configuration_keys(testing_dir: str) -> list[str]:
    """Return the keys of a project's config.yaml, parents first; none where it cannot be read.

    Presets and what is inside of lists are left out.
    """
    from projects.core.configuration.document import Document
    from projects.core.configuration.keys import all_paths, format_path

    try:
        values = Document.load(os.path.join(testing_dir, "config.yaml")).values
        del values["ci_presets"]
    except Exception:  # completion goes on without
        return []
    return [format_path(path) for path in all_paths(values) if not any(map(_is_index, path))]


def _is_index(part: object) -> bool:
    return isinstance(part, int)
