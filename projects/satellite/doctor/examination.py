"""All checks of a satellite, in the order in which one would look."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from projects.core.errors import one_line
from projects.satellite.doctor import machine, network, place
from projects.satellite.doctor.findings import warning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from projects.satellite.doctor.findings import Finding

_MEMBERSHIP, _MOUNTS = "/proc/self/cgroup", "/proc/self/mountinfo"


@dataclass(frozen=True, slots=True)
class Patient:
    """The satellite that is looked at, as its command line says it."""

    data_directory: Path
    test_scripts: Sequence[Path]
    host: str
    port: int
    database: str
    hub: str | None = None


def examine(patient: Patient) -> list[Finding]:
    """Look at everything; nothing is changed by it."""
    directory = patient.data_directory
    server = place.server_pid(directory)
    checks: list[tuple[str, Callable[[], Finding | list[Finding]]]] = [
        ("test scripts", lambda: place.test_scripts(patient.test_scripts)),
        ("data directory", lambda: place.data_directory(directory)),
        ("database", lambda: place.database(directory, patient.database)),
        ("token", lambda: place.token(directory)),
        ("port", lambda: network.port(patient.host, patient.port, os.environ, server)),
        ("runners", lambda: place.leftovers(directory, server)),
        ("hub", lambda: network.hub(patient.hub) if patient.hub else []),
        ("kernel", lambda: machine.kernel(os.uname().release)),
        ("limits", lambda: machine.cgroups(_read(_MEMBERSHIP), _read(_MOUNTS))),
        ("open files", machine.open_files),
        ("file size", machine.file_size),
    ]
    return [finding for name, check in checks for finding in _looked_at(name, check)]


def _looked_at(name: str, check: Callable[[], Finding | list[Finding]]) -> list[Finding]:
    """Return what a check finds; one that fails hides none of the others."""
    try:
        found = check()
    except Exception as error:
        return [warning(name, f"can't be looked at: {one_line(error)}")]
    return found if isinstance(found, list) else [found]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
