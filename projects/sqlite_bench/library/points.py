"""One point of the matrix: how SQLite is set, and what a power loss then does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, cast, get_args

from projects.core.errors import ConfigurationError, unknown

JournalMode = Literal["delete", "truncate", "persist", "memory", "wal", "off"]
"""`PRAGMA journal_mode`, https://www.sqlite.org/pragma.html#pragma_journal_mode"""

Synchronous = Literal["off", "normal", "full", "extra"]
"""`PRAGMA synchronous`, https://www.sqlite.org/pragma.html#pragma_synchronous"""

SYNCHRONOUS_NUMBERS: dict[Synchronous, int] = {"off": 0, "normal": 1, "full": 2, "extra": 3}
"""How SQLite answers when it is asked which level is in force."""

AfterPowerLoss = Literal["kept", "last may be lost", "may be corrupt"]
"""What a power loss does to committed transactions."""


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of settings; `batch_size` is in rows per transaction."""

    journal_mode: JournalMode
    synchronous: Synchronous
    batch_size: int

    def __str__(self) -> str:
        return (
            f"journal_mode={self.journal_mode} synchronous={self.synchronous} "
            f"batch_size={self.batch_size}"
        )


def after_power_loss(point: Point) -> AfterPowerLoss:
    """Return what SQLite's manual promises for committed transactions after a power loss.

    Source: https://www.sqlite.org/pragma.html#pragma_synchronous. Without a journal on disk, or
    without waiting for the disk, the file may be damaged; `normal` with a rollback journal has a
    small chance of it. A write-ahead log is always consistent, and complete from `full` on.
    In `delete` mode a commit is the removal of the journal, and only `extra` waits until the
    directory knows of it.
    """
    if point.journal_mode in ("off", "memory") or point.synchronous == "off":
        return "may be corrupt"
    if point.journal_mode == "wal":
        return "last may be lost" if point.synchronous == "normal" else "kept"
    if point.synchronous == "normal":
        return "may be corrupt"
    if point.journal_mode == "delete" and point.synchronous == "full":
        return "last may be lost"
    return "kept"


def point_of(journal_mode: object, synchronous: object, batch_size: object) -> Point:
    """Return the point that three values of a configuration describe.

    YAML reads a plain `off` as false; both mean the setting "off". Raises `ConfigurationError`
    for a value that SQLite does not know.
    """
    if not isinstance(batch_size, int) or isinstance(batch_size, bool):
        raise ConfigurationError(f"batch size {batch_size!r}: a number of rows was expected")
    return Point(
        cast("JournalMode", _known("journal mode", journal_mode, get_args(JournalMode))),
        cast("Synchronous", _known("synchronous level", synchronous, get_args(Synchronous))),
        batch_size,
    )


def expand(*axes: object) -> list[Point]:
    """Return the points of the matrix that three axes span, the last one fastest.

    An axis is a single value or a list of them. Raises `ConfigurationError` as `point_of`, and
    where a list is empty.
    """
    lists = [axis if isinstance(axis, list) else [axis] for axis in axes]
    points = [point_of(*values) for values in itertools.product(*lists)]
    if not points:
        raise ConfigurationError("an axis of the matrix is an empty list: nothing to measure")
    return points


def _known(what: str, value: object, possible: tuple[str, ...]) -> str:
    name = "off" if value is False else str(value)
    if name not in possible:
        raise ConfigurationError(unknown(what, name, possible))
    return name
