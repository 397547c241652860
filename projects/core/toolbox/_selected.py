"""The selected project and its presets: what commands are about when nothing else is said."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from projects.core.commands import session
from projects.core.errors import ConfigurationError, unreadable
from projects.core.library import config
from projects.core.words.catalog import Catalog, selected_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projects.core.configuration.configuration import Configuration

FOLDER = ".topgallant"
"""Folder of the checkout, out of git's sight, with the files `project` and `presets`."""

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Selected:
    """A project, and the presets that go with it."""

    project: str
    presets: tuple[str, ...] = ()

    def load(self, presets: Sequence[str] = (), config_file: str = "") -> Configuration:
        """Return the configuration with the presets that go with it, and then these.

        Parameters
        ----------
        config_file : str
            Start from this file instead of the project's own.

        Raises
        ------
        ConfigurationError
            Something in it is wrong.
        """
        environ = dict(os.environ)
        if config_file:
            environ.pop("TOPGALLANT_FROM_CONFIG_FILE", None)
            environ["TOPSAIL_FROM_CONFIG_FILE"] = config_file
        return config.load(self.testing_dir, environ, selected=self.presets, presets=presets)

    @property
    def testing_dir(self) -> Path:
        """The folder `testing`, relative to where we are when that is the checkout."""
        path = Path(Catalog(session.CHECKOUT).project(self.project).testing_dir)
        return path.relative_to(session.CHECKOUT) if Path.cwd() == session.CHECKOUT else path


def selected(project: str = "") -> Selected:
    """Return `project`, or the selected one where that is empty or `project`.

    In a process that a run has started, that run's project is selected, as the run has it.

    Raises
    ------
    UsageError
        There is no such project; with the nearest name.
    """
    running = _running()
    if running and project in ("", "project", running):
        return Selected(running)
    if project in ("", "project"):
        project = selected_project(session.CHECKOUT, os.environ)
    name = Catalog(session.CHECKOUT).project(project).name
    return Selected(name, presets_of(name))


def _running() -> str:
    """Return the project whose run has started this process, or nothing."""
    try:
        with open(os.environ["TOPGALLANT_FROM_CONFIG_FILE"], encoding="utf-8") as file:
            first = file.readline(300)
    except (KeyError, OSError, UnicodeDecodeError):
        return ""
    return first.removeprefix(config.RESOLVED).strip() if first.startswith(config.RESOLVED) else ""


def presets_of(project: str) -> tuple[str, ...]:
    """Return the presets that `configure` keeps: for the last project entered, else none."""
    path = session.CHECKOUT / FOLDER / "presets"
    try:
        with open(path, "rb") as file:
            words = file.read(_MOST_BYTES).decode().split()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not text; `configure enter` writes it anew") from error
    return tuple(words[1:]) if words and words[0] == project else ()


def select(chosen: Selected) -> None:
    """Keep a project and its presets as the selected ones of this checkout.

    Raises
    ------
    InfrastructureError
        The files cannot be written.
    """
    folder = session.CHECKOUT / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        _write(folder / ".gitignore", "*\n")
        _write(folder / "presets", " ".join((chosen.project, *chosen.presets)) + "\n")
        _write(folder / "project", f"{chosen.project}\n")
    except OSError as error:
        raise unreadable(folder, error) from error


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
