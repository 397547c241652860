"""What a job may take at most."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from projects.core.errors import UsageError, unknown
from projects.jobs.tools import units
from projects.jobs.tools.texts import Invalid, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a job may take; None where nothing is said.

    `memory` and `output` (what it prints) in bytes, `cpus` in processors, `cpu_seconds` of them
    together, `files` open at once, `processes` at once.
    """

    memory: int | None = None
    cpus: float | None = None
    cpu_seconds: float | None = None
    files: int | None = None
    processes: int | None = None
    output: int | None = None

    def given(self) -> dict[str, int | float]:
        """Return those that are set."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in said.items() if value is not None}

    def tightened(self, asked: Limits) -> Limits:
        """Return these limits, where `asked` is lower that: a submission can't ask for more."""
        mine, theirs = self.given(), asked.given()
        lowest = {name: min(value, mine.get(name, value)) for name, value in theirs.items()}
        return Limits(**{**mine, **lowest})  # type: ignore[arg-type]


def read_limits(given: Mapping[str, Any]) -> Limits:
    """Return limits from what a submission says, texts like `2GiB` included.

    Raises
    ------
    UsageError
        An unknown name, or a value that is no such amount.
    """
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name not in READERS:
            raise UsageError(unknown("limit", name, READERS))
        try:
            read[name] = None if value is None else READERS[name](value)
        except Invalid as error:
            raise UsageError(f"limits.{name}: {error}") from None
    return Limits(**read)


def count(value: object) -> int:
    """Return a whole number from 1 on."""
    if type(value) is not int or not 1 <= value <= 2**31 - 1:
        raise Invalid(f"{shown(value)} is not a whole number from 1 to 2^31-1")
    return value


def cpus(value: object) -> float:
    """Return a number of processors, which need not be whole."""
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits or not 0.01 <= value <= 65536:  # type: ignore[operator]  # noqa: PLR2004
        raise Invalid(f"{shown(value)} is not a number of processors from 0.01 to 65536")
    return value  # type: ignore[return-value]


READERS: Mapping[str, Callable[[object], int | float]] = {
    "memory": units.size,
    "cpus": cpus,
    "cpu_seconds": units.seconds,
    "files": count,
    "processes": count,
    "output": units.size,
}
