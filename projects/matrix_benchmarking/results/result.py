"""What one result directory holds: settings, exit code, what its parser made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - readers of the annotations need it
from pathlib import Path  # noqa: TC003
from typing import Any
from uuid import UUID

Scalar = str | int | float | bool | None
"""A value of a setting."""

Settings = Mapping[str, Scalar]

NO_UUID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ImportantFile:
    """A file that a parser reads: its path within the result, with slashes, and its content."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the directories around a result, up to the results root, say about its run.

    Of a fingerprint the nearest `fingerprint.yaml` that has a key wins. Of the others the nearest
    file: `_meta/config.yaml` or `config.yaml` (its SHA-256),
    `presets_applied`; `versions` and `run_start` are those of the outermost
    `_meta/metadata.yaml`.
    """

    fingerprint: Settings = field(default_factory=dict)
    config_sha256: str | None = None
    presets: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    run_start: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One result: a directory with settings and an exit code.

    `parsed` is what the parser returned, JSON-like; None beside a `problem`, the sentence that
    says why. `exit_code` is None only beside a problem. `start` and `end` are in UTC. `test_uuid`
    is that of the file `test_uuid` if there is one, else made of the content: the same result has
    the same one wherever it is read.
    """

    directory: Path
    settings: Settings
    exit_code: int | None
    parsed: Any = None
    files: tuple[ImportantFile, ...] = ()
    problem: str | None = None
    test_uuid: UUID = NO_UUID
    start: datetime | None = None
    end: datetime | None = None
    surroundings: Surroundings = field(default_factory=Surroundings)

    @property
    def key(self) -> str:
        """The settings as `k=v,k=v`, sorted: the name of the point in the matrix."""
        return ",".join(f"{name}={self.settings[name]}" for name in sorted(self.settings))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a directory that whoever reads the results has to know."""

    directory: Path
    message: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What was found below `root`: all results, those with a problem too, in order of their paths.

    `findings` tells of every problem, and of what is not among the results: a directory without
    settings or exit code, the older one of two with the same settings.
    """

    root: Path
    results: tuple[Result, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def parsed(self) -> tuple[Result, ...]:
        """The results without a problem."""
        return tuple(result for result in self.results if result.problem is None)
