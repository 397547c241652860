"""Choose the project, and the presets, that later calls are about."""

from __future__ import annotations

import os
import shlex
import sys
from typing import Any

from projects.core.library.toolbox import query
from projects.core.toolbox import _selected, config


# The commands below leave nothing but the selection itself: no artifact directory is made.
@query
def enter(
    project: str,
    preset: str = "",
    presets: list[str] | None = None,
    shell: bool = False,
    show_export: bool = False,
) -> str | None:
    """Select a project for later calls: `project` as a name then stands for it.

    The selection is kept in `.topgallant/` of the checkout, which git does not see, until another
    project is entered. The variable TOPGALLANT_PROJECT goes before it.

    Parameters
    ----------
    project
        Name of the project.
    preset
        A preset to use with it.
    presets
        several presets, such as `a,b`.
    shell
        start a shell in which the project stays selected; leave it with `exit`.
    show_export
        print the line that selects the project in your own shell, for `eval`.

    Examples
    --------
    ./run_toolbox.py configure enter sqlite_bench --preset=quick
    eval "$(./run_toolbox.py configure enter sqlite_bench --show_export)"
    """
    chosen = _selected.Selected(
        _selected.selected(project).project, (*([preset] if preset else ()), *(presets or ()))
    )
    _select(chosen)
    if shell:
        _start_shell(chosen.project)
    return f"export TOPGALLANT_PROJECT={shlex.quote(chosen.project)}" if show_export else None


@query
def name() -> str:
    """Print the name of the selected project."""
    return _selected.selected().project


@query
def get(key: str) -> Any:
    """Print a value of the selected project's configuration.

    Parameters
    ----------
    key
        Dotted name or JSONPath.
    """
    return config.show(key)


@query
def apply(*presets: str) -> None:
    """Use presets with the selected project, after those it has, from now on.

    Parameters
    ----------
    presets
        Names of presets.

    Examples
    --------
    ./run_toolbox.py configure apply quick
    """
    before = _selected.selected()
    kept = (one for one in before.presets if one not in presets)
    _select(_selected.Selected(before.project, (*kept, *presets)))


def _select(chosen: _selected.Selected) -> None:
    chosen.load()  # sees that the presets exist and fit
    _selected.select(chosen)
    sys.stderr.write(f"selected: {' '.join((chosen.project, *chosen.presets))}\n")


def _start_shell(project: str) -> None:
    import subprocess

    # Not through the door of `run`: an interactive shell needs the terminal itself.
    shell = os.environ.get("SHELL") or "/bin/sh"
    subprocess.run([shell], env={**os.environ, "TOPGALLANT_PROJECT": project}, check=False)
