"""Where artifacts go: `ARTIFACT_DIR` of this context, and directories below it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from projects.core.artifacts import directory
from projects.core.artifacts.directory import NextArtifactDir, TempArtifactDir

if TYPE_CHECKING:
    from pathlib import Path

    ARTIFACT_DIR: Path

__all__ = ["ARTIFACT_DIR", "NextArtifactDir", "TempArtifactDir", "init"]


def init() -> Path:
    """Make sure that there is an artifact directory, and return the current one.

    Within a run there is one. Elsewhere (a notebook, a script run by hand) it is `$ARTIFACT_DIR`,
    or a new directory below `$TOPGALLANT_BASE_DIR`.

    Errors
    ------
    InfrastructureError
        The directory cannot be made or written.
    """
    if directory.run_root() is None:
        from projects.core.commands import session

        words = session.Words(project="interactive", verb="session")
        directory.set_run_root(session.choose_place(words, os.environ).path)
    return directory.current()


def __getattr__(name: str) -> Any:
    if name == "ARTIFACT_DIR":
        return directory.current()
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
