"""What a project's parser is, and how the one of a workload is found."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from projects.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

ALWAYS_IMPORTANT = (
    "settings",
    "settings.yaml",
    "settings.*.yaml",
    "exit_code",
    "skip",
    "test_uuid",
    "fingerprint.yaml",
    "config.yaml",
    "presets_applied",
    "_meta/config.yaml",
    "_meta/metadata.yaml",
)
"""Globs of what is read of every directory, whatever the parser: a download has to bring it."""


@runtime_checkable
class Parser(Protocol):
    """Reads result directories of one workload; its functions run in processes of their own.

    It has to be importable: `PARSER` in the module `projects.P.visualizations.W.store`.
    """

    @property
    def version(self) -> str:
        """Another version does not take what an earlier one has left in the cache."""

    @property
    def important_files(self) -> Sequence[str]:
        """Globs, relative to a result, of all that `parse_once` reads."""

    def parse_once(self, directory: Path) -> Any:
        """Return what the files of a result say, JSON-like; it is cached.

        What it raises is reported with the result and does not stop the others.
        """

    def parse_always(self, parsed: Any, directory: Path) -> Any:
        """Return `parsed` with what depends on here and now; called every time."""


class SimpleParser:
    """A base for parsers: only `parse_once` has to be written."""

    version: str = "1"
    important_files: Sequence[str] = ()

    def parse_once(self, directory: Path) -> Any:
        """Return what the files of a result say, JSON-like."""
        raise NotImplementedError(f"{type(self).__name__}.parse_once of {directory}")

    def parse_always(self, parsed: Any, directory: Path) -> Any:  # noqa: ARG002 - the interface
        """Return `parsed` as it is."""
        return parsed


def find_parser(workload: str) -> Parser:
    """Return `PARSER` of `projects.P.visualizations.W`, given as such or as `P.W` or `P`.

    Errors
    ------
    ConfigurationError
        No such module, no `PARSER` in it, or it is no parser.
    """
    module = workload_module(workload, "store")
    parser = getattr(module, "PARSER", None)
    if not isinstance(parser, Parser):
        what = "has no PARSER" if parser is None else f"has a PARSER that is a {type(parser)}"
        raise ConfigurationError(
            f"{module.__file__} {what}; it needs version, important_files, parse_once(directory) "
            f"and parse_always(parsed, directory)"
        )
    return parser


def workload_module(workload: str, name: str) -> ModuleType:
    """Import `projects.P.visualizations.W.<name>`; `P.W` is a short form of the workload.

    Errors
    ------
    ConfigurationError
        There is no such module. An import that fails inside it is the module's own error.
    """
    module = f"{workload_package(workload)}.{name}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module != missing and not module.startswith(f"{missing}."):
            raise
        raise ConfigurationError(
            f'workload "{workload}": there is no module {missing}; a workload is a folder '
            f"projects/PROJECT/visualizations/NAME with store.py and kpis.py, "
            f"given as PROJECT.NAME"
        ) from None


def workload_package(workload: str) -> str:
    """Return the dotted package of a workload: `P.W` means `projects.P.visualizations.W`."""
    parts = workload.split(".")
    if not all(part.isidentifier() for part in parts):
        raise ConfigurationError(f'workload "{workload}": write PROJECT.NAME')
    if parts[0] == "projects":
        return workload
    if len(parts) == 2:  # noqa: PLR2004 - project and name
        return f"projects.{parts[0]}.visualizations.{parts[1]}"
    raise ConfigurationError(f'workload "{workload}": write PROJECT.NAME')
